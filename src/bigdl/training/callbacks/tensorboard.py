"""Keras 1.2.2's callback for TensorBoard."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bigdl.files import Uri
from bigdl.graph import Container
from bigdl.graph.tensor import as_list
from bigdl.training.batches import ArraySource, Samples
from bigdl.training.callbacks.base import Callback, Logs
from bigdl.training.events import Distribution, EventWriter, check_tensorboard
from bigdl.training.inference import DEFAULT_BATCH_SIZE, in_mode
from bigdl.training.regularization import forget_activity, penalised_layers


class TensorBoard(Callback):
    """Writes event files for TensorBoard: what each epoch reports, the graph, and distributions.

    Args:
        log_dir: The folder, a path or a URI.
        histogram_freq: Epochs from one set of histograms to the next: of all weights, and of all layers' outputs for
            the validation data. 0 for none, and none without validation data, as in Keras.
        write_graph: Whether the graph of layers is written.
        write_images: Whether weights are also written as pictures, beside the histograms.

    Raises:
        DataError: The package ``tensorboard`` is not installed.
    """

    def __init__(
        self, log_dir: Uri = "./logs", histogram_freq: int = 0, write_graph: bool = True, write_images: bool = False
    ) -> None:
        check_tensorboard()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images

    def on_train_begin(self, logs: Logs = None) -> None:
        """Opens an event file."""
        self.writer = EventWriter(self.log_dir, self.resumed_epoch)
        if self.write_graph:
            self.writer.graph(_nodes(self.model))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes what is reported, and the histograms if it is time to."""
        held_out = self.model.held_out
        if held_out is not None and self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_distributions(held_out, epoch)
        for name, value in (logs or {}).items():
            if name not in ("batch", "size"):
                self.writer.scalar(name, value, epoch)
        self.writer.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Closes the file."""
        self.writer.close()

    def _write_distributions(self, held_out: Samples, epoch: int) -> None:
        for layer in self.model.layers:
            for weight in layer.weights:
                values = weight.numpy()
                tag = f"{weight.module.name}_{weight.name}"
                self.writer.histogram(tag, values, epoch)
                if self.write_images:
                    self.writer.image(tag, _as_picture(values), epoch)
        for name, found in _outputs(self.model, held_out).items():
            self.writer.histogram(f"{name}_out", found, epoch)


def _nodes(model: Container) -> Iterator[tuple[str, str, list[str]]]:
    layers = {layer.name for layer in model.layers}
    yield from ((name, "InputLayer", []) for name in model.input_names if name not in layers)
    for layer in model.layers:
        calls = [node for node in layer.inbound_nodes if node in model.graph.nodes]
        sources = dict.fromkeys(tensor.layer.name for node in calls for tensor in node.inputs)
        yield layer.name, type(layer).__name__, list(sources)


def _as_picture(values: NDArray[Any]) -> NDArray[Any]:
    """Returns values in two axes, the longer one to the right; the axes behind the first are joined."""
    squeezed = np.squeeze(values)
    rows = squeezed.reshape(len(squeezed), -1) if squeezed.ndim > 1 else squeezed.reshape(1, -1)
    return rows.T if rows.shape[0] > rows.shape[1] else rows


def _outputs(model: Container, samples: Samples) -> dict[str, Distribution]:
    """Returns how the outputs of each layer are distributed, for samples in evaluation mode."""
    found: defaultdict[str, Distribution] = defaultdict(Distribution)

    def add(layer: Any, inputs: Any, outputs: Any) -> None:
        for tensor in as_list(outputs):
            found[layer.name].add(tensor.cpu().numpy())

    hooks = [layer.register_forward_hook(add) for layer in model.layers]
    try:
        with in_mode(model, training=False), torch.no_grad():
            for batch in ArraySource(samples, DEFAULT_BATCH_SIZE).batches():
                model.run(batch.inputs)
    finally:
        for hook in hooks:
            hook.remove()
    forget_activity(penalised_layers(model))
    return dict(found)
