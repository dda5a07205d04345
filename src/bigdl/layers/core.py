"""Keras 1.2.2's core layers: dense products, activations and changes of shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.graph import InputLayer, Layer, Shape
from bigdl.layers import activations
from bigdl.layers.affine import AffineLayer, with_input_dim
from bigdl.layers.layouts import MATRIX
from bigdl.registry import layer, register_layer

register_layer("InputLayer", InputLayer)


@layer()
class Dense(AffineLayer):
    """``activation(x W + b)`` over the last axis.

    Args:
        output_dim: The length of the output's last axis.
        init: The initialization of W ``(input_dim, output_dim)``.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``.
        input_dim: The length of the input, for a first layer.
        kwargs: See ``AffineLayer``.
    """

    def __init__(
        self,
        output_dim: int,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        *,
        input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(init=init, activation=activation, weights=weights, **with_input_dim(input_dim, kwargs))
        self.output_dim = int(output_dim)
        self.input_dim = input_dim

    def build(self, input_shape: Shape) -> None:
        """Creates W and b."""
        self.input_dim = self.known_length(input_shape)
        self.add_kernel((self.input_dim, self.output_dim), MATRIX)
        self.add_bias((self.output_dim,))

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(..., input_dim)`` to ``(..., output_dim)``."""
        return self.activation(F.linear(x, self.weight, self.bias))

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The last axis has not the length that the layer was built for.
        """
        if input_shape[-1] != self.input_dim:
            raise LayerError(
                f"Layer {self.name!r} (Dense) was built for inputs of length {self.input_dim}. "
                f"Received: shape {input_shape}."
            )
        return (*input_shape[:-1], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "output_dim": self.output_dim, "input_dim": self.input_dim}


@layer()
class Activation(Layer):
    """An activation function as a layer.

    Args:
        activation: A name or a function.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.returns_input = self.activation is activations.linear

    def _output_shapes(self, input_shape: Any) -> list[Shape]:
        return activations.checked_shapes(self.activation, super()._output_shapes(input_shape), self)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function."""
        return self.activation(x)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "activation": activations.name_of(self.activation)}


@layer()
class Flatten(Layer):
    """Joins all axes but the batch's, in memory order whatever the ``dim_ordering``."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(batch, ...)`` to ``(batch, product)``."""
        return x.flatten(1)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The input has a single axis beside the batch's, or a length is not known.
        """
        if len(input_shape) < 3:
            raise LayerError(
                f"Layer {self.name!r} (Flatten) needs an input of rank 3 or more (batch axis included). "
                f"Received: shape {input_shape}."
            )
        lengths = input_shape[1:]
        if None in lengths:
            raise LayerError(
                f"Layer {self.name!r} (Flatten) needs an input of fixed size. Received: shape {input_shape}. "
                "Give the model's first layer a full input_shape."
            )
        return (input_shape[0], math.prod(length for length in lengths if length is not None))


@layer()
class Reshape(Layer):
    """Gives each sample another shape, in memory order.

    Args:
        target_shape: The shape of one sample; at most one length may be -1.
        kwargs: See ``Layer``.
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(int(n) for n in target_shape)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(batch, ...)`` to ``(batch, *target_shape)``."""
        return x.reshape(x.shape[0], *self.target_shape)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The number of values differs.
        """
        known = [length for length in input_shape[1:] if length is not None]
        if len(known) < len(input_shape) - 1:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        total, rest = math.prod(known), math.prod(n for n in self.target_shape if n != -1)
        free = self.target_shape.count(-1)
        if free > 1 or (free == 0 and rest != total) or (free == 1 and (rest == 0 or total % rest)):
            raise LayerError(
                f"Layer {self.name!r} (Reshape): an input of shape {input_shape} has {total} values a sample, which "
                f"target_shape={self.target_shape} cannot hold."
            )
        return (input_shape[0], *(total // rest if n == -1 else n for n in self.target_shape))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "target_shape": self.target_shape}


@layer()
class Permute(Layer):
    """Reorders the axes of each sample.

    Args:
        dims: The new order; axes count from 1, the batch axis is not among them.
        kwargs: See ``Layer``.
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(int(n) for n in dims)

    def forward(self, x: Tensor) -> Tensor:
        """Reorders the axes."""
        return x.permute(0, *self.dims)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: ``dims`` is no order of the input's axes.
        """
        if sorted(self.dims) != list(range(1, len(input_shape))):
            raise LayerError(
                f"Layer {self.name!r} (Permute): dims={self.dims} is no order of the axes 1 to {len(input_shape) - 1} "
                f"of an input of shape {input_shape}."
            )
        return (input_shape[0], *(input_shape[n] for n in self.dims))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "dims": self.dims}


@layer()
class RepeatVector(Layer):
    """Repeats a vector along a new time axis.

    Args:
        n: How often.
        kwargs: See ``Layer``.
    """

    input_ndim = (2,)

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = int(n)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(batch, length)`` to ``(batch, n, length)``."""
        return x.unsqueeze(1).expand(-1, self.n, -1)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "n": self.n}
