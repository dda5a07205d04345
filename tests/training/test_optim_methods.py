"""BigDL's optim methods against its formulas in NumPy, step by step on given gradients."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from bigdl.errors import DataError, WeightMismatchError
from bigdl.layers import Dense
from bigdl.training import optimizers
from bigdl.training.optim_methods import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    Ftrl,
    OptimMethod,
    ParallelAdam,
    RMSprop,
)
from bigdl.training.schedules import Step
from tests.training.goldens import Array, assert_close

STEPS = 20
START = np.random.RandomState(0).normal(0, 1, (4, 3))
GRADIENTS = np.random.RandomState(1).normal(0, 1, (STEPS, 4, 3))


def layer_at_start() -> Dense:
    layer = Dense(3, input_shape=(4,), bias=False)
    layer.ensure_built((None, 4))
    layer.set_weights([START])
    return layer


def run(method: OptimMethod, gradients: Array = GRADIENTS, layer: Dense | None = None) -> list[Array]:
    """The weights after each step."""
    layer = layer or layer_at_start()
    method.bind(layer.trainable_weights)
    found = []
    for gradient in gradients:
        layer.weight.grad = torch.from_numpy(gradient.T.astype("float32").copy())
        method.step()
        found.append(layer.get_weights()[0])
    return found


def sgd(lr=1e-3, decay=0.0, wd=0.0, momentum=0.0, dampening=0.0, nesterov=False) -> Iterator[Array]:
    p, v = START.copy(), np.zeros_like(START)
    for i, g in enumerate(GRADIENTS):
        g = g + wd * p
        if momentum:
            v = g if i == 0 else momentum * v + (1 - dampening) * g
            g = g + momentum * v if nesterov else v
        p = p - lr / (1 + i * decay) * g
        yield p


def adagrad(lr=1e-3, decay=0.0, wd=0.0) -> Iterator[Array]:
    p, a = START.copy(), np.zeros_like(START)
    for i, g in enumerate(GRADIENTS):
        g = g + wd * p
        a += g * g
        p = p - lr / (1 + i * decay) * g / (np.sqrt(a) + 1e-10)
        yield p


def adadelta(rho=0.9, epsilon=1e-10) -> Iterator[Array]:
    p, a, d = START.copy(), np.zeros_like(START), np.zeros_like(START)
    for g in GRADIENTS:
        a = rho * a + (1 - rho) * g * g
        delta = np.sqrt(d + epsilon) / np.sqrt(a + epsilon) * g
        p = p - delta
        d = rho * d + (1 - rho) * delta * delta
        yield p


def adam(lr=1e-3, decay=0.0, beta1=0.9, beta2=0.999, epsilon=1e-8) -> Iterator[Array]:
    p, s, r = START.copy(), np.zeros_like(START), np.zeros_like(START)
    for t, g in enumerate(GRADIENTS, 1):
        s, r = beta1 * s + (1 - beta1) * g, beta2 * r + (1 - beta2) * g * g
        rate = lr / (1 + (t - 1) * decay) * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        p = p - rate * s / (np.sqrt(r) + epsilon)
        yield p


def adamax(lr=2e-3, beta1=0.9, beta2=0.999, epsilon=1e-38) -> Iterator[Array]:
    p, m, u = START.copy(), np.zeros_like(START), np.zeros_like(START)
    for t, g in enumerate(GRADIENTS, 1):
        m, u = beta1 * m + (1 - beta1) * g, np.maximum(beta2 * u, np.abs(g) + epsilon)
        p = p - lr / (1 - beta1**t) * m / u
        yield p


def rmsprop(lr=1e-2, decay=0.0, rho=0.99, epsilon=1e-8) -> Iterator[Array]:
    p, a = START.copy(), np.zeros_like(START)
    for i, g in enumerate(GRADIENTS):
        a = rho * a + (1 - rho) * g * g
        p = p - lr / (1 + i * decay) * g / (np.sqrt(a) + epsilon)
        yield p


def ftrl(lr=1e-3, power=-0.5, initial=0.1, l1=0.0, l2=0.0, shrinkage=0.0) -> Iterator[Array]:
    p, a, z = START.copy(), np.full_like(START, initial), np.zeros_like(START)
    for g in GRADIENTS:
        g = g + 2 * shrinkage * p
        new = a + g * g
        z = z + g - (new**-power - a**-power) / lr * p
        p = np.where(np.abs(z) > l1, (np.sign(z) * l1 - z) / (new**-power / lr + 2 * l2), 0.0)
        a = new
        yield p


CASES: list[tuple[OptimMethod, Iterator[Array]]] = [
    (SGD(), sgd()),
    (SGD(0.1, 0.05, 0.01, 0.9), sgd(0.1, 0.05, 0.01, 0.9, dampening=0.9)),
    (SGD(0.1, momentum=0.9, dampening=0.3), sgd(0.1, momentum=0.9, dampening=0.3)),
    (SGD(0.1, momentum=0.9, dampening=0.0, nesterov=True), sgd(0.1, momentum=0.9, nesterov=True)),
    (SGD(0.1, weightdecay=0.1), sgd(0.1, wd=0.1)),
    (Adagrad(), adagrad()),
    (Adagrad(0.1, 0.1, 0.05), adagrad(0.1, 0.1, 0.05)),
    (Adadelta(), adadelta()),
    (Adadelta(0.8, 1e-4), adadelta(0.8, 1e-4)),
    (Adam(), adam()),
    (Adam(0.1, 0.1, 0.8, 0.9, 1e-3), adam(0.1, 0.1, 0.8, 0.9, 1e-3)),
    (ParallelAdam(0.1, parallel_num=4), adam(0.1)),
    (Adamax(), adamax()),
    (Adamax(0.1, 0.8, 0.9), adamax(0.1, 0.8, 0.9)),
    (RMSprop(), rmsprop()),
    (RMSprop(0.1, 0.1, 0.8, 1e-3), rmsprop(0.1, 0.1, 0.8, 1e-3)),
    (Ftrl(), ftrl()),
    (Ftrl(0.1, -0.4, 0.2, 0.3, 0.4, 0.05), ftrl(0.1, -0.4, 0.2, 0.3, 0.4, 0.05)),
]


@pytest.mark.parametrize(("method", "formula"), CASES, ids=lambda case: type(case).__name__)
def test_steps_follow_the_formulas(method, formula):
    for ours, theirs in zip(run(method), formula, strict=True):
        assert_close(ours, theirs)


def test_nesterov_alone_means_no_dampening():
    momentum = SGD(0.1, momentum=0.9, nesterov=True)
    assert float(momentum.dampening) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(nesterov=True), "momentum above 0"),
        (lambda: SGD(momentum=0.9, dampening=0.1, nesterov=True), "dampening of 0"),
        (lambda: Ftrl(learningrate_power=0.5), "lr_power=0.5"),
        (lambda: Ftrl(l1_regularization_strength=-1), "l1=-1"),
        (lambda: LBFGS(linesearch_options={}), "linesearch"),
    ],
)
def test_bad_arguments_are_refused(make: Callable[[], OptimMethod], message):
    with pytest.raises(DataError, match=message):
        make()


def test_a_schedule_gives_the_rate():
    method = SGD(0.1, leaningrate_schedule=Step(3, 0.5))
    rates = -np.diff([START, *run(method, np.ones((7, 4, 3)))], axis=0)[:, 0, 0]
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025], rel=1e-5)


@pytest.mark.parametrize("method", [case[0] for case in CASES] + [LBFGS()], ids=lambda method: type(method).__name__)
def test_configurations_are_read_back_as_the_same_maths(method):
    again = optimizers.get(optimizers.serialize(method))
    assert optimizers.serialize(again) == optimizers.serialize(method)
    assert isinstance(method, type(again))


def quadratic(seed: int) -> tuple[Array, Array]:
    rng = np.random.RandomState(seed)
    root = rng.normal(0, 1, (12, 12))
    return root @ root.T / 12 + np.eye(12), rng.normal(0, 1, 12)


def lbfgs_on_quadratic(steps: int, method: LBFGS, layer: Dense) -> float:
    """Minimizes ``x A x / 2 - b x`` and returns the norm of the gradient."""
    a, b = quadratic(0)
    gradient = np.zeros(12)
    for _ in range(steps):
        gradient = a @ layer.get_weights()[0].astype("float64").ravel() - b
        run(method, gradient.reshape(1, 4, 3), layer)
    return float(np.linalg.norm(gradient))


def test_lbfgs_finds_the_minimum_of_a_quadratic():
    assert lbfgs_on_quadratic(30, LBFGS(tolfun=0.0, tolx=0.0), layer_at_start()) < 1e-4


def test_lbfgs_takes_the_first_steps_of_the_two_loop_recursion():
    first = run(LBFGS(), GRADIENTS[:2])
    g0, g1 = GRADIENTS[0].ravel(), GRADIENTS[1].ravel()
    s = -g0 * min(1, 1 / np.abs(g0).sum())
    assert_close(first[0], START + s.reshape(4, 3))
    y = g1 - g0
    if y @ s > 1e-10:
        v = np.eye(12) - np.outer(y, s) / (y @ s)
        inverse = v.T @ v * (y @ s) / (y @ y) + np.outer(s, s) / (y @ s)
    else:
        inverse = np.eye(12)
    assert_close(first[1], first[0] - (inverse @ g1).reshape(4, 3))


def test_lbfgs_resumes_and_keeps_a_limited_history():
    method, layer = LBFGS(ncorrection=3), layer_at_start()
    lbfgs_on_quadratic(6, method, layer)
    state, weights = method.state_dict(), layer.get_weights()
    assert sum(key.startswith("step.") for key in state) == 3
    again, copy = LBFGS(ncorrection=3), layer_at_start()
    copy.set_weights(weights)
    again.bind(copy.trainable_weights)
    again.load_state_dict(state)
    lbfgs_on_quadratic(3, method, layer)
    lbfgs_on_quadratic(3, again, copy)
    assert np.array_equal(layer.get_weights()[0], copy.get_weights()[0])
    with pytest.raises(WeightMismatchError, match="12 numbers"):
        again.load_state_dict({**state, "step.0": torch.zeros(5)})
