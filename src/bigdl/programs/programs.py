"""Programs: made when first asked for, kept with the graph, made anew when something they rest on has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from numpy.typing import NDArray
from torch import Tensor

from bigdl.graph import Container
from bigdl.graph.arithmetic import recorded
from bigdl.native import Library, kernels
from bigdl.programs import prediction, training
from bigdl.programs.chains import Chained
from bigdl.programs.direct import DirectNetwork
from bigdl.programs.direct_ways import Part
from bigdl.programs.joining import chained, joined_for_prediction, joined_for_training
from bigdl.programs.lowering import Lowering, NoProgramError
from bigdl.programs.native import NativeSegment
from bigdl.programs.normalization import Normalize
from bigdl.programs.operations import Affine, Apply, Chain, Drop, Operation, Ref
from bigdl.programs.plain import changes_of_layers, hooks_of
from bigdl.programs.precision import full, with_low_products
from bigdl.programs.prediction import Product
from bigdl.programs.recurrence import Recur, RecurKernel
from bigdl.programs.segments import segmented
from bigdl.programs.stamps import Stamps
from bigdl.programs.views import applied


class Program:
    """A model's operations, ready to run.

    Args:
        model: The model.
        for_training: Whether it is for training.
        in_bf16: Whether its products are of bfloat16.

    Raises:
        NoProgramError: The model has to be run layer by layer.

    Attributes:
        operations: The operations.
        called: The layers that are called as they are, in the mode that they are in.
        has_masks: Whether some steps of an output do not count, which ``run`` does not tell.
        run_array: Computes the only output from the only input, arrays that are not empty and have no gaps; None where
            they cannot be computed so.
        has_work_between: Whether torch has something to compute between products, such as activations of other names.
    """

    def __init__(self, model: Container, for_training: bool, in_bf16: bool = False) -> None:
        lowering = Lowering(for_training)
        inputs = [lowering.input() for _ in model.inputs]
        outputs, masks = lowering.graph(model, inputs)
        self.has_masks = any(mask is not None for mask in masks)
        join = joined_for_training if for_training else joined_for_prediction
        self.operations = join(lowering.operations, outputs)
        if for_training and not in_bf16:
            self.operations = chained(self.operations, outputs)
        self.called = lowering.called
        self._size = 1 + max([ref.number for ref in inputs] + [operation.number for operation in self.operations])
        self._outputs = outputs
        self._facts = [
            (vars(layer), name, vars(layer).get(name)) for layer, names in lowering.watched for name in names
        ]
        self._hooks = [hooks for layer, _ in lowering.watched for hooks in hooks_of(layer)]
        self._seen = -1, -1
        library = None if for_training or in_bf16 else kernels()
        recur: Callable[..., Any] = partial(RecurKernel, library)
        makers: _Makers = training.KERNELS if for_training else {**prediction.KERNELS, Recur: recur}
        units = _units(self.operations, outputs, library, makers, in_bf16)
        self._steps = _steps(units, outputs)
        kept = [made for unit in units for made in unit.products]
        weights = [source for operation in self.operations for source in operation.sources()]
        self._with_weights = [] if for_training else kept
        # All that is computed, if that can be done from array to array.
        self.run_array: Callable[[NDArray[Any]], NDArray[Any]] | None = None
        is_only = len(units) == 1 and len(outputs) == 1 and outputs[0].number == self.operations[-1].number
        only = units[0].function if is_only else None
        if isinstance(only, NativeSegment):
            self.run_array = only.array_function(outputs[0])
        self._parts: list[Part] = []
        if for_training and not in_bf16 and len(outputs) == 1:
            made = zip(units, self.operations, self._steps, strict=True)
            self._parts = [Part(unit.function, operation, done) for unit, operation, (*_, done) in made]
        self._direct: DirectNetwork | None = None
        self._products = [unit.function for unit in units if isinstance(unit.function, Chained)]
        self._has_others = not all(map(_is_cheap, self.operations))
        self.has_work_between = not all(isinstance(one, Affine) or _is_cheap(one) for one in self.operations)
        self._stamps = Stamps(weights if kept else [])

    def is_current(self) -> bool:
        """Whether the layers are still as they were when the program was made; their weights need not be."""
        seen = changes_of_layers()
        if seen != self._seen:
            if any(kept.get(name) is not value for kept, name, value in self._facts) or any(self._hooks):
                return False
            self._seen = seen
        return True

    def refresh(self) -> None:
        """Reads the weights anew, if they have changed."""
        if self._with_weights and self._stamps.have_changed():
            for kept in self._with_weights:
                kept.refresh()

    def is_native(self, rows: int) -> bool:
        """Whether it is for training, and the kernels in C++ compute all that takes long.

        Args:
            rows: The rows of a batch.
        """
        return bool(self._products) and not self._has_others and all(one.suits(rows) for one in self._products)

    def direct(self, parameters: Sequence[Tensor]) -> DirectNetwork | None:
        """Returns what computes the only output and the gradients of some weights without torch's record of it.

        Args:
            parameters: The weights.

        Returns:
            That, for inputs that it takes; None where it would take none.
        """
        if self._parts and (self._direct is None or not self._direct.is_for(parameters)):
            self._direct = DirectNetwork(self._parts, self._outputs[0], parameters)
        return self._direct

    def run_recorded(self, inputs: Sequence[Tensor]) -> list[Any]:
        """Computes the outputs by torch's record, watched by what ``direct`` has returned if it has to; see ``run``."""
        direct = self._direct
        return self.run(inputs) if direct is None or direct.knows(inputs) else [direct.watched(inputs)]

    def run(self, inputs: Sequence[Tensor]) -> list[Any]:
        """Computes the outputs.

        Args:
            inputs: A tensor for each input.
        """
        values: list[Any] = [*inputs, *(None for _ in range(self._size - len(inputs)))]
        for function, taken, made, done in self._steps:
            results = function(*[values[i] for i in taken])
            if isinstance(made, int):
                values[made] = results
            else:
                for i, result in zip(made, results, strict=True):
                    values[i] = result
            for i in done:
                values[i] = None
        return [full(applied(ref.views, values[ref.number])) for ref in self._outputs]


