"""The depthwise separable convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.graph import Shape
from bigdl.layers import constraints, initializations, regularizers
from bigdl.layers.convolution import Convolution2D
from bigdl.layers.layouts import CONV_TF, CONV_TH, depthwise
from bigdl.registry import layer


@layer()
class SeparableConvolution2D(Convolution2D):
    """A convolution of each channel by itself, then one by one over all channels (Chollet 2016).

    The kernels lie in Keras as ``(rows, columns, in, depth_multiplier)`` and ``(1, 1, in * depth_multiplier, out)``, or
    ``(depth_multiplier, in, rows, columns)`` and ``(out, in * depth_multiplier, 1, 1)``.

    Restrictions:
        Equal strides, as TensorFlow demands; ``border_mode="full"`` is refused.

    Args:
        nb_filter: The number of output channels.
        nb_row: The depthwise kernel's rows.
        nb_col: The depthwise kernel's columns.
        init: The initialization of both kernels.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[depthwise, pointwise, b]``.
        border_mode: ``"valid"`` or ``"same"``.
        subsample: The strides (rows, columns), equal.
        depth_multiplier: The number of depthwise filters for each input channel.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        depthwise_regularizer: A penalty of the depthwise kernel.
        pointwise_regularizer: A penalty of the pointwise kernel.
        depthwise_constraint: A constraint of the depthwise kernel.
        pointwise_constraint: A constraint of the pointwise kernel.
        kwargs: See ``Convolution``.

    Raises:
        LayerError: The strides differ, which TensorFlow refuses.
    """

    depthwise: Tensor
    pointwise: Tensor

    def __init__(
        self,
        nb_filter: int,
        nb_row: int,
        nb_col: int,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        border_mode: str = "valid",
        subsample: Sequence[int] = (1, 1),
        depth_multiplier: int = 1,
        dim_ordering: str = "default",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            nb_filter,
            nb_row,
            nb_col,
            init,
            activation,
            weights,
            border_mode,
            subsample,
            dim_ordering,
            **kwargs,
        )
        if len(set(self.subsample)) > 1:
            raise LayerError(
                f"Layer {self.name!r} (SeparableConvolution2D): the strides must be equal. "
                f"Received: subsample={self.subsample}."
            )
        self.depth_multiplier = int(depth_multiplier)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Shape) -> None:
        """Creates the depthwise kernel, the pointwise kernel and b."""
        inputs, multiplier = self.known_channels(input_shape), self.depth_multiplier
        initializer = initializations.get(self.init, self.kernel_ordering)
        tf = self.channels_last
        self.add_weight(
            "depthwise_kernel",
            (*self.kernel_size, inputs, multiplier) if tf else (multiplier, inputs, *self.kernel_size),
            initializer,
            attribute="depthwise",
            layout=depthwise(multiplier, tf),
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.add_weight(
            "pointwise_kernel",
            (1, 1, inputs * multiplier, self.nb_filter) if tf else (self.nb_filter, inputs * multiplier, 1, 1),
            initializer,
            attribute="pointwise",
            layout=CONV_TF if tf else CONV_TH,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.add_bias((self.nb_filter,))

    def convolve(self, x: Tensor) -> Tensor:
        """Convolves a channels-first tensor, with bias, without activation."""
        x, padding = self.pad(x)
        x = F.conv2d(x, self.depthwise, None, self.subsample, padding, groups=x.shape[1])
        return F.conv2d(x, self.pointwise, self.bias)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them.

        Keras writes the depthwise regularizer in place of the pointwise one; here each is written as it is.
        """
        config = super().get_config()
        del config["W_regularizer"], config["W_constraint"]
        return {
            **config,
            "depth_multiplier": self.depth_multiplier,
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "pointwise_regularizer": regularizers.serialize(self.pointwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
            "pointwise_constraint": constraints.serialize(self.pointwise_constraint),
        }


SeparableConv2D = SeparableConvolution2D
