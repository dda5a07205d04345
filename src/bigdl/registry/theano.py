"""Weights of Keras on Theano, as Keras on TensorFlow would hold them.

Theano's convolutions turn their kernels around, TensorFlow's do not; so kernels are turned once, as ``convert_kernel``
and ``convert_all_kernels_in_model`` of Keras 1.2.2 do. Where the file's kernels have the other ``dim_ordering`` than
the model, they are reordered as well, and with them the rows of what stands behind a ``Flatten`` of images.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bigdl.data.labels import convert_kernel
from bigdl.formats.spec import Array, StoredArray
from bigdl.graph import Container, SymbolicTensor, Weight

logger = logging.getLogger("bigdl")

_LSTM_KERNELS = tuple(f"{array}_{gate}" for array in "WU" for gate in "icfo")

# By class: the number of spatial axes, and the arrays that are kernels.
_KERNELS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "Convolution1D": (1, ("W",)),
    "AtrousConvolution1D": (1, ("W",)),
    "Convolution2D": (2, ("W",)),
    "AtrousConvolution2D": (2, ("W",)),
    "Deconvolution2D": (2, ("W",)),
    "SeparableConvolution2D": (2, ("depthwise_kernel", "pointwise_kernel")),
    "ConvLSTM2D": (2, _LSTM_KERNELS),
    "Convolution3D": (3, ("W",)),
}

# By class: the array and its axis that takes a flattened image.
_ROWS: Mapping[str, tuple[str, int]] = {"Dense": ("W", 0), "MaxoutDense": ("W", 1)}

# Layers that treat every value of a flattened image by itself; their vectors have its order.
_ELEMENTWISE = frozenset(
    {
        "Activation",
        "ActivityRegularization",
        "BatchNormalization",
        "Dropout",
        "ELU",
        "GaussianDropout",
        "GaussianNoise",
        "LeakyReLU",
        "PReLU",
        "ParametricSoftplus",
        "SReLU",
        "ThresholdedReLU",
    }
)


# The arrays.


def reordered(kernel: Array, channels_last: bool) -> Array:
    """Brings a kernel into the other layout.

    Args:
        kernel: ``(out, in, *kernel)``, or ``(*kernel, in, out)``.
        channels_last: Whether the result is ``(*kernel, in, out)``.
    """
    if channels_last:
        return np.moveaxis(kernel, (0, 1), (-1, -2))
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def reordered_rows(array: Array, axis: int, image: tuple[int, ...], channels_last: bool) -> Array:
    """Brings the rows that take a flattened image into the order of the other layout.

    Args:
        array: Any array, e.g. a Dense layer's ``(rows, out)``.
        axis: The axis of the rows.
        image: The image's shape in the layout of the result, without the batch axis.
        channels_last: Whether that is ``(*spatial, channels)``; else ``(channels, *spatial)``.
    """
    indices = np.arange(array.shape[axis])
    if channels_last:
        order = np.moveaxis(indices.reshape(image[-1], *image[:-1]), 0, -1)
    else:
        order = np.moveaxis(indices.reshape(*image[1:], image[0]), -1, 0)
    return np.take(array, order.reshape(-1), axis)


# The model.


@dataclass(frozen=True, slots=True)
class _Kernel:
    """What there is to know of a weight that is a kernel: its shape in the model, and in the other layout."""

    rank: int
    channels_last: bool
    shape: tuple[int, ...]

    @property
    def other_shape(self) -> tuple[int, ...]:
        if self.rank == 1:  # sequences have no ordering
            return self.shape
        if self.channels_last:
            return (self.shape[-1], self.shape[-2], *self.shape[:-2])
        return (*self.shape[2:], self.shape[1], self.shape[0])


@dataclass(frozen=True, slots=True)
class _Rows:
    """A weight that sees a flattened image of some shape, and its axis that has the image's values."""

    weight: Weight
    axis: int
    image: tuple[int, ...]


def turned_layers(model: Container) -> list[str]:
    """Returns the names of the layers whose kernels Theano turns around, those of inner models included."""
    found = [weight for layer in model.weight_layers for weight in layer.weights if _kernel_of(weight) is not None]
    return list(dict.fromkeys(str(weight.module.name) for weight in found))


