"""Layers with the defaults of BigDL's own Keras-style API, ``bigdl.nn.keras.layer``, where they are not Keras's."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from bigdl import layers
from bigdl.graph import Layer

L = TypeVar("L", bound=Layer)


def with_default(layer_class: type[L], name: str, value: Any) -> type[L]:
    """Returns a class that is like another, but for the default of one argument.

    It has the other's name, so that files know it as that.

    Args:
        layer_class: The other.
        name: The argument.
        value: Its default.
    """
    parameters = list(inspect.signature(layer_class).parameters)
    place = parameters.index(name) if name in parameters else len(parameters)

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if len(args) <= place:
            kwargs.setdefault(name, value)
        super(made, self).__init__(*args, **kwargs)

    made: Any = type(
        layer_class.__name__,
        (layer_class,),
        {"__init__": init, "__doc__": layer_class.__doc__, "__module__": __name__},
    )
    chosen: type[L] = made
    return chosen


def channels_first(layer_class: type[L]) -> type[L]:
    """Returns a class whose ``dim_ordering`` is ``"th"`` by default."""
    return with_default(layer_class, "dim_ordering", "th")


BatchNormalization = with_default(layers.BatchNormalization, "axis", 1)
AtrousConvolution2D = channels_first(layers.AtrousConvolution2D)
AveragePooling2D = channels_first(layers.AveragePooling2D)
AveragePooling3D = channels_first(layers.AveragePooling3D)
ConvLSTM2D = channels_first(layers.ConvLSTM2D)
Convolution2D = channels_first(layers.Convolution2D)
Convolution3D = channels_first(layers.Convolution3D)
Cropping2D = channels_first(layers.Cropping2D)
Cropping3D = channels_first(layers.Cropping3D)
Deconvolution2D = channels_first(layers.Deconvolution2D)
GlobalAveragePooling2D = channels_first(layers.GlobalAveragePooling2D)
GlobalAveragePooling3D = channels_first(layers.GlobalAveragePooling3D)
GlobalMaxPooling2D = channels_first(layers.GlobalMaxPooling2D)
GlobalMaxPooling3D = channels_first(layers.GlobalMaxPooling3D)
LocallyConnected2D = channels_first(layers.LocallyConnected2D)
MaxPooling2D = channels_first(layers.MaxPooling2D)
MaxPooling3D = channels_first(layers.MaxPooling3D)
SeparableConvolution2D = channels_first(layers.SeparableConvolution2D)
SpatialDropout2D = channels_first(layers.SpatialDropout2D)
SpatialDropout3D = channels_first(layers.SpatialDropout3D)
UpSampling2D = channels_first(layers.UpSampling2D)
UpSampling3D = channels_first(layers.UpSampling3D)
ZeroPadding2D = channels_first(layers.ZeroPadding2D)
ZeroPadding3D = channels_first(layers.ZeroPadding3D)
AtrousConv2D = AtrousConvolution2D
Conv2D = Convolution2D
Conv3D = Convolution3D
Deconv2D = Deconvolution2D
SeparableConv2D = SeparableConvolution2D
