"""Models that are frozen as a whole, in files: Keras keeps ``trainable`` of layers only, not of models."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

from bigdl.errors import FormatError
from bigdl.graph import Container, Layer, Weight


def frozen_models(model: Container) -> list[int]:
    """Returns which of a model and the models inside it are frozen, by their number in the walk over all of them."""
    return [number for number, inner in enumerate(_models(model)) if not inner.trainable]


def freeze_models(model: Container, numbers: Any, source: str) -> None:
    """Freezes what ``frozen_models`` returned.

    Args:
        model: A model of the same layers.
        numbers: The numbers, from a file.
        source: The file, for messages.

    Raises:
        FormatError: They are not the numbers of models.
    """
    models = _models(model)
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < len(models) for n in numbers):
        raise FormatError(f"{source}: frozen_models must be numbers of models, of {len(models)}. Received: {numbers}.")
    for number in numbers:
        models[number].trainable = False


@contextlib.contextmanager
def frozen_by_layer(model: Container, moved: Collection[Weight] | None) -> Iterator[None]:
    """Inside the block no model is frozen as a whole; the layers inside are instead, and those inside wrappers too.

    That is what a file of Keras can hold, and what Keras heeds. Layers that the optimizer moves all the same, as they
    were frozen after ``compile``, stay as they are.

    Args:
        model: The model.
        moved: The weights that the optimizer moves; None where the model is not compiled: no layer is frozen then.
    """
    before: dict[Layer, bool] = {}
    for part in _layers(model):
        if part.trainable:
            continue
        if isinstance(part, Container):
            before[part] = False
        before.update((layer, True) for layer in _unmoved_layers(part, moved))
    for layer, trainable in before.items():
        layer._trainable = not trainable
    try:
        yield
    finally:
        for layer, trainable in before.items():
            layer._trainable = trainable


def _unmoved_layers(owner: Layer, moved: Collection[Weight] | None) -> list[Layer]:
    if moved is None:
        return []
    layers = [part for part in _layers(owner) if not isinstance(part, Container)]
    return [layer for layer in layers if (own := layer.trainable_weights) and not any(w in moved for w in own)]


def _layers(owner: Layer) -> list[Layer]:
    return [part for part in owner.modules() if isinstance(part, Layer)]


def _models(model: Container) -> list[Container]:
    return [part for part in _layers(model) if isinstance(part, Container)]
