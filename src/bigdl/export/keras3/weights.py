"""Weights as tensors: layers that Keras 3 has no form for are made of its layers and operators.

An ``EinsumDense`` whose equation has no sum multiplies by a weight value by value. Of ones it makes the weight itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor as TorchTensor

from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.settings import stored

_LETTERS = "abcdefgh"


def scaled(
    network: Network,
    x: Tensor,
    name: str,
    weight: TorchTensor,
    axes: Sequence[int],
    bias: TorchTensor | None = None,
    trainable: bool = True,
) -> Tensor:
    """Multiplies a tensor by a weight value by value, and adds another one if it is given.

    Args:
        network: The network.
        x: The tensor.
        name: The name of the layer that has the weight.
        weight: The weight, in the order of the axes.
        axes: The axes along which the weight has values; along others one value serves all.
        bias: What is added, of the same shape.
        trainable: Whether the weight is trained.
    """
    own = "".join(_LETTERS[axis] for axis in axes)
    every = _LETTERS[: len(x.shape)]
    config = {
        "equation": f"{every},{own}->{every}",
        "output_shape": list(x.shape[1:]),
        "bias_axes": None if bias is None else own,
        "trainable": trainable,
        "dtype": "float32",
    }
    if bias is not None:  # it lies there with all axes behind its first
        bias = bias.reshape(
            [weight.shape[list(axes).index(i)] if i in axes else 1 for i in range(axes[0], len(x.shape))]
        )
    return network.layer("EinsumDense", name, config, x, x.shape, {"": stored(weight, bias)})


def weight_like(
    network: Network, x: Tensor, name: str, weight: TorchTensor, axes: Sequence[int], trainable: bool = True
) -> Tensor:
    """Returns a weight as a tensor of another one's shape; see ``scaled``."""
    ones = network.op("OnesLike", x, owner=name, shape=x.shape)
    return scaled(network, ones, name, weight, axes, trainable=trainable)
