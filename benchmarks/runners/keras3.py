"""Keras 3, on the backend that the option names: ``tensorflow``, ``jax`` or ``torch``; ``tensorflow+xla`` compiles."""

import importlib
import math
import os
from typing import Any

from benchmarks.workloads import Workload


class Runner:
    """Trains with ``fit`` and predicts with ``predict_on_batch``, the quickest way from NumPy to NumPy.

    Args:
        workload: What to run.
        options: The backend, and whether TensorFlow compiles with XLA.
    """

    def __init__(self, workload: Workload, options: str) -> None:
        backend, _, compiler = options.partition("+")
        os.environ["KERAS_BACKEND"] = backend
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras

        from benchmarks.builders.keras3 import Keras3Builder

        framework: Any = importlib.import_module(backend)
        self.workload = workload
        self.model = workload.build(Keras3Builder())
        self.parameters = sum(math.prod(w.shape) for w in self.model.trainable_weights)
        self.versions = {"keras": keras.__version__, backend: framework.__version__}
        self.model.compile(
            optimizer=workload.optimizer or "sgd", loss=workload.loss, jit_compile=bool(compiler) or backend == "jax"
        )
        self.x, self.y = workload._replace(ordering="tf").data(workload.batch)

    def run(self, calls: int) -> None:
        """Runs batches."""
        if not self.workload.training:
            for _ in range(calls):
                self.model.predict_on_batch(self.x)
            return
        while calls:
            now = min(calls, 64)
            rows = now * self.workload.batch
            if rows > len(self.x):
                self.x, self.y = self.workload._replace(ordering="tf").data(rows)
            self.model.fit(self.x[:rows], self.y[:rows], batch_size=self.workload.batch, epochs=1, verbose=0)
            calls -= now
