"""What all layers with a W and a b share: their initialization, penalties, constraints and activation."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import SAME, Layer, Layout, Shape
from bigdl.layers import activations, constraints, initializations, regularizers


class AffineLayer(Layer):
    """A layer that computes ``activation(W x + b)`` for some product.

    Args:
        init: The initialization of W, a name or a function of the shape.
        activation: A name or a function; None for the identity.
        W_regularizer: A penalty of W.
        b_regularizer: A penalty of b.
        activity_regularizer: A penalty of the output.
        W_constraint: A constraint of W.
        b_constraint: A constraint of b.
        bias: Whether there is a b.
        kwargs: See ``Layer``.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        *,
        init: Any = "glorot_uniform",
        activation: Any = None,
        W_regularizer: Any = None,
        b_regularizer: Any = None,
        activity_regularizer: Any = None,
        W_constraint: Any = None,
        b_constraint: Any = None,
        bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.init = init
        self.activation = activations.get(activation)
        self.W_regularizer = regularizers.get(W_regularizer)
        self.b_regularizer = regularizers.get(b_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.b_constraint = constraints.get(b_constraint)
        self.use_bias = bool(bias)

    def _output_shapes(self, input_shape: Any) -> list[Shape]:
        return activations.checked_shapes(self.activation, super()._output_shapes(input_shape), self)

    def known_length(self, input_shape: Shape) -> int:
        """Returns the length of the input's last axis.

        Raises:
            LayerError: It is not known, or there is no axis but the batch's.
        """
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}) needs an input of rank 2 or more whose last axis is "
                f"known. Received: shape {input_shape}. (A Flatten before it needs an input of fixed size.)"
            )
        return input_shape[-1]

    def add_kernel(self, shape: tuple[int, ...], layout: Layout = SAME, dim_ordering: str = "th") -> None:
        """Creates W, given its shape and layout in Keras; it is ``self.weight``."""
        initializer = initializations.get(self.init, dim_ordering)
        self.add_weight(
            "W",
            shape,
            initializer,
            attribute="weight",
            layout=layout,
            regularizer=self.W_regularizer,
            constraint=self.W_constraint,
        )

    def add_bias(self, shape: tuple[int, ...], layout: Layout = SAME) -> None:
        """Creates b, if the layer has one; it is ``self.bias``, else that is None."""
        if not self.use_bias:
            self.register_parameter("bias", None)
            return
        self.add_weight(
            "b",
            shape,
            initializations.zero,
            attribute="bias",
            layout=layout,
            regularizer=self.b_regularizer,
            constraint=self.b_constraint,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "init": initializations.name_of(self.init),
            "activation": activations.name_of(self.activation),
            "W_regularizer": regularizers.serialize(self.W_regularizer),
            "b_regularizer": regularizers.serialize(self.b_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "W_constraint": constraints.serialize(self.W_constraint),
            "b_constraint": constraints.serialize(self.b_constraint),
            "bias": self.use_bias,
        }


def with_input_dim(input_dim: int | None, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Returns a layer's arguments with the shape of a vector as input, where nothing else gives a shape."""
    if not input_dim or {"input_shape", "batch_input_shape"} & kwargs.keys():
        return kwargs
    return {**kwargs, "input_shape": (int(input_dim),)}
