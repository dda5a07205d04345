"""A model as an ONNX graph while it is written: constants, states, and tensors whose axes may lie in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bigdl.export.onnx.nodes import Nodes
from bigdl.graph import Shape
from bigdl.layers.recurrent.states import StatefulLayer

Array = NDArray[Any]
Lengths = Sequence[int | tuple[str, int]]
"""Lengths of axes as numbers, -1 for one that follows from the others, or as a tensor and the axis that has it."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of a model in the graph.

    Channels-last images are kept as ONNX's operators make them, channels first, until a layer needs Keras's order.

    Attributes:
        name: Its name in the graph.
        shape: Its shape in Keras's order, batch axis first; None where the length is open.
        axes: Which axis of Keras lies at each place of the tensor in the graph.
        dtype: Keras's name of its dtype; ``"float32"`` stands for the dtype of the model's numbers.
    """

    name: str
    shape: Shape
    axes: tuple[int, ...]
    dtype: str = "float32"

    @classmethod
    def plain(cls, name: str, shape: Shape, dtype: str = "float32") -> Value:
        """A tensor whose axes lie as in Keras."""
        return cls(name, shape, tuple(range(len(shape))), dtype)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def place(self, axis: int) -> int:
        """Returns where an axis of Keras lies."""
        return self.axes.index(axis % self.rank)

    def named(self, name: str) -> Value:
        """Returns another tensor of this shape and order."""
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class _State:
    """A state of a stateful layer.

    Attributes:
        last: The tensor that it is after the last call; an input before the first.
        result: The name of the output that it will be.
        shape: Its shape.
    """

    last: str
    result: str
    shape: Shape


@dataclass
class Graph(Nodes):
    """Nodes and constants; the body of a loop sees the constants of the graph around it.

    Attributes:
        dtype: The dtype of the model's numbers.
        constants: The constants by name.
        functions: Functions of the model that nodes may be calls of, in ONNX's own form.
    """

    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype("float32"))
    constants: dict[str, Array] = field(default_factory=dict)
    functions: list[Any] = field(default_factory=list)
    _transposed: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)
    _states: dict[tuple[StatefulLayer, int], _State] = field(default_factory=dict)

    def inner(self) -> Graph:
        """Returns the graph of a loop's body, which shares constants and names with this one."""
        return Graph(
            dtype=self.dtype, constants=self.constants, functions=self.functions, _scope=self._scope, _used=self._used
        )

    def function(self, function: Any) -> str:
        """Adds a function of the model and returns its name."""
        self.functions.append(function)
        return str(function.name)

    def kind(self, value: Value) -> np.dtype[Any]:
        """Returns the dtype of a tensor."""
        return self.dtype if value.dtype == "float32" else np.dtype(value.dtype)

    def finish(self, outputs: Sequence[tuple[str, Value]]) -> None:
        """Settles the outputs and drops the nodes that none of them needs.

        Args:
            outputs: The outputs with their names; the last states follow.
        """
        made = [(name, self.ordered(value), self.kind(value), value.shape) for name, value in outputs]
        made += [(state.result, state.last, self.dtype, state.shape) for state in self._states.values()]
        renamed: dict[str, str] = {}
        for name, source, dtype, shape in made:
            renamed[source] = self.rename(renamed.get(source, source), name)
            self.output(renamed[source], dtype, shape)
        self.drop_unused()

    # States.

    def state(self, layer: StatefulLayer, number: int) -> str:
        """Returns a state of a stateful layer as it is when the layer is called."""
        key = layer, number
        if key not in self._states:
            shape = tuple(layer.states[number].shape)
            name = self.input(f"state_{number}", self.dtype, shape)
            self._states[key] = _State(name, name.replace(f"state_{number}", f"next_state_{number}"), shape)
        return self._states[key].last

    def keep(self, layer: StatefulLayer, number: int, name: str) -> None:
        """Notes a state as the layer leaves it."""
        self._states[layer, number] = replace(self._states[layer, number], last=name)

    # Constants.

    def weight(self, name: str, array: Tensor | Array) -> str:
        """Adds a layer's constant, once for all calls of the layer.

        Args:
            name: Its name below the layer's.
            array: Its values.
        """
        full = ".".join(("/".join(self._scope), name))
        if full not in self.constants:
            values = array.detach().cpu().numpy() if isinstance(array, Tensor) else array
            self.constants[full] = np.ascontiguousarray(values).reshape(values.shape)
        return full

    def whole(self, *numbers: int) -> str:
        """Adds a constant of whole numbers on one axis: a shape, axes, lengths."""
        return self._constant("numbers", numbers, np.int64)

    def decimal(self, *numbers: float) -> str:
        """Adds a constant of float32 numbers on one axis."""
        return self._constant("decimals", numbers, np.float32)

    def index(self, number: int) -> str:
        """Adds a whole number without an axis."""
        return self.number(number, np.int64)

    def number(self, value: float, dtype: Any = None) -> str:
        """Adds a single number of the model's dtype, or another one."""
        kind = np.dtype(dtype or self.dtype)
        self.constants[f"{kind.name}_{value}"] = np.array(value, kind)
        return f"{kind.name}_{value}"

    def _constant(self, kind: str, numbers: Sequence[float], dtype: Any) -> str:
        name = f"{kind}_" + ("_".join(map(str, numbers)) or "none")
        self.constants[name] = np.array(numbers, dtype)
        return name

    # Order of axes, and shapes.

    def ordered(self, value: Value, axes: Sequence[int] | None = None) -> str:
        """Returns the name of a tensor with its axes in an order, Keras's by default; it is turned if need be."""
        wanted = tuple(range(value.rank)) if axes is None else tuple(axes)
        if wanted == value.axes:
            return value.name
        perm = tuple(value.axes.index(axis) for axis in wanted)
        key = (value.name, perm)
        if key not in self._transposed:
            self._transposed[key] = made = self.add("Transpose", value.name, perm=list(perm))
            back = tuple(perm.index(i) for i in range(len(perm)))
            self._transposed[made, back] = value.name
        return self._transposed[key]

    def plain(self, value: Value) -> Value:
        """Returns a tensor in Keras's order."""
        return self.turned(value, range(value.rank))

    def turned(self, value: Value, axes: Sequence[int]) -> Value:
        """Returns a tensor with its axes in an order."""
        return replace(value, name=self.ordered(value, axes), axes=tuple(axes))

    def reshaped(self, name: str, shape: Shape, lengths: Lengths) -> Value:
        """Reshapes a tensor that lies in Keras's order.

        Args:
            name: The tensor.
            shape: Its new shape, as Keras knows it.
            lengths: Its new lengths.
        """
        if sum(length == -1 or not isinstance(length, int) for length in lengths) == 1:
            lengths = [length if isinstance(length, int) else -1 for length in lengths]
        numbers = [length for length in lengths if isinstance(length, int)]
        if len(numbers) == len(lengths):
            return Value.plain(self.add("Reshape", name, self.whole(*numbers)), shape)
        parts = [
            self.whole(length)
            if isinstance(length, int)
            else self.add("Shape", length[0], start=length[1], end=length[1] + 1)
            for length in lengths
        ]
        return Value.plain(self.add("Reshape", name, self.add("Concat", *parts, axis=0)), shape)

    def lengths(self, value: Value) -> Lengths:
        """Returns the lengths of a tensor in Keras's order, open ones to be asked of it."""
        name = self.ordered(value)
        return [(name, axis) if n is None else n for axis, n in enumerate(value.shape)]
