"""Dense products, activations, changes of shape, embeddings, and layers that do nothing in prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.masks import Masks
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import activation_name, constraint, input_scale, logger, regularizer, stored, times
from bigdl.graph import InputLayer, Layer, Shape
from bigdl.layers import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Masking,
    Permute,
    RepeatVector,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    TimeDistributedDense,
)
from bigdl.layers.affine import AffineLayer


def output_shape(layer: Layer, inputs: Sequence[Tensor]) -> Shape:
    """Returns the shape of a layer's only output."""
    shapes = [tensor.shape for tensor in inputs]
    shape: Shape = layer.get_output_shape_for(shapes if len(shapes) > 1 else shapes[0])
    return shape


def common(layer: Layer, **config: Any) -> dict[str, Any]:
    """Returns a configuration with what all layers have."""
    return {"trainable": layer.trainable, "dtype": "float32", **config}


def affine_config(
    layer: AffineLayer, axes: Callable[[int], int] | None = None, *, whole: bool = True
) -> dict[str, Any]:
    """Returns what the configurations of all layers with a kernel and a bias have.

    Args:
        layer: The layer.
        axes: Where an axis of Keras 1's kernel lies in Keras 3's; at the same place by default.
        whole: Whether the output of the layer that is written is that of this one; else a penalty of the output is left
            out, with a warning.
    """
    scale = input_scale(layer.activation)
    if layer.activity_regularizer is not None and not whole:
        logger.warning("Layer %r is written without the penalty of its output, as it is made of several.", layer.name)
    return common(
        layer,
        activation=activation_name(layer.activation, layer),
        use_bias=layer.use_bias,
        kernel_regularizer=regularizer(layer.W_regularizer, layer, scale),
        kernel_constraint=constraint(layer.W_constraint, layer, axes),
        bias_regularizer=regularizer(layer.b_regularizer, layer, scale),
        bias_constraint=constraint(layer.b_constraint, layer),
        activity_regularizer=regularizer(layer.activity_regularizer, layer) if whole else None,
    )


@CONVERTERS.of(InputLayer)
def identity(network: Network, layer: Layer, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """Adds nothing."""
    return inputs[0]


@CONVERTERS.of(Dense, TimeDistributedDense)
def dense(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Dense``."""
    scale = input_scale(layer.activation)
    arrays = stored(times(layer.weight.t(), scale), times(layer.bias, scale))
    config = {**affine_config(layer), "units": layer.output_dim}
    return network.layer("Dense", layer.name, config, inputs[0], output_shape(layer, inputs), {"": arrays})


@CONVERTERS.of(Activation)
def activation(network: Network, layer: Activation, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Activation``; before ``hard_sigmoid`` a ``Rescaling``."""
    x, scale = inputs[0], input_scale(layer.activation)
    if scale != 1.0:
        x = network.layer(
            "Rescaling", f"{layer.name}_slope", {"scale": scale, "offset": 0.0, "dtype": "float32"}, x, x.shape
        )
    config = common(layer, activation=activation_name(layer.activation, layer))
    return network.layer("Activation", layer.name, config, x, x.shape)


@CONVERTERS.of(Flatten)
def flatten(network: Network, layer: Flatten, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Flatten``, in memory order."""
    config = common(layer, data_format="channels_last")
    return network.layer("Flatten", layer.name, config, inputs[0], output_shape(layer, inputs))


@CONVERTERS.of(Reshape)
def reshape(network: Network, layer: Reshape, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Reshape``."""
    config = common(layer, target_shape=list(layer.target_shape))
    return network.layer("Reshape", layer.name, config, inputs[0], output_shape(layer, inputs))


@CONVERTERS.of(Permute)
def permute(network: Network, layer: Permute, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Permute``."""
    config = common(layer, dims=list(layer.dims))
    return network.layer("Permute", layer.name, config, inputs[0], output_shape(layer, inputs))


@CONVERTERS.of(RepeatVector)
def repeat_vector(network: Network, layer: RepeatVector, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``RepeatVector``."""
    return network.layer("RepeatVector", layer.name, common(layer, n=layer.n), inputs[0], output_shape(layer, inputs))


@CONVERTERS.of(Embedding)
def embedding(network: Network, layer: Embedding, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Embedding``.

    Restrictions:
        `dropout` is left out, with a warning.
    """
    if layer.dropout:
        logger.warning(
            "Layer %r is written without its dropout of whole words, which Keras 3 does not have.", layer.name
        )
    config = common(
        layer,
        input_dim=layer.input_dim,
        output_dim=layer.output_dim,
        mask_zero=layer.mask_zero and network.hands_masks_on,
        embeddings_regularizer=regularizer(layer.W_regularizer, layer),
        embeddings_constraint=constraint(layer.W_constraint, layer),
        activity_regularizer=regularizer(layer.activity_regularizer, layer),
    )
    shape = (*inputs[0].shape, layer.output_dim)
    return network.layer("Embedding", layer.name, config, inputs[0], shape, {"": stored(layer.weight)})


@CONVERTERS.of(Masking)
def masking(network: Network, layer: Masking, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Masking``, whose output hands no mask on where masks are tensors."""
    config = common(layer, mask_value=layer.mask_value)
    y = network.layer("Masking", layer.name, config, inputs[0], inputs[0].shape)
    return y if network.hands_masks_on else network.op("Add", y, 0.0, owner=layer.name, shape=y.shape)


@CONVERTERS.of(Dropout, GaussianDropout)
def dropout(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Dropout``, ``GaussianDropout``."""
    config = common(layer, rate=_rate(layer), seed=getattr(layer, "seed", None))
    shape = getattr(layer, "noise_shape", None)
    if shape is not None:
        config["noise_shape"] = list(shape)
    return network.layer(type(layer).__name__, layer.name, config, inputs[0], inputs[0].shape)


@CONVERTERS.of(SpatialDropout1D, SpatialDropout2D, SpatialDropout3D)
def spatial_dropout(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``SpatialDropout1D``, ``SpatialDropout2D``, ``SpatialDropout3D``."""
    config = {"rate": _rate(layer), "seed": layer.seed, "dtype": "float32"}
    if layer.rank > 1:
        config["data_format"] = "channels_last" if layer.channels_last else "channels_first"
    return network.layer(type(layer).__name__, layer.name, config, inputs[0], inputs[0].shape)


def _rate(layer: Any) -> float:
    return float(layer.p) if 0.0 < layer.p < 1.0 else 0.0


@CONVERTERS.of(GaussianNoise)
def gaussian_noise(network: Network, layer: GaussianNoise, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``GaussianNoise``."""
    config = common(layer, stddev=layer.sigma)
    return network.layer("GaussianNoise", layer.name, config, inputs[0], inputs[0].shape)


@CONVERTERS.of(ActivityRegularization)
def activity_regularization(
    network: Network, layer: ActivityRegularization, inputs: Sequence[Tensor], masks: Masks
) -> Tensor:
    """``ActivityRegularization``."""
    config = common(layer, l1=layer.l1, l2=layer.l2)
    return network.layer("ActivityRegularization", layer.name, config, inputs[0], inputs[0].shape)
