"""What a model tells of its inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bigdl.graph.tensor import SymbolicTensor

if TYPE_CHECKING:
    from bigdl.graph.layer import Layer


class Ports:
    """The attributes by which Keras 1.2.2's models tell of their inputs and outputs.

    Attributes:
        inputs: The tensors that the model takes.
        outputs: The tensors that it computes.
    """

    inputs: list[SymbolicTensor]
    outputs: list[SymbolicTensor]

    @property
    def input_layers(self) -> list[Layer]:
        """The layer of each input."""
        return [tensor.layer for tensor in self.inputs]

    @property
    def input_layers_node_indices(self) -> list[int]:
        """Which call of its layer each input is of."""
        return [tensor.node_index for tensor in self.inputs]

    @property
    def input_layers_tensor_indices(self) -> list[int]:
        """Which output of that call each input is."""
        return [tensor.tensor_index for tensor in self.inputs]

    @property
    def output_layers(self) -> list[Layer]:
        """The layer of each output."""
        return [tensor.layer for tensor in self.outputs]

    @property
    def output_layers_node_indices(self) -> list[int]:
        """Which call of its layer each output is of."""
        return [tensor.node_index for tensor in self.outputs]

    @property
    def output_layers_tensor_indices(self) -> list[int]:
        """Which output of that call each output is."""
        return [tensor.tensor_index for tensor in self.outputs]

    @property
    def input_names(self) -> list[str]:
        """The name of each input's layer."""
        return [tensor.layer.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The name of each output's layer."""
        return [tensor.layer.name for tensor in self.outputs]

    @property
    def input_shape(self) -> Any:
        """The shape of the input, batch axis first; a list where there are several."""
        return _single([tensor.shape for tensor in self.inputs])

    @property
    def output_shape(self) -> Any:
        """The shape of the output, batch axis first; a list where there are several."""
        return _single([tensor.shape for tensor in self.outputs])


def _single(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items
