"""Several tensors into one."""

from __future__ import annotations

from collections.abc import Sequence

from bigdl.export.keras3.core import output_shape
from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.functions import traced
from bigdl.export.keras3.masks import Masks
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import OTHERWISE
from bigdl.export.refusals import refused
from bigdl.layers import Merge
from bigdl.settings import epsilon

_LAYERS = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum"}


@CONVERTERS.of(Merge)
def merge(network: Network, layer: Merge, inputs: Sequence[Tensor], masks: Masks) -> Tensor | list[Tensor]:
    """``Add``, ``Multiply``, ``Average``, ``Maximum``, ``Concatenate``; operators for ``dot`` and ``cos``.

    Restrictions:
        A function as mode: see Lambda.
    """
    if callable(layer.mode):
        return traced(network, layer, inputs)
    if layer.mode in _LAYERS:
        config = {"dtype": "float32"}
        return network.layer(_LAYERS[layer.mode], layer.name, config, inputs, inputs[0].shape)
    if layer.mode == "concat":
        settings = {"axis": layer.concat_axis, "dtype": "float32"}
        return network.layer("Concatenate", layer.name, settings, inputs, output_shape(layer, inputs))
    rank = len(inputs[0].shape)
    axes = layer.summed_axes(rank)
    if 0 in axes or (rank == 2 and axes[0] != axes[1]):
        raise refused(layer, f"sums over the batch (dot_axes={axes}), which Keras 3 has no layer for", OTHERWISE)
    x, y = inputs
    if layer.mode == "dot":
        return _product(network, layer, x, y, axes)

    def apply(op: str, *values: Tensor | float) -> Tensor:
        return network.op(op, *values, owner=layer.name, shape=output_shape(layer, inputs))

    squares = apply("Multiply", _product(network, layer, x, x, axes), _product(network, layer, y, y, axes))
    norms = apply("Maximum", apply("Sqrt", apply("Maximum", squares, 0.0)), epsilon())
    quotient = apply("TrueDivide", _product(network, layer, x, y, axes), norms)
    shape = (quotient.shape[0], 1, *quotient.shape[1:])
    return network.op("ExpandDims", quotient, owner=layer.name, shape=shape, axis=1)


def _product(network: Network, layer: Merge, x: Tensor, y: Tensor, axes: Sequence[int]) -> Tensor:
    """Keras 1's ``batch_dot``: stacks of matrices, or one number for each pair of vectors."""
    rank, shape = len(x.shape), output_shape(layer, (x, y))
    if rank == 2:
        product = network.op("Multiply", x, y, owner=layer.name, shape=x.shape)
        return network.op("Sum", product, owner=layer.name, shape=shape, axis=1, keepdims=True)
    x = x if axes[0] == rank - 1 else _turned(network, layer, x)
    y = _turned(network, layer, y) if axes[1] == rank - 1 else y
    return network.op("Matmul", x, y, owner=layer.name, shape=shape)


def _turned(network: Network, layer: Merge, x: Tensor) -> Tensor:
    rank = len(x.shape)
    shape = (*x.shape[:-2], x.shape[-1], x.shape[-2])
    axes = [*range(rank - 2), rank - 1, rank - 2]
    return network.op("Transpose", x, owner=layer.name, shape=shape, axes=axes)
