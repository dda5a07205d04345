"""What this library and the original Keras have in common: the API."""

import importlib
from typing import Any, Dict

import numpy as np

from benchmarks.builders.keras1 import Keras1Builder
from benchmarks.workloads import Workload

BATCHES = 64
"""The most batches of training data; training on more goes over them again."""


class Keras1Runner:
    """Trains with ``fit`` and predicts with ``predict``.

    Args:
        package: The package with Keras 1's API.
        workload: What to run.

    Attributes:
        parameters: How many numbers the weights are, without the running values.
        versions: The packages that matter.
        flops: The multiplications and additions in the products of one batch; a training step counts for three times.
    """

    def __init__(self, package: str, workload: Workload) -> None:
        self.workload = workload
        builder = Keras1Builder(package, workload.ordering)
        self.model = workload.build(builder)
        self.flops = builder.flops * workload.batch * (3 if workload.training else 1)
        self.parameters = sum(int(np.prod(w.shape)) for w in self._trained(package))
        self.versions: Dict[str, str] = {}
        if workload.training:
            optimizer = importlib.import_module(package + ".optimizers").get(workload.optimizer)
            self.model.compile(optimizer=optimizer, loss=workload.loss)
        self.x, self.y = workload.data(workload.batch)
        self._rows = workload.batch

    def _trained(self, package: str) -> Any:
        if package == "keras":
            backend = importlib.import_module("keras.backend")
            return [backend.get_value(w) for w in self.model.trainable_weights]
        return self.model.trainable_weights

    def run(self, calls: int) -> None:
        """Runs batches."""
        if not self.workload.training:
            for _ in range(calls):
                self.predict()
            return
        while calls:
            now = min(calls, BATCHES)
            rows = now * self.workload.batch
            if rows > len(self.x):
                self.x, self.y = self.workload.data(rows)
            self.model.fit(self.x[:rows], self.y[:rows], batch_size=self.workload.batch, nb_epoch=1, verbose=0)
            calls -= now

    def predict(self) -> Any:
        """Returns the output for one batch."""
        return self.model.predict(self.x, batch_size=self.workload.batch)
