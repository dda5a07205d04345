"""Plain JAX: one compiled function for a training step, one for a prediction."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.builders.jax_graph import JaxBuilder
from benchmarks.workloads import Workload


class Runner:
    """See the module; it has no options."""

    def __init__(self, workload: Workload, options: str = "") -> None:
        self.workload = workload
        builder = JaxBuilder()
        self.apply = workload.build(builder)
        self.weights, self.state = builder.parameters, builder.state
        self.parameters = sum(w.size for w in jax.tree.leaves(self.weights))
        self.versions = {"jax": jax.__version__}
        self.key = jax.random.key(0)
        self.x, self.y = workload._replace(ordering="tf").data(workload.batch)
        self.update, start = OPTIMIZERS[workload.optimizer or "sgd"]
        self.moments = jax.tree.map(start, self.weights)
        self.step = jax.jit(self._step, donate_argnums=(0, 1, 2))
        self.output = jax.jit(lambda weights, state, x: self.apply(weights, state, self.key, x, False)[0])

    def _step(self, weights: Any, state: Any, moments: Any, key: Any, x: Any, y: Any) -> Any:
        (loss, state), gradients = jax.value_and_grad(self._loss, has_aux=True)(weights, state, key, x, y)
        leaves, tree = jax.tree.flatten(weights)
        moved = [
            self.update(p, g, m)
            for p, g, m in zip(leaves, tree.flatten_up_to(gradients), tree.flatten_up_to(moments), strict=True)
        ]
        return tree.unflatten([p for p, _ in moved]), state, tree.unflatten([m for _, m in moved]), loss

    def _loss(self, weights: Any, state: Any, key: Any, x: Any, y: Any) -> Any:
        p, state = self.apply(weights, state, key, x, True)
        p = jnp.clip(p, 1e-7, 1 - 1e-7)
        if self.workload.classes == 1:
            return -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p)).mean(), state
        return -(y * jnp.log(p)).sum(-1).mean(), state

    def run(self, calls: int) -> None:
        """Runs batches."""
        if not self.workload.training:
            for _ in range(calls):
                np.asarray(self.output(self.weights, self.state, self.x))
            return
        batch = self.workload.batch
        while calls:
            now = min(calls, 64)
            if now * batch > len(self.x):
                self.x, self.y = self.workload._replace(ordering="tf").data(now * batch)
            order = np.random.permutation(now * batch)
            losses = []
            for start in range(0, now * batch, batch):
                rows = order[start : start + batch]
                self.key, key = jax.random.split(self.key)
                self.weights, self.state, self.moments, loss = self.step(
                    self.weights, self.state, self.moments, key, self.x[rows], self.y[rows]
                )
                losses.append(loss)
            float(sum(losses))
            calls -= now


def _sgd(p: Any, g: Any, m: Any) -> Any:
    return p - 0.01 * g, m


def _rmsprop(p: Any, g: Any, m: Any) -> Any:
    m = 0.9 * m + 0.1 * g * g
    return p - 0.001 * g / (jnp.sqrt(m) + 1e-7), m


def _adadelta(p: Any, g: Any, m: Any) -> Any:
    a, d = m
    a = 0.95 * a + 0.05 * g * g
    u = g * jnp.sqrt(d + 1e-7) / jnp.sqrt(a + 1e-7)
    return p - u, (a, 0.95 * d + 0.05 * u * u)


def _adam(p: Any, g: Any, m: Any) -> Any:
    t, a, v = m
    t, a, v = t + 1, 0.9 * a + 0.1 * g, 0.999 * v + 0.001 * g * g
    rate = 0.001 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return p - rate * a / (jnp.sqrt(v) + 1e-7), (t, a, v)


OPTIMIZERS = {
    "sgd": (_sgd, lambda p: ()),
    "rmsprop": (_rmsprop, jnp.zeros_like),
    "adadelta": (_adadelta, lambda p: (jnp.zeros_like(p), jnp.zeros_like(p))),
    "adam": (_adam, lambda p: (jnp.zeros(()), jnp.zeros_like(p), jnp.zeros_like(p))),
}