def from_theano(model: Container, pairs: Mapping[Weight, StoredArray]) -> Mapping[Weight, StoredArray]:
    """Returns arrays that Keras on Theano wrote, as Keras on TensorFlow would have written them for a model.

    Args:
        model: The model that they are meant for.
        pairs: Its weights and the arrays for them.
    """
    kernels = {weight: kernel for weight in pairs if (kernel := _kernel_of(weight)) is not None}
    ordering_differs = _ordering_differs([(kernel, pairs[weight].shape) for weight, kernel in kernels.items()])
    changed = {
        weight: _kernel_from_theano(pairs[weight], kernel, ordering_differs) for weight, kernel in kernels.items()
    }
    if ordering_differs:
        channels_last = any(kernel.channels_last for kernel in kernels.values() if kernel.rank > 1)
        for rows in _rows_behind_flatten(model):
            if rows.weight in pairs:
                changed[rows.weight] = _rows_reordered(pairs[rows.weight], rows, channels_last)
    return {**pairs, **changed}


def _kernel_of(weight: Weight) -> _Kernel | None:
    for cls in type(weight.module).__mro__:
        rank, names = _KERNELS.get(cls.__name__, (0, ()))
        if weight.name in names:
            channels_last = rank == 1 or getattr(weight.module, "dim_ordering", "tf") == "tf"
            return _Kernel(rank, channels_last, weight.shape)
    return None


def _ordering_differs(kernels: Sequence[tuple[_Kernel, tuple[int, ...]]]) -> bool:
    """Tells whether the file's kernels, given with their shapes, have the other layout: all that can tell say so."""
    telling = [(kernel, shape) for kernel, shape in kernels if kernel.shape != kernel.other_shape]
    return bool(telling) and all(shape == kernel.other_shape for kernel, shape in telling)


def _kernel_from_theano(array: StoredArray, kernel: _Kernel, ordering_differs: bool) -> StoredArray:
    turn = partial(convert_kernel, dim_ordering="tf" if kernel.channels_last else "th")
    reorder = array.shape == kernel.other_shape and (ordering_differs or array.shape != kernel.shape)
    if not reorder:
        return replace(array, read=lambda: turn(array.read()))
    return replace(array, shape=kernel.shape, read=lambda: turn(reordered(array.read(), kernel.channels_last)))


def _rows_behind_flatten(model: Container) -> Iterator[_Rows]:
    """Gives the weights of a model, and of models inside it, that see a flattened image."""
    for layer in model.layers:
        if isinstance(layer, Container):
            yield from _rows_behind_flatten(layer)
    for node in model.graph.nodes:
        image = tuple(size for size in node.inputs[0].shape[1:] if size is not None) if node.inputs else ()
        if type(node.layer).__name__ == "Flatten" and len(image) >= 3:
            yield from _rows_behind(node.outputs[0], image, model)


def _rows_behind(flat: SymbolicTensor, image: tuple[int, ...], model: Container) -> Iterator[_Rows]:
    for node in model.graph.nodes:
        if flat not in node.inputs:
            continue
        layer, class_name = node.layer, type(node.layer).__name__
        if class_name in _ROWS:
            name, axis = _ROWS[class_name]
            yield from (_Rows(weight, axis, image) for weight in layer.weights if weight.name == name)
        elif class_name in _ELEMENTWISE:
            yield from (_Rows(weight, 0, image) for weight in layer.weights)
            yield from _rows_behind(node.outputs[0], image, model)
        else:
            logger.warning(
                "Model %r: the weights have the other dim_ordering than the model. Layer %r (%s) takes what Flatten "
                "made of an image; whatever depends on the order of its values is not reordered.",
                model.name,
                layer.name,
                class_name,
            )


def _rows_reordered(array: StoredArray, rows: _Rows, channels_last: bool) -> StoredArray:
    if array.shape != rows.weight.shape or array.shape[rows.axis] != math.prod(rows.image):
        return array  # which does not fit, or does not depend on the order
    return replace(array, read=lambda: reordered_rows(array.read(), rows.axis, rows.image, channels_last))
