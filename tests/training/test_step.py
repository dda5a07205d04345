"""A step divided among workers is the step of one worker."""

import itertools
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bigdl.graph import Container, Input
from bigdl.layers import LSTM, Dense, Masking
from bigdl.training import Compiled
from bigdl.training.batches import Batch
from bigdl.training.criterion_goal import CriterionGoal
from bigdl.training.criterions import ClassNLLCriterion
from bigdl.training.optimizers import SGD
from bigdl.training.step import Step


class Threads:
    """Workers that are threads of this process."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._barrier = threading.Barrier(size, timeout=30)
        self._parts: list[list[Tensor]] = []

    def all_reduce(self, tensors: Sequence[Tensor]) -> None:
        self._barrier.wait()
        self._parts.append([tensor.clone() for tensor in tensors])
        self._barrier.wait()
        for tensor, *parts in zip(tensors, *self._parts, strict=True):
            tensor.copy_(torch.stack(parts).sum(0))
        if self._barrier.wait() == 0:
            self._parts.clear()
        self._barrier.wait()


def rows(batch: Batch, part: slice) -> Batch:
    weights = [None if w is None else w[part] for w in batch.weights]
    inputs = [x[part] for x in batch.inputs]
    return Batch(inputs, [y[part] for y in batch.targets], weights, len(inputs[0]))


def in_parallel(steps: list[Step], batches: list[Batch], times: int) -> list[Any]:
    results: list[Any] = [None] * len(steps)

    def work(i: int) -> None:
        results[i] = [steps[i].train(batches[i], "somewhere") for _ in range(times)]

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


@pytest.mark.parametrize("cuts", [[0, 6, 12], [0, 1, 12], [0, 3, 4, 12]])
def test_workers_take_the_steps_of_one(cuts):
    batch, alone = whole_batch(), network()
    parts = [rows(batch, slice(a, b)) for a, b in itertools.pairwise(cuts)]
    group = Threads(len(parts))
    models = []
    for _ in parts:
        model = network()
        model.set_weights(alone.get_weights())
        models.append(model)
    arguments: dict[str, Any] = {
        "loss": ["categorical_crossentropy", "mse"],
        "metrics": {"kind": ["accuracy"]},
        "loss_weights": [1.0, 0.5],
    }

    compiled = Compiled(alone, SGD(lr=0.2, momentum=0.9), **arguments)
    expected = [compiled.step.train(batch, "here") for _ in range(3)]
    steps = [
        Step(
            model, Compiled(model, "sgd", **arguments), SGD(lr=0.2, momentum=0.9), model.trainable_weights, group=group
        )
        for model in models
    ]
    for results in in_parallel(steps, parts, 3):
        np.testing.assert_allclose(results, expected, rtol=1e-5)
    for model in models:
        for ours, theirs in zip(model.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


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
    expected = [Step(alone, goal, SGD(lr=0.5), alone.trainable_weights).train(batch, "here")]
    results = in_parallel(steps, [rows(batch, slice(0, 2)), rows(batch, slice(2, 6))], 1)
    np.testing.assert_allclose(results, [expected, expected], rtol=1e-6)
    np.testing.assert_allclose(steps[0].model.get_weights()[0], alone.get_weights()[0], rtol=1e-6)


def test_a_model_without_weights_to_move_is_left_alone():
    x = Input((4,), name="x")
    model = Container(x, Dense(3, trainable=False)(x))
    before = model.get_weights()[0]
    loss, *_ = Compiled(model, "sgd", "mse").step.train(
        Batch([torch.ones(2, 4)], [torch.ones(2, 3)], [None], 2), "here"
    )
    assert loss > 0
    np.testing.assert_array_equal(model.get_weights()[0], before)