def _is_cheap(operation: Operation) -> bool:
    """Whether the kernels compute an operation as they do a chain, or it takes no time beside one."""
    return isinstance(operation, Chain | Drop | Normalize) or (isinstance(operation, Apply) and operation.name != "")


_Made = int | tuple[int, ...]


class _Unit(NamedTuple):
    """A function, what it takes, and the number of what it makes; several numbers, if it returns a list.

    ``products`` are those behind it that have read weights.
    """

    function: Callable[..., Any]
    inputs: Sequence[Ref]
    made: _Made
    products: list[Product | NativeSegment]


_Makers = Mapping[type, Callable[..., Any]]
_Step = tuple[Callable[..., Any], tuple[int, ...], _Made, tuple[int, ...]]
"""A function, the numbers of what it takes and makes, and the numbers of what nobody needs after it."""


def _units(
    operations: Sequence[Operation], outputs: Sequence[Ref], library: Library | None, makers: _Makers, in_bf16: bool
) -> list[_Unit]:
    units: list[_Unit] = []
    for item in operations if library is None else segmented(operations, outputs):
        if isinstance(item, Operation):
            made = _kernel(item, makers)
            function = with_low_products(item, made) if in_bf16 else made
            units.append(_Unit(function, item.inputs, item.number, [made] if isinstance(made, Product) else []))
        else:
            assert library is not None
            segment = NativeSegment(library, item, [_kernel(operation, makers) for operation in item.operations])
            units.append(_Unit(segment, item.entries, item.exits, [segment]))
    return units


def _kernel(operation: Operation, makers: _Makers) -> Callable[..., Any]:
    make = makers.get(type(operation))
    return operation.kernel() if make is None else make(operation)


def _steps(units: Sequence[_Unit], outputs: Sequence[Ref]) -> list[_Step]:
    last = {ref.number: i for i, unit in enumerate(units) for ref in unit.inputs}
    kept = {ref.number for ref in outputs}
    steps = []
    for i, (function, inputs, made, _) in enumerate(units):
        numbers = tuple(ref.number for ref in inputs)
        done = tuple(n for n in dict.fromkeys(numbers) if last[n] == i and n not in kept)
        steps.append((_viewing(function, inputs), numbers, made, done))
    return steps


def _viewing(function: Callable[..., Any], refs: Sequence[Ref]) -> Callable[..., Any]:
    """Returns a function that looks at what it takes through views."""
    if not any(ref.views for ref in refs):
        return function
    if len(refs) == 1 and len(refs[0].views) == 1:
        view = refs[0].views[0]
        return lambda x: function(view(x))
    views = [ref.views for ref in refs]
    return lambda *x: function(*[applied(seen, value) for seen, value in zip(views, x, strict=True)])


def program_for(model: Container, training: bool, in_bf16: bool = False) -> Program | None:
    """Returns a model's program, with the weights that the model has now.

    Args:
        model: The model.
        training: Whether it is for training, else for prediction.
        in_bf16: Whether its products are of bfloat16.

    Returns:
        The program; None where the model has to be run layer by layer.
    """
    if recorded() is not None or "run" in vars(model) or type(model).run is not Container.run:
        return None
    kept = model.graph.plan.kept
    key = (Program, training, in_bf16)
    program: Program | None = kept.get(key)
    if program is None and key in kept:
        return None
    if program is None or not program.is_current():
        try:
            program = Program(model, training, in_bf16)
        except NoProgramError:
            program = None
        kept[key] = program
    else:
        program.refresh()
    return program
