"""From the loop to BigDL's summaries."""

from __future__ import annotations

import time
from typing import Any

from bigdl.graph import Container, Weight
from bigdl.training.layerwise import LayerwiseOptimizer
from bigdl.training.loop import Hook
from bigdl.training.optimizers import Optimizer
from bigdl.training.state import TrainingState
from bigdl.training.summaries import TrainSummary


class SummaryHook(Hook):
    """Writes to a summary what is due of loss, throughput, learning rate, weights and gradients.

    Args:
        summary: The summary, open for writing.
        model: The model.
        optimizer: The optimizer.
    """

    def __init__(self, summary: TrainSummary, model: Container, optimizer: Optimizer | LayerwiseOptimizer) -> None:
        self._summary = summary
        self._model = model
        self._optimizer = optimizer

    def on_batch_begin(self, state: TrainingState, rows: int) -> None:
        """Starts the clock, and reads the rates that the step is taken with."""
        if self._summary.reports("LearningRate"):
            self._rates = self._optimizer.learning_rates()
        self._started = time.perf_counter()

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Writes what is due."""
        seconds = time.perf_counter() - self._started
        summary, step = self._summary, state.iteration
        if summary.is_due("Loss", state):
            summary.writer.scalar("Loss", results[0], step)
        if summary.is_due("Throughput", state):
            summary.writer.scalar("Throughput", rows / seconds, step)
        if summary.is_due("LearningRate", state):
            for name, rate in self._rates.items():
                summary.writer.scalar(f"LearningRate/{name}" if name else "LearningRate", rate, step)
        if summary.is_due("Parameters", state):
            for layer in self._model.weight_layers:
                for weight in layer.weights:
                    self._distributions(weight, step)

    def _distributions(self, weight: Weight, step: int) -> None:
        tag = f"{weight.module.name}/{weight.name}"
        self._summary.writer.histogram(tag, weight.numpy(), step)
        gradient: Any = weight.parameter.grad
        if gradient is not None:
            gradient = gradient.to_dense() if gradient.is_sparse else gradient
            self._summary.writer.histogram(f"{tag}/gradient", weight.view(gradient).cpu().numpy(), step)
