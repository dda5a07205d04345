"""What the layers compute, written down as operations of a program."""

from __future__ import annotations

from functools import partial, reduce
from typing import Any

from torch import Tensor

from bigdl.graph import InputLayer
from bigdl.layers import activations
from bigdl.layers.activations import Activation as Function
from bigdl.layers.advanced_activations import ELU, LeakyReLU, PReLU
from bigdl.layers.core import Activation, Dense, Flatten, Permute, RepeatVector, Reshape
from bigdl.layers.dense_variants import Highway, MaxoutDense
from bigdl.layers.embeddings import Embedding
from bigdl.layers.masking import Masking
from bigdl.layers.merge import Merge
from bigdl.layers.noise import (
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from bigdl.layers.normalization import FEATURE_WISE, SAMPLE_WISE, BatchNormalization
from bigdl.layers.time_distributed_dense import TimeDistributedDense
from bigdl.layers.wrappers import TimeDistributed
from bigdl.programs import Lowering, Source, View, lowers
from bigdl.programs.images import InOrder, LargestOfAll, Leak, Lookup, RepeatRow
from bigdl.programs.largest import largest_values
from bigdl.programs.masks import Mark, Shade
from bigdl.programs.normalization import Normalize
from bigdl.programs.operations import Apply, Drop, Multiply, Ref, Scale
from bigdl.programs.views import IMAGE_AS_SEQUENCE, SEQUENCE_AS_IMAGE, applied, undone

_ELEMENTWISE = {
    activations.relu,
    activations.softplus,
    activations.softsign,
    activations.tanh,
    activations.sigmoid,
    activations.hard_sigmoid,
}


def activated(function: Function, lowering: Lowering, x: Ref) -> Ref:
    """Writes an activation down.

    Args:
        function: The function.
        lowering: Where to.
        x: What it takes.

    Returns:
        What it makes.
    """
    if function is activations.linear:
        return x
    if function is activations.elu:
        return lowering.value_by_value(Leak, x, function=function, factor=1.0, exponential=True)
    if function in _ELEMENTWISE:
        return lowering.elementwise(function, x, activations.name_of(function))
    if function is not activations.softmax:
        return lowering.apply(function, x)
    if x.views == (IMAGE_AS_SEQUENCE,):  # over the channels, then
        return lowering.value_by_value(Apply, x, function=lambda image: image.softmax(1), name="softmax")
    return lowering.apply(function, x, name="softmax")


@lowers(TimeDistributed, uses=("layer", "by_step"))
def _distributed(layer: TimeDistributed, lowering: Lowering, x: Ref) -> Ref | None:
    if layer.by_step:
        return None
    rank = lowering.rank(layer)
    # Dense takes sequences as they are; but chains of layers, which training has kernels for, are of rows.
    if type(layer.layer) is Dense and rank == 3 and not lowering.training:
        return lowering.inside(layer.layer, x, rank)
    return lowering.each_step(layer.layer, x, rank)


@lowers(Dense, TimeDistributedDense, uses=("activation", "use_bias"))
def _dense(layer: Dense | TimeDistributedDense, lowering: Lowering, x: Ref) -> Ref:
    rank = lowering.rank(layer)
    bias = Source.of(layer, "bias") if layer.use_bias else None
    y = lowering.write(Multiply, x, weight=Source.of(layer, "weight"), bias=bias, rank=rank)
    return activated(layer.activation, lowering, y)


@lowers(Highway, uses=("activation", "use_bias"))
def _highway(layer: Highway, lowering: Lowering, x: Ref) -> Ref | None:
    if lowering.training:
        return None

    def product(weight: str, bias: str) -> Ref:
        kept = Source.of(layer, bias) if layer.use_bias else None
        return lowering.write(Multiply, x, weight=Source.of(layer, weight), bias=kept)

    gate = activated(activations.sigmoid, lowering, product("carry_weight", "carry_bias"))
    y = activated(layer.activation, lowering, product("weight", "bias"))
    return lowering.combine(lowering.combine(gate, y, "mul"), lowering.combine(gate, x, "rest"), "sum")


@lowers(MaxoutDense, uses=("nb_feature", "output_dim", "use_bias"))
def _maxout(layer: MaxoutDense, lowering: Lowering, x: Ref) -> Ref | None:
    if lowering.training:
        return None
    bias = Source.of(layer, "bias", is_flat=True) if layer.use_bias else None
    maps = lowering.write(Multiply, x, weight=Source.of(layer, "weight", is_flat=True), bias=bias)
    shape = (layer.nb_feature, layer.output_dim)
    each = lowering.write(InOrder, maps, function=lambda y: y.view(-1, *shape), target=shape)
    return lowering.write(LargestOfAll, lowering.view(each, SEQUENCE_AS_IMAGE), function=largest_values, rank=4)


@lowers(BatchNormalization, uses=("mode", "epsilon"))
def _normalization(layer: BatchNormalization, lowering: Lowering, x: Ref) -> Ref | None:
    if layer.mode == SAMPLE_WISE or (layer.mode != FEATURE_WISE and not lowering.training):
        return None
    rank = lowering.rank(layer)
    to, back = View.moving(rank, layer.feature_axis, 1), View.moving(rank, 1, layer.feature_axis)
    if rank == 3 and layer.feature_axis == -1:
        to, back = SEQUENCE_AS_IMAGE, IMAGE_AS_SEQUENCE
        rank = 4
    gamma, beta, seen = Source.of(layer, "gamma"), Source.of(layer, "beta"), lowering.view(x, to)
    if lowering.training:
        y = lowering.write(Normalize, seen, layer=layer, gamma=gamma, beta=beta, epsilon=layer.epsilon, rank=rank)
        return lowering.view(y, back)
    y = lowering.write(
        Scale,
        seen,
        gamma=gamma,
        beta=beta,
        mean=Source.of(layer, "running_mean"),
        variance=Source.of(layer, "running_variance"),
        epsilon=layer.epsilon,
        rank=rank,
    )
    return lowering.view(y, back)


@lowers(Activation, uses=("activation",))
def _activation(layer: Activation, lowering: Lowering, x: Ref) -> Ref:
    return activated(layer.activation, lowering, x)


@lowers(Merge, uses=("mode", "concat_axis"))
def _merge(layer: Merge, lowering: Lowering, x: Any) -> Ref | None:
    if layer.mode in ("sum", "mul", "max"):
        made: Ref = reduce(partial(lowering.combine, mode=layer.mode), x)
        return made
    rank = len(layer.built_on[0])
    return lowering.join(x, layer.concat_axis % rank, rank) if layer.mode == "concat" else None


@lowers(LeakyReLU, uses=("alpha",))
def _leaky_relu(layer: LeakyReLU, lowering: Lowering, x: Ref) -> Ref:
    return lowering.value_by_value(Leak, x, function=layer.forward, factor=layer.alpha)


@lowers(ELU, uses=("alpha",))
def _elu(layer: ELU, lowering: Lowering, x: Ref) -> Ref:
    return lowering.value_by_value(Leak, x, function=layer.forward, factor=layer.alpha, exponential=True)


@lowers(Embedding, uses=("mask_zero",))
def _embedding(layer: Embedding, lowering: Lowering, x: Ref) -> Ref | None:
    if lowering.training or lowering.rank(layer) != 2:
        return None
    lowering.mask_behind = lowering.write(Mark, x, value=0.0, of_vectors=False) if layer.mask_zero else None
    return lowering.write(Lookup, x, function=layer.forward, table=Source.of(layer, "weight"))


@lowers(Masking, uses=("mask_value",))
def _masking(layer: Masking, lowering: Lowering, x: Ref) -> Ref | None:
    if lowering.training or lowering.rank(layer) != 3:
        return None
    lowering.mask_behind = lowering.write(Mark, x, value=layer.mask_value, of_vectors=True)
    return lowering.write(Shade, x, lowering.mask_behind)


@lowers(RepeatVector, uses=("n",))
def _repeated_vector(layer: RepeatVector, lowering: Lowering, x: Ref) -> Ref:
    return lowering.write(RepeatRow, x, steps=layer.n)


@lowers(PReLU)
def _prelu(layer: PReLU, lowering: Lowering, x: Ref) -> Ref:
    back = undone(x.views)

    def leak(given: Tensor) -> Tensor:
        return applied(back, layer.forward(applied(x.views, given)))

    return lowering.value_by_value(Leak, x, function=leak, slope=Source.of(layer, "alphas"), views=x.views)


@lowers(InputLayer)
def _input(layer: InputLayer, lowering: Lowering, x: Ref) -> Ref:
    return x


@lowers(Dropout, uses=("p", "noise_shape", "seed"))
def _dropout(layer: Dropout, lowering: Lowering, x: Ref) -> Ref | None:
    if not lowering.training:
        return x
    if layer.noise_shape is not None or layer.seed is not None:
        return None
    return lowering.value_by_value(Drop, x, function=layer.forward, share=layer.share)


@lowers(SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, GaussianNoise, GaussianDropout)
def _noise(layer: Any, lowering: Lowering, x: Ref) -> Ref | None:
    return None if lowering.training else x


@lowers(Flatten)
def _flatten(layer: Flatten, lowering: Lowering, x: Ref) -> Ref:
    return lowering.apply(layer.forward, x, name="flatten")


@lowers(Reshape, uses=("target_shape",))
def _reshape(layer: Reshape, lowering: Lowering, x: Ref) -> Ref:
    return lowering.write(InOrder, x, function=layer.forward, target=layer.target_shape)


@lowers(Permute)
def _permute(layer: Permute, lowering: Lowering, x: Ref) -> Ref:
    return lowering.view(x, View((0, *layer.dims)))
