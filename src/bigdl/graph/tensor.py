"""What a graph is made of before any data flows: symbolic tensors and the calls (nodes) that made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from bigdl.graph.arithmetic import Arithmetic
from bigdl.graph.user_functions import Lengths

if TYPE_CHECKING:
    from bigdl.graph.layer import Layer

T = TypeVar("T")

Shape = tuple[int | None, ...]
"""A shape with the batch axis first; None where the size is not fixed."""

Shapes = Shape | list[Shape]
"""The shape of a layer's input: a list where the layer takes several tensors."""

MaskKind = Literal["bool", "uint8"]
"""Keras on TensorFlow has masks of two types (Embedding's, Masking's) and refuses to mix them."""


@dataclass(eq=False, slots=True)
class SymbolicTensor(Arithmetic):
    """A tensor of a graph under construction (Keras's "Keras tensor").

    Torch's functions and operators work on it; see ``Arithmetic``.

    Attributes:
        shape: Its shape, batch axis first.
        dtype: Keras's name of its dtype, e.g. ``"float32"``.
        mask: The type of the mask that travels with it, None without one.
        layer: The layer that made it, with the index of the call and of the output.
    """

    shape: Shape
    dtype: str
    mask: MaskKind | None
    layer: Layer
    node_index: int
    tensor_index: int

    @property
    def node(self) -> Node:
        """The call that made this tensor."""
        return self.layer.inbound_nodes[self.node_index]

    @property
    def source(self) -> SymbolicTensor:
        """This tensor, or the one behind it that layers such as ``Activation("linear")`` have returned as it was.

        For Keras on TensorFlow both are one tensor, and a model's input goes by the name of the last such layer.
        """
        tensor = self
        while tensor.layer.returns_input:
            tensor = tensor.node.inputs[0]
        return tensor

    @property
    def _keras_shape(self) -> Shape:
        """Keras's name of the shape."""
        return self.shape

    @property
    def _keras_history(self) -> tuple[Layer, int, int]:
        """Keras's name of where the tensor comes from."""
        return self.layer, self.node_index, self.tensor_index

    @property
    def ndim(self) -> int:
        """The rank, batch axis included."""
        return len(self.shape)

    def dim(self) -> int:
        """Returns the rank, batch axis included."""
        return len(self.shape)

    def get_shape(self) -> Lengths:
        """Returns the shape; TensorFlow's name."""
        return Lengths(self.shape)

    def __repr__(self) -> str:
        where = f"{self.layer.name}[{self.node_index}][{self.tensor_index}]"
        return f"SymbolicTensor({where}, shape={self.shape}, dtype={self.dtype})"


@dataclass(eq=False, slots=True, weakref_slot=True)
class Node:
    """One call of a layer: the tensors it was applied to and those it made.

    The properties are Keras 1.2.2's names of these, and what they tell.

    Attributes:
        layer: The layer.
        inputs: What it was applied to; nothing for an entry of the graph and for a model's own graph.
        outputs: What it made.
        unmasked: The numbers of the inputs that a ``Merge`` has straight from a model's own graph. Keras's models have
            no mask there, whatever the layers inside have, until their graph is applied to other tensors.
    """

    layer: Layer
    inputs: list[SymbolicTensor]
    outputs: list[SymbolicTensor] = field(default_factory=list)
    unmasked: frozenset[int] = frozenset()

    @property
    def outbound_layer(self) -> Layer:
        """The layer."""
        return self.layer

    @property
    def inbound_layers(self) -> list[Layer]:
        """The layers that made the inputs."""
        return [tensor.layer for tensor in self.inputs]

    @property
    def node_indices(self) -> list[int]:
        """For each input, which call of its layer made it."""
        return [tensor.node_index for tensor in self.inputs]

    @property
    def tensor_indices(self) -> list[int]:
        """For each input, which output of that call it is."""
        return [tensor.tensor_index for tensor in self.inputs]

    @property
    def input_tensors(self) -> list[SymbolicTensor]:
        """The inputs; of a model's own graph the model's, of an entry of the graph what it gives."""
        return self.inputs or list(getattr(self.layer, "inputs", self.outputs))

    @property
    def output_tensors(self) -> list[SymbolicTensor]:
        """The outputs."""
        return self.outputs

    @property
    def input_shapes(self) -> list[Shape]:
        """The shape of each input."""
        return [tensor.shape for tensor in self.input_tensors]

    @property
    def output_shapes(self) -> list[Shape]:
        """The shape of each output."""
        return [tensor.shape for tensor in self.outputs]

    @property
    def input_masks(self) -> list[MaskKind | None]:
        """The type of each input's mask."""
        return [tensor.mask for tensor in self.input_tensors]

    @property
    def output_masks(self) -> list[MaskKind | None]:
        """The type of each output's mask."""
        return [tensor.mask for tensor in self.outputs]


def as_list(x: T | Sequence[T]) -> list[T]:
    """Wraps a single thing in a list; a list or tuple becomes a list."""
    if isinstance(x, list | tuple):
        return list(x)
    return [cast(T, x)]
