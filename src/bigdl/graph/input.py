"""Where data enters a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.errors import LayerError
from bigdl.graph.layer import Layer
from bigdl.graph.names import unique_name
from bigdl.graph.tensor import SymbolicTensor


class InputLayer(Layer):
    """An entry of a graph; it computes nothing.

    Restrictions:
        ``sparse`` is kept for the configuration; data is dense.

    Args:
        input_shape: The shape of one sample.
        batch_input_shape: The same with the batch axis first; give one of the two.
        input_dtype: ``"float32"`` by default.
        sparse: Kept for the configuration; data is dense here.
        name: ``input_N`` by default.

    Raises:
        LayerError: No shape was given.
    """

    def __init__(
        self,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        input_dtype: str | None = None,
        sparse: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            name=name or unique_name("input"),
            input_shape=input_shape,
            batch_input_shape=batch_input_shape,
            input_dtype=input_dtype or "float32",
            **kwargs,
        )
        if self.batch_input_shape is None:
            raise LayerError(f"Layer {self.name!r} (InputLayer) needs input_shape or batch_input_shape.")
        self.sparse = sparse
        self.trainable = False
        self.built = True
        assert self.input_dtype is not None
        self.add_node([], [self.batch_input_shape], self.input_dtype, [None])

    @property
    def output(self) -> SymbolicTensor:
        """The tensor that stands for the data."""
        return self.inbound_nodes[0].outputs[0]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            "batch_input_shape": self.batch_input_shape,
            "input_dtype": self.input_dtype,
            "sparse": self.sparse,
            "name": self.name,
        }


def Input(  # noqa: N802 - Keras's name
    shape: Sequence[int | None] | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    dtype: str | None = None,
    sparse: bool = False,
) -> SymbolicTensor:
    """Returns the symbolic tensor that starts a functional model.

    Args:
        shape: The shape of one sample.
        batch_shape: The same with the batch axis first; give one of the two.
        name: The input layer's name; ``input_N`` by default.
        dtype: ``"float32"`` by default.
        sparse: Kept for the configuration; data is dense here.

    Raises:
        LayerError: No shape was given.
    """
    return InputLayer(
        input_shape=shape, batch_input_shape=batch_shape, input_dtype=dtype, sparse=sparse, name=name
    ).output
