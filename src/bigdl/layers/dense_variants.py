"""Dense layers with a twist: the maximum of several, or gated by a second one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.graph import Layout, Shape
from bigdl.layers import initializations
from bigdl.layers.affine import AffineLayer, with_input_dim
from bigdl.layers.layouts import MATRIX
from bigdl.registry import layer


def _transpose_each(x: Tensor) -> Tensor:
    return x.transpose(1, 2)


MATRICES = Layout(_transpose_each, _transpose_each)
"""Keras ``(n, in, out)``, torch ``(n, out, in)``."""


@layer()
class MaxoutDense(AffineLayer):
    """The largest of several affine maps (Goodfellow et al. 2013).

    Args:
        output_dim: The length of the output.
        nb_feature: The number of maps.
        init: The initialization of W ``(nb_feature, input_dim, output_dim)``.
        weights: Initial values ``[W, b]``.
        input_dim: The length of the input, for a first layer.
        kwargs: See ``AffineLayer``; there is no activation.
    """

    input_ndim = (2,)

    def __init__(
        self,
        output_dim: int,
        nb_feature: int = 4,
        init: Any = "glorot_uniform",
        weights: Any = None,
        *,
        input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(init=init, weights=weights, **with_input_dim(input_dim, kwargs))
        self.output_dim = int(output_dim)
        self.nb_feature = int(nb_feature)
        self.input_dim = input_dim

    def build(self, input_shape: Shape) -> None:
        """Creates W and b."""
        self.add_kernel((self.nb_feature, self.known_length(input_shape), self.output_dim), MATRICES)
        self.add_bias((self.nb_feature, self.output_dim))

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(batch, input_dim)`` to ``(batch, output_dim)``."""
        bias = None if self.bias is None else self.bias.flatten()
        maps = F.linear(x, self.weight.flatten(0, 1), bias)
        return maps.view(-1, self.nb_feature, self.output_dim).amax(dim=1)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        return (input_shape[0], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        config = super().get_config()
        del config["activation"]
        return {**config, "output_dim": self.output_dim, "nb_feature": self.nb_feature, "input_dim": self.input_dim}


@layer()
class Highway(AffineLayer):
    """A dense layer that lets part of its input through (Srivastava et al. 2015).

    ``t activation(x W + b) + (1 - t) x`` with the gate ``t = sigmoid(x W_carry + b_carry)``, which is open at first:
    ``b_carry`` starts at 1.

    Args:
        init: The initialization of W and W_carry, both ``(input_dim, input_dim)``.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, W_carry, b, b_carry]``.
        input_dim: The length of the input, for a first layer.
        transform_bias: Ignored, as in Keras 1.2.2.
        kwargs: See ``AffineLayer``; penalties and constraints are those of W and b.
    """

    input_ndim = (2,)
    carry_weight: Tensor
    carry_bias: Tensor

    def __init__(
        self,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        *,
        input_dim: int | None = None,
        transform_bias: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(init=init, activation=activation, weights=weights, **with_input_dim(input_dim, kwargs))
        self.input_dim = input_dim

    def build(self, input_shape: Shape) -> None:
        """Creates the weights."""
        size = self.known_length(input_shape)
        self.add_kernel((size, size), MATRIX)
        self.add_weight(
            "W_carry", (size, size), initializations.get(self.init), attribute="carry_weight", layout=MATRIX
        )
        self.add_bias((size,))
        if self.use_bias:
            self.add_weight("b_carry", (size,), initializations.one, attribute="carry_bias")

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(batch, input_dim)`` to the same shape."""
        gate = torch.sigmoid(F.linear(x, self.carry_weight, self.carry_bias if self.use_bias else None))
        return gate * self.activation(F.linear(x, self.weight, self.bias)) + (1 - gate) * x

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "input_dim": self.input_dim}
