"""Programs: made when first asked for, kept with the graph, made anew when something they rest on has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from bigdl.graph import Container
from bigdl.graph.arithmetic import recorded
from bigdl.programs import prediction, training
from bigdl.programs.joining import joined_for_prediction, joined_for_training
from bigdl.programs.lowering import Lowering, hooks_of
from bigdl.programs.operations import Operation, Ref
from bigdl.programs.stamps import Stamps
from bigdl.programs.views import applied


class Program:
    """A model's operations, ready to run.

    Args:
        model: The model.
        for_training: Whether it is for training.

    Attributes:
        called: The layers that are called as they are, in the mode that they are in.
    """

    def __init__(self, model: Container, for_training: bool) -> None:
        lowering = Lowering(for_training)
        inputs = [lowering.input() for _ in model.inputs]
        outputs = lowering.graph(model, inputs)
        join = joined_for_training if for_training else joined_for_prediction
        self.operations = join(lowering.operations, outputs)
        self.called = lowering.called
        self._size = 1 + max([ref.number for ref in inputs] + [operation.number for operation in self.operations])
        self._outputs = outputs
        self._facts = [
            (vars(layer), name, vars(layer).get(name)) for layer, names in lowering.watched for name in names
        ]
        self._hooks = [hooks for layer, _ in lowering.watched for hooks in hooks_of(layer)]
        products = training.KERNELS if for_training else prediction.KERNELS
        kernels: list[Any] = [_kernel(operation, products) for operation in self.operations]
        self._products = [made for made in kernels if isinstance(made, prediction.Product)]
        self._stamps = Stamps([source for made in self._products for source in made.operation.sources()])
        self._steps = _steps(self.operations, kernels, outputs)

    def is_current(self) -> bool:
        """Whether the layers are still as they were when the program was made; their weights need not be."""
        return not any(self._hooks) and all(kept.get(name) is value for kept, name, value in self._facts)

    def refresh(self) -> None:
        """Reads the weights anew, if they have changed."""
        if self._stamps.have_changed():
            for product in self._products:
                product.refresh()

    def run(self, inputs: Sequence[Tensor]) -> list[Any]:
        """Computes the outputs.

        Args:
            inputs: A tensor for each input.
        """
        values: list[Any] = [*inputs, *(None for _ in range(self._size - len(inputs)))]
        for function, taken, made, done in self._steps:
            if len(taken) == 1:
                values[made] = function(values[taken[0]])
            else:
                values[made] = function(*[values[i] for i in taken])
            for i in done:
                values[i] = None
        return [applied(ref.views, values[ref.number]) for ref in self._outputs]


def _kernel(operation: Operation, products: Mapping[type, Callable[..., Any]]) -> Callable[..., Any]:
    make = products.get(type(operation))
    return operation.kernel() if make is None else make(operation)


_Step = tuple[Callable[..., Any], tuple[int, ...], int, tuple[int, ...]]


def _steps(
    operations: Sequence[Operation], kernels: Sequence[Callable[..., Any]], outputs: Sequence[Ref]
) -> list[_Step]:
    """Returns each function with the numbers of what it takes, of what it makes, and of what nobody needs after it."""
    last = {ref.number: i for i, operation in enumerate(operations) for ref in operation.inputs}
    kept = {ref.number for ref in outputs}
    steps = []
    for i, (operation, kernel) in enumerate(zip(operations, kernels, strict=True)):
        numbers = tuple(ref.number for ref in operation.inputs)
        done = tuple(n for n in dict.fromkeys(numbers) if last[n] == i and n not in kept)
        steps.append((_viewing(kernel, operation.inputs), numbers, operation.number, done))
    return steps


def _viewing(kernel: Callable[..., Any], refs: Sequence[Ref]) -> Callable[..., Any]:
    """Returns a function that looks at what it takes through views."""
    if not any(ref.views for ref in refs):
        return kernel
    if len(refs) == 1 and len(refs[0].views) == 1:
        view = refs[0].views[0]
        return lambda x: kernel(view(x))
    views = [ref.views for ref in refs]
    return lambda *x: kernel(*[applied(seen, value) for seen, value in zip(views, x, strict=True)])


def program_for(model: Container, training: bool) -> Program | None:
    """Returns a model's program, with the weights that the model has now.

    Args:
        model: The model.
        training: Whether it is for training, else for prediction.

    Returns:
        The program; None where the model has to be run layer by layer.
    """
    if recorded() is not None or "run" in vars(model) or type(model).run is not Container.run:
        return None
    kept = model.graph.plan.kept
    key = (Program, training)
    program: Program | None = kept.get(key)
    if program is None or not program.is_current():
        kept[key] = program = None if _has_masks(model) else Program(model, training)
    else:
        program.refresh()
    return program


def _has_masks(model: Container) -> bool:
    """Whether a mask travels anywhere in a graph, nested ones included."""
    plan = model.graph.plan
    inner = [step.layer for step in plan.steps if isinstance(step.layer, Container)]
    return any(tensor.mask is not None for tensor in plan.tensors) or any(map(_has_masks, inner))
