"""A step divided among workers is the step of one worker."""

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bigdl.graph import Container, Input
from bigdl.layers import LSTM, BatchNormalization, Convolution2D, Dense, Flatten, Masking
from bigdl.training import Compiled
from bigdl.training.batches import Batch
from bigdl.training.criterion_goal import CriterionGoal
from bigdl.training.criterions import ClassNLLCriterion
from bigdl.training.inference import in_mode
from bigdl.training.optimizers import SGD
from bigdl.training.step import Step


class Threads:
    """Workers that are threads of this process."""

    rank = 0

    def __init__(self, size: int) -> None:
        self.size = size
        self._barrier = threading.Barrier(size, timeout=30)
        self._parts: list[list[Tensor]] = []

    def all_reduce(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        self._barrier.wait()
        self._parts.append([tensor.clone() for tensor in tensors])
        self._barrier.wait()
        sums = [torch.stack(parts).sum(0) for parts in zip(*self._parts, strict=True)]
        if self._barrier.wait() == 0:
            self._parts.clear()
        self._barrier.wait()
        return sums

    def sum_gradients(
        self, parameters: Sequence[Tensor], compute: Callable[[], list[Tensor]], beside: Callable[[], list[Tensor]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        gradients = compute()
        sums = self.all_reduce([*gradients, *beside()])
        return sums[: len(gradients)], sums[len(gradients) :]


def rows(batch: Batch, part: slice) -> Batch:
    weights = [None if w is None else w[part] for w in batch.weights]
    inputs = [x[part] for x in batch.inputs]
    return Batch(inputs, [y[part] for y in batch.targets], weights, batch.rows)


def in_parallel(steps: list[Step], batches: list[Batch], times: int) -> list[Any]:
    results: list[Any] = [None] * len(steps)

    def work(i: int) -> None:
        results[i] = [steps[i].train(batches[i], "somewhere") for _ in range(times)]
        with in_mode(steps[i].model, training=False):
            results[i].append(steps[i].test(batches[i]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def network() -> Container:
    x, sequence = Input((4,), name="x"), Input((5, 3), name="sequence")
    masked = LSTM(2, return_sequences=True, name="steps")(Masking()(sequence))
    hidden = Dense(6, activation="tanh", W_regularizer="l2", activity_regularizer="activity_l1", name="hidden")(x)
    return Container([x, sequence], [Dense(3, activation="softmax", name="kind")(hidden), masked])


def whole_batch() -> Batch:
    rng = np.random.RandomState(0)
    sequence = rng.rand(12, 5, 3)
    sequence[::3, 2:] = 0
    weights = rng.rand(12)
    weights[:5] = 0  # the first worker has fewer samples that count
    arrays = [rng.rand(12, 4), sequence, np.eye(3)[rng.randint(0, 3, 12)], rng.rand(12, 5, 2), weights]
    x, steps, kinds, states, weight = (torch.from_numpy(a.astype("float32")) for a in arrays)
    return Batch([x, steps], [kinds, states], [weight, None], 12)


def single_output(regularizer: str | None = "l2") -> Container:
    x = Input((4,), name="x")
    return Container(x, Dense(3, activation="softmax", W_regularizer=regularizer, name="kind")(x))


def single_batch(weighted: bool) -> Batch:
    batch = whole_batch()
    return Batch(batch.inputs[:1], batch.targets[:1], batch.weights[:1] if weighted else [None], 12)


CASES: dict[str, tuple[Callable[[], Container], Batch, dict[str, Any]]] = {
    "masks, weights and activities": (
        network,
        whole_batch(),
        {
            "loss": ["categorical_crossentropy", "mse"],
            "metrics": {"kind": ["accuracy"]},
            "loss_weights": [1.0, 0.5],
        },
    ),
    "one output, its gradient in one pass": (
        lambda: single_output(None),
        single_batch(False),
        {"loss": "categorical_crossentropy", "loss_weights": [0.5]},
    ),
    "one output": (single_output, single_batch(False), {"loss": "mse", "metrics": ["accuracy", "mae"]}),
    "one output, weighted": (single_output, single_batch(True), {"loss": "mse", "loss_weights": [0.5]}),
}


@pytest.mark.parametrize("cuts", [[0, 6, 12], [0, 1, 12], [0, 3, 4, 12], [0, 0, 12]])
@pytest.mark.parametrize("case", CASES)
def test_workers_take_the_steps_of_one(case, cuts):
    make, batch, arguments = CASES[case]
    alone = make()
    parts = [rows(batch, slice(a, b)) for a, b in itertools.pairwise(cuts)]
    group = Threads(len(parts))
    models = []
    for _ in parts:
        model = make()
        model.set_weights(alone.get_weights())
        models.append(model)

    compiled = Compiled(alone, SGD(lr=0.2, momentum=0.9), **arguments)
    expected = [compiled.step.train(batch, "here") for _ in range(3)]
    tested = compiled.step.test(batch)
    steps = [
        Step(
            model, Compiled(model, "sgd", **arguments), SGD(lr=0.2, momentum=0.9), model.trainable_weights, group=group
        )
        for model in models
    ]
    for results in in_parallel(steps, parts, 3):
        np.testing.assert_allclose(results, [*expected, tested], rtol=1e-5)
    for model in models:
        for ours, theirs in zip(model.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def normalized_network(mode: int = 0) -> Container:
    x = Input((4, 4, 2), name="x")
    images = BatchNormalization(name="images", mode=mode)(Convolution2D(3, 2, 2, dim_ordering="tf", name="conv")(x))
    return Container(x, Dense(2, name="values")(BatchNormalization(name="flat")(Flatten()(images))))


def images() -> Batch:
    rng = np.random.RandomState(1)
    x, y = (torch.from_numpy(a.astype("float32")) for a in (rng.randn(12, 4, 4, 2), rng.rand(12, 2)))
    return Batch([x], [y], [None], 12)


def steps_of(make: Callable[[], Container], alone: Container, group: Threads, shared: bool) -> list[Step]:
    steps = []
    for _ in range(group.size):
        model = make()
        model.set_weights(alone.get_weights())
        step = Step(model, Compiled(model, "sgd", "mse"), SGD(lr=0.1), model.trainable_weights, group=group)
        step.shares_statistics = shared
        steps.append(step)
    return steps


@pytest.mark.parametrize("mode", [0, 2])
@pytest.mark.parametrize("cuts", [[0, 6, 12], [0, 3, 4, 12], [0, 0, 12]])
def test_shared_statistics_are_those_of_one_worker(cuts, mode):
    batch, alone = images(), normalized_network(mode)
    parts = [rows(batch, slice(a, b)) for a, b in itertools.pairwise(cuts)]
    steps = steps_of(lambda: normalized_network(mode), alone, Threads(len(parts)), shared=True)
    compiled = Compiled(alone, SGD(lr=0.1), "mse")
    for step in (compiled.step, *steps):
        step.model.train()
    expected = [compiled.step.train(batch, "here") for _ in range(3)]
    with in_mode(alone, training=False):
        expected.append(compiled.step.test(batch))
    for results in in_parallel(steps, parts, 3):
        np.testing.assert_allclose(results, expected, rtol=1e-5)
    for step in steps:
        for ours, theirs in zip(step.model.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_running_values_move_by_the_mean_of_the_workers_own():
    batch, alone = images(), normalized_network()
    cuts = [0, 0, 4, 12]
    parts = [rows(batch, slice(a, b)) for a, b in itertools.pairwise(cuts)]
    steps = steps_of(normalized_network, alone, Threads(3), shared=False)
    for step in steps:
        step.model.train()
    kernels, bias = (torch.from_numpy(w) for w in alone.get_layer("conv").get_weights())
    before = torch.nn.functional.conv2d(batch.inputs[0].permute(0, 3, 1, 2), kernels.permute(3, 2, 0, 1), bias)
    means = [before[a:b].mean((0, 2, 3)) for a, b in [(0, 4), (4, 12)]]
    variances = [before[a:b].var((0, 2, 3), correction=0) for a, b in [(0, 4), (4, 12)]]
    in_parallel(steps, parts, 1)
    for step in steps:
        _, _, mean, variance = step.model.get_layer("images").get_weights()
        np.testing.assert_allclose(mean, 0.01 * (means[0] * 4 + means[1] * 8) / 12, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(variance, 0.99 + 0.01 * (variances[0] * 4 + variances[1] * 8) / 12, rtol=1e-5)


def test_workers_share_a_criterion():
    def classifier() -> Container:
        x = Input((4,), name="x")
        return Container(x, Dense(3, activation="softmax", name="kind")(x))

    alone = classifier()
    labels = torch.tensor([1, 2, 3, -1, 1, -1])  # padding does not count
    x = torch.from_numpy(np.random.RandomState(0).rand(6, 4).astype("float32"))
    batch = Batch([x], [labels], [None], 6)
    goal = CriterionGoal(ClassNLLCriterion(weights=np.array([1, 2, 3.0]), logProbAsInput=False))
    group = Threads(2)
    steps = []
    for _ in range(2):
        model = classifier()
        model.set_weights(alone.get_weights())
        steps.append(Step(model, goal, SGD(lr=0.5), model.trainable_weights, group=group))
    step = Step(alone, goal, SGD(lr=0.5), alone.trainable_weights)
    expected = [step.train(batch, "here"), step.test(batch)]
    results = in_parallel(steps, [rows(batch, slice(0, 2)), rows(batch, slice(2, 6))], 1)
    np.testing.assert_allclose(results, [expected, expected], rtol=1e-5)
    np.testing.assert_allclose(steps[0].model.get_weights()[0], alone.get_weights()[0], rtol=1e-5)


def test_a_model_without_weights_to_move_is_left_alone():
    x = Input((4,), name="x")
    model = Container(x, Dense(3, trainable=False)(x))
    before = model.get_weights()[0]
    loss, *_ = Compiled(model, "sgd", "mse").step.train(
        Batch([torch.ones(2, 4)], [torch.ones(2, 3)], [None], 2), "here"
    )
    assert loss > 0
    np.testing.assert_array_equal(model.get_weights()[0], before)
