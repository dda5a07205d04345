"""Keras 1.2.2's backend functions on whole graphs: ``placeholder``, ``function``, ``gradients``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bigdl.errors import LayerError
from bigdl.graph import Input, Node, Shape, SymbolicTensor
from bigdl.graph.operation import Operation
from bigdl.graph.plan import Plan
from bigdl.layers.backend import control
from bigdl.layers.backend.variables import set_value
from bigdl.training.inference import in_mode


def placeholder(
    shape: Shape | None = None,
    ndim: int | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    name: str | None = None,
) -> SymbolicTensor:
    """Returns a tensor of a graph that stands for data.

    Args:
        shape: Its shape, batch axis first.
        ndim: Its rank, where no shape is given.
        dtype: ``"float32"`` by default.
        sparse: Kept for Keras's signature; data is dense here.
        name: The name of its input layer.

    Raises:
        LayerError: Neither shape nor rank is given.
    """
    if shape is None and ndim is None:
        raise LayerError("placeholder needs a shape or ndim.")
    return Input(batch_shape=shape or (None,) * (ndim or 0), dtype=dtype, name=name)


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Returns the gradients of a tensor, of torch or of a graph.

    Args:
        loss: The tensor; the sum of its values where there are several.
        variables: A tensor that it is computed from, or a list of them.

    Returns:
        A list of a tensor for each, also for a single one, as Keras on TensorFlow.
    """
    given = list(variables) if isinstance(variables, list | tuple) else [variables]
    if not isinstance(loss, SymbolicTensor):
        return list(control.gradients(loss, given))
    for variable in given:
        if isinstance(variable, Tensor) and variable.is_leaf:
            variable.requires_grad_()
    made = Operation(control.gradients, (loss, given), shapes=[tuple(variable.shape) for variable in given])
    found = made(made.operands if len(made.operands) > 1 else made.operands[0])
    return found if isinstance(found, list) else [found]


def function(
    inputs: Sequence[Any], outputs: Sequence[SymbolicTensor], updates: Sequence[Any] = (), **kwargs: Any
) -> Function:
    """Returns a function of arrays that computes tensors of a graph.

    Args:
        inputs: The tensors that are given; ``K.learning_phase()`` among them stands for 1 in training, 0 in testing.
        outputs: The tensors that are wanted.
        updates: Pairs ``(variable, new value)`` to write after each call.
        kwargs: Without effect; Keras hands them to Theano.

    Raises:
        LayerError: An output cannot be computed from the inputs.
    """
    return Function(inputs, outputs, updates)


class Function:
    """Computes tensors of a graph from arrays; see ``function``."""

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[SymbolicTensor], updates: Sequence[Any] = ()) -> None:
        for name, value in (("inputs", inputs), ("outputs", outputs), ("updates", updates)):
            if not isinstance(value, list | tuple):
                raise LayerError(f"function needs {name} as a list. Received: {value!r}.")
        self._inputs = list(inputs)
        self._updates = [update for update in updates if isinstance(update, tuple)]
        given = [tensor for tensor in self._inputs if isinstance(tensor, SymbolicTensor)]
        wanted = [*outputs, *(new for _, new in self._updates)]
        symbolic = [tensor for tensor in wanted if isinstance(tensor, SymbolicTensor)]
        nodes = _nodes_between(given, symbolic)
        self._given = given
        self._wanted = wanted
        self._count = len(outputs)
        self._symbolic = symbolic
        self._plan = Plan(given, symbolic, nodes)
        self._layers = nn.ModuleList({node.layer: None for node in nodes})
        self._needs_gradients = any(_is_gradient(node.layer) for node in nodes)

    def __call__(self, inputs: Sequence[Any]) -> list[NDArray[Any]]:
        """Computes the outputs.

        Args:
            inputs: An array for each input, and a number where the learning phase is one.

        Returns:
            An array for each output.

        Raises:
            LayerError: There are more or fewer arrays than inputs.
        """
        if len(inputs) != len(self._inputs):
            raise LayerError(f"The function takes {len(self._inputs)} inputs. Received: {len(inputs)}.")
        training = False
        tensors: list[Tensor] = []
        for tensor, value in zip(self._inputs, inputs, strict=True):
            if isinstance(tensor, SymbolicTensor):
                tensors.append(self._tensor(tensor, value))
            else:
                training = bool(value)
        with in_mode(self._layers, training), torch.set_grad_enabled(self._needs_gradients):
            made, _ = self._plan.run(tensors, [None] * len(tensors), applied=False)
        computed = dict(zip(self._symbolic, made, strict=True))
        values = [computed[tensor] if isinstance(tensor, SymbolicTensor) else tensor for tensor in self._wanted]
        arrays = [torch.as_tensor(value).detach().cpu().numpy() for value in values]
        for (variable, _), array in zip(self._updates, arrays[self._count :], strict=True):
            set_value(variable, array)
        return arrays[: self._count]

    def _tensor(self, tensor: SymbolicTensor, value: Any) -> Tensor:
        made = torch.as_tensor(np.asarray(value)).to(getattr(torch, tensor.dtype))
        return made.requires_grad_() if self._needs_gradients and made.is_floating_point() else made


def _is_gradient(layer: Any) -> bool:
    return isinstance(layer, Operation) and layer.function is control.gradients


def _nodes_between(inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor]) -> list[Node]:
    """Returns the calls that lead from the inputs to the outputs, each after those it depends on."""
    given = set(inputs)
    ordered: dict[Node, None] = {}
    stack: list[tuple[Node, bool]] = [(tensor.node, False) for tensor in reversed(outputs) if tensor not in given]
    while stack:
        node, is_ready = stack.pop()
        if node in ordered:
            continue
        if is_ready:
            ordered[node] = None
            continue
        stack.append((node, True))
        stack.extend((tensor.node, False) for tensor in reversed(node.inputs) if tensor not in given)
    return list(ordered)
