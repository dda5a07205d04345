"""Executors and workers that die: training goes on, and ends with the same bits."""

import random
from typing import Any

import numpy as np
import pytest

from bigdl.errors import DistributedError
from bigdl.keras.callbacks import Callback
from bigdl.layers import Dense, Dropout
from bigdl.models import Sequential
from bigdl.optim.optimizer import EveryEpoch, SeveralIteration, Top1Accuracy
from bigdl.spark.options import Options
from tests.spark.faults import Fault, kill_executor, kill_worker, leave
from tests.spark.models import arrays, frame, network, optimizer

pytestmark = pytest.mark.timeout(900)  # executors take minutes to start on a busy machine

EPOCHS, STEPS = 3, 7  # steps of an epoch
NEVER = 10**9


def with_dropout() -> Any:
    network()  # seeds
    return Sequential([Dense(8, input_dim=4), Dropout(0.3), Dense(3, activation="softmax", name="classes")])


def trained(spark: Any, tmp_path: Any, fault: Any, trigger: Any = None) -> Any:
    data = frame(spark, *arrays())
    ours = optimizer(data, model=with_dropout(), epochs=EPOCHS, options=Options(timeout=60))
    ours.set_validation(50, data, EveryEpoch(), [Top1Accuracy()])
    ours.set_criterion(fault)
    ours.set_checkpoint(trigger or EveryEpoch(), tmp_path / "kept")
    ours.optimize(verbose=0)
    return ours


@pytest.fixture(scope="module")
def undisturbed(sessions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return trained(sessions.get("cluster"), folder, Fault(folder / "done", NEVER, leave))


@pytest.mark.parametrize(("action", "trigger"), [(kill_executor, None), (kill_worker, SeveralIteration(2))])
def test_a_lost_worker_leaves_no_trace(spark, undisturbed, tmp_path, action, trigger):
    step = random.Random().randint(1, EPOCHS * STEPS)
    ours = trained(spark, tmp_path, Fault(tmp_path / "done", step, action), trigger)
    assert (tmp_path / "done").exists()
    for now, then in zip(ours.model.get_weights(), undisturbed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(now, then, err_msg=f"after a loss at step {step}")
    assert ours.history == undisturbed.history
    assert ours.state == undisturbed.state


def test_without_checkpoints_it_says_what_is_lost(spark, tmp_path):
    ours = optimizer(frame(spark, *arrays()), epochs=EPOCHS)
    ours.set_criterion(Fault(tmp_path / "done", 9, leave))
    before = [weight.copy() for weight in ours.model.get_weights()]
    with pytest.raises(DistributedError, match=r"A worker was lost.*all 8 iterations since the start are lost"):
        ours.optimize(verbose=0)
    for now, then in zip(ours.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_losses_are_made_good_as_often_as_asked(spark, tmp_path):
    ours = optimizer(frame(spark, *arrays()), options=Options(retries=0))
    ours.set_criterion(Fault(tmp_path / "done", 2, kill_worker))
    ours.set_checkpoint(EveryEpoch(), tmp_path / "kept")
    with pytest.raises(DistributedError, match="given up after 1 losses of workers"):
        ours.optimize(verbose=0)


class Told(Callback):
    """Keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(("begin", epoch))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(("batch", batch))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(("end", epoch))


def test_fit_goes_on_from_the_last_epoch(spark, tmp_path):
    """Its callbacks are told of each epoch once."""
    x, y = arrays()
    fault = Fault(tmp_path / "done", STEPS + 3, kill_worker)

    def loss(y_true: Any, y_pred: Any) -> Any:
        fault(y_pred.detach(), y_true.detach().long().reshape(-1) + 1)
        return (y_pred - y_true).square().mean(-1)

    results = []
    for objective in (lambda a, b: (b - a).square().mean(-1), loss):
        model = with_dropout()
        model.compile("adam", objective)
        told = Told()
        np.random.seed(1)
        history = model.fit(frame(spark, x, y - 1), nb_epoch=EPOCHS, verbose=0, callbacks=[told])
        results.append((model.get_weights(), told.seen, history.history))
    (expected, in_order, losses), (ours, seen, found) = results
    assert (tmp_path / "done").exists()
    assert seen == in_order
    assert found == losses
    for now, then in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(now, then)
