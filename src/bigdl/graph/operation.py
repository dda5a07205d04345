"""A function of torch tensors as a layer: what computing with tensors of a graph leaves in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import trials
from bigdl.graph.layer import Layer
from bigdl.graph.phase import learning_phase
from bigdl.graph.tensor import MaskKind, Shape, Shapes, SymbolicTensor, as_list


class Operation(Layer):
    """A function applied to tensors of a graph and other arguments.

    Args:
        function: The function of torch tensors.
        args: Its arguments; tensors of the graph may also be in lists, tuples and dicts.
        kwargs: Its arguments by name.
        shapes: The shape of each result; found by trying where they are not given.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None = None,
        shapes: list[Shape] | None = None,
    ) -> None:
        super().__init__()
        self.function = function
        self.arguments = (args, dict(kwargs or {}))
        self.operands = symbolic_tensors(self.arguments)
        self.result_shapes = shapes
        self.result_dtype = "float32"

    def forward(self, x: Any) -> Any:
        """Applies the function, the operands being given."""
        args, kwargs = replaced(self.arguments, dict(zip(self.operands, as_list(x), strict=True)))
        with learning_phase(bool(self.training)):
            made = self.function(*args, **kwargs)
        if not isinstance(made, list | tuple):
            return made
        return made[0] if len(made) == 1 else list(made)

    def mask_kind(self, kinds: list[MaskKind | None]) -> MaskKind | None:
        """Returns None: as in Keras, masks are lost."""
        return None

    def get_output_shape_for(self, input_shape: Shapes) -> Any:
        """Returns the shape(s) of what the function gives.

        Raises:
            LayerError: It cannot be applied to such tensors.
        """
        if self.result_shapes is not None:
            return self.result_shapes
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        first, second = (self._tried(shapes, batch, length) for batch, length in trials.LENGTHS)
        self.result_dtype = str(first[0].dtype).removeprefix("torch.")
        joined = [
            tuple(n if n == m else None for n, m in zip(a.shape, b.shape, strict=True))
            for a, b in zip(first, second, strict=True)
        ]
        return joined if len(joined) > 1 else joined[0]

    def output_dtype(self, inputs: list[SymbolicTensor]) -> str:
        """Returns Keras's name of the result's dtype."""
        return self.result_dtype

    def _tried(self, shapes: list[Shape], batch: int, length: int) -> list[Tensor]:
        sizes = [[(length if i else batch) if n is None else n for i, n in enumerate(shape)] for shape in shapes]
        problem: Exception | None = None
        for device in trials.devices_for(sizes):
            inputs = [
                torch.zeros(size, dtype=getattr(torch, tensor.dtype), device=device)
                for size, tensor in zip(sizes, self.operands, strict=True)
            ]
            try:
                with torch.no_grad(), torch.random.fork_rng(devices=[]):
                    made = self.forward(inputs if len(inputs) > 1 else inputs[0])
                return [torch.as_tensor(item) for item in as_list(made)]
            except Exception as error:  # whatever the function raises
                problem = error
        name = getattr(self.function, "__name__", "The function")
        raise LayerError(f"{name} cannot be applied to tensors of the shapes {shapes}: {problem}.") from problem

    def get_config(self) -> dict[str, Any]:
        """Refuses: no file holds operations.

        Raises:
            LayerError: Always.
        """
        name = getattr(self.function, "__name__", "a function")
        raise LayerError(
            f"The model computes with {name} between its layers, which no file can hold. Keras 1.2.2 refuses such a "
            "model when it is made. Put it into a Lambda layer."
        )


def symbolic_tensors(value: Any) -> list[SymbolicTensor]:
    """Returns the tensors of a graph among arguments, each once, also of lists, tuples and dicts."""
    found: dict[SymbolicTensor, None] = {}
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, SymbolicTensor):
            found[item] = None
        elif isinstance(item, list | tuple):
            stack.extend(reversed(item))
        elif isinstance(item, dict):
            stack.extend(reversed(list(item.values())))
    return list(found)


def replaced(value: Any, values: Mapping[SymbolicTensor, Any]) -> Any:
    """Returns arguments with values in the place of tensors of a graph."""
    if isinstance(value, SymbolicTensor):
        return values[value]
    if isinstance(value, list | tuple):
        return type(value)(replaced(item, values) for item in value)
    if isinstance(value, dict):
        return {key: replaced(item, values) for key, item in value.items()}
    return value
