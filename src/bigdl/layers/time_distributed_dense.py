"""The dense product of every step of a sequence, a layer of its own in Keras 1."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.graph import Shape
from bigdl.layers.affine import AffineLayer
from bigdl.layers.layouts import MATRIX
from bigdl.registry import layer


@layer()
class TimeDistributedDense(AffineLayer):
    """``activation(x W + b)`` for each step of ``(batch, time, input_dim)``.

    Args:
        output_dim: The length of the output's steps.
        init: The initialization of W ``(input_dim, output_dim)``.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``.
        input_dim: The length of each step, for a first layer.
        input_length: The number of steps, for a first layer.
        kwargs: See ``AffineLayer``.
    """

    input_ndim = (3,)
    supports_masking = True

    def __init__(
        self,
        output_dim: int,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        *,
        input_dim: int | None = None,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        if input_dim:
            kwargs["input_shape"] = (input_length, int(input_dim))
        super().__init__(init=init, activation=activation, weights=weights, **kwargs)
        self.output_dim = int(output_dim)
        self.input_dim = input_dim
        self.input_length = input_length

    def build(self, input_shape: Shape) -> None:
        """Creates W and b.

        Raises:
            LayerError: The length of the steps is not known.
        """
        if input_shape[2] is None:
            raise LayerError(
                f"Layer {self.name!r} (TimeDistributedDense): the length of each step must be known. "
                f"Received: shape {input_shape}."
            )
        self.add_kernel((input_shape[2], self.output_dim), MATRIX)
        self.add_bias((self.output_dim,))

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(batch, time, input_dim)`` to ``(batch, time, output_dim)``."""
        return self.activation(F.linear(x, self.weight, self.bias))

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The steps have not the length that the layer was built for.
        """
        if input_shape[2] != self.weight.shape[1]:
            raise LayerError(
                f"Layer {self.name!r} (TimeDistributedDense) was built for steps of length {self.weight.shape[1]}. "
                f"Received: shape {input_shape}."
            )
        return (*input_shape[:2], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
            "input_dim": self.input_dim,
            "input_length": self.input_length,
        }
