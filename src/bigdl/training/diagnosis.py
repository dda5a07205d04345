"""Why a batch could not be computed: where the first value that is not finite came from, what is too small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import TrainingError
from bigdl.graph import Container, Layer
from bigdl.graph.tensor import as_list
from bigdl.training.batches import Batch
from bigdl.training.data import Column


class NonFiniteElsewhereError(TrainingError):
    """The loss is not finite, but not because of this worker's rows; the worker that they are with knows more."""


def non_finite_loss(
    model: Container, names: Sequence[str], batch: Batch, results: Sequence[float], where: str
) -> TrainingError:
    """Returns the error that says why the loss of a batch is not finite.

    The batch is run once more, so that the first layer with such a value can be named.

    Args:
        model: The model, with the weights that gave the loss.
        names: The names of the terms of the loss.
        batch: The batch.
        results: The loss and its terms.
        where: Which batch it is.
    """
    terms = [f"{name} is {value}" for name, value in zip(names, results[1:], strict=False)]
    detail = f" ({', '.join(terms)})" if terms else ""
    return TrainingError(
        f"Training stopped at {where}: the loss is {results[0]}{detail}. {_cause(model, batch)} "
        "The weights are those from before this step."
    )


_REMEDY = "What helps most: a smaller learning rate, clipnorm= on the optimizer, inputs scaled to a small range."


def _cause(model: Container, batch: Batch) -> str:
    named = [(f"input {name!r}", x) for name, x in zip(model.input_names, batch.inputs, strict=True)]
    named += [(f"the targets of output {i}", y) for i, y in enumerate(batch.targets, 1)]
    named += [(f"the sample weights of output {i}", w) for i, w in enumerate(batch.weights, 1) if w is not None]
    for name, tensor in named:
        if not _is_finite(tensor):
            row = int((~torch.isfinite(tensor)).nonzero()[0, 0])
            return (
                f"The data is not finite: {_count(tensor)} of {name} in this batch, the first in its row {row} "
                "(from 0). Leave such rows out, or fill in numbers."
            )
    culprit = next(non_finite_weights(model), None)
    if culprit is not None:
        return f"The weights are not finite since the step before: {culprit}. {_REMEDY}"
    return f"{_first_output(model, batch)} {_REMEDY}"


def non_finite_weights(model: Container) -> Iterator[str]:
    """Describes the arrays of a model that hold values that are not finite, layer by layer."""
    for layer in model.weight_layers:
        for weight in layer.weights:
            if not _is_finite(weight.parameter):
                yield f"{_count(weight.value)} of {weight.name} of layer {layer.name!r} ({type(layer).__name__})"


def _first_output(model: Container, batch: Batch) -> str:
    found: list[str] = []

    def look(layer: torch.nn.Module, inputs: Any, outputs: Any) -> None:
        assert isinstance(layer, Layer)
        where = f"in the output of layer {layer.name!r} ({type(layer).__name__})"
        found.extend(f"{_count(tensor)} {where}" for tensor in as_list(outputs) if not _is_finite(tensor))

    layers = [m for m in model.modules() if isinstance(m, Layer) and not isinstance(m, Container)]
    hooks = [layer.register_forward_hook(look) for layer in layers]
    try:
        with torch.no_grad():
            model.run(batch.inputs)
    finally:
        for hook in hooks:
            hook.remove()
    if found:
        return f"The first that is not finite: {found[0]}."
    return "All inputs, weights and outputs are finite: the loss function itself gave it for these outputs and targets."


def _is_finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())


def _count(tensor: Tensor) -> str:
    return f"{int((~torch.isfinite(tensor)).sum())} of {tensor.numel()} values"


def check_sizes(model: Container, inputs: Sequence[Tensor | Column]) -> None:
    """Checks that something is left of the inputs behind each layer: asked once a layer has failed.

    Args:
        model: The model.
        inputs: Its inputs.

    Raises:
        LayerError: An input is too small for a layer.
    """
    shapes = [(None, *x.shape[1:]) for x in inputs]
    model.get_output_shape_for(shapes if len(shapes) > 1 else shapes[0])
