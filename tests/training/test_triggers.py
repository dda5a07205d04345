from dataclasses import dataclass

import pytest

from bigdl.training.triggers import (
    EveryEpoch,
    MaxEpoch,
    MaxIteration,
    MaxScore,
    MinLoss,
    SeveralIteration,
    Trigger,
    TriggerAnd,
    TriggerOr,
)


@dataclass
class State:
    epoch: int = 1
    iteration: int = 0
    epoch_finished: bool = False
    loss: float = float("nan")
    score: float | None = None


def run(trigger: Trigger, epochs: int = 4, batches: int = 3) -> list[int]:
    """The iterations, of ``epochs`` epochs of ``batches`` each, after which the trigger holds."""
    found = []
    for i in range(1, epochs * batches + 1):
        state = State(epoch=(i - 1) // batches + 1, iteration=i, epoch_finished=i % batches == 0)
        if trigger(state):
            found.append(i)
    return found


def test_end_triggers_hold_from_their_end_on():
    assert run(MaxEpoch(2))[0] == 6
    assert run(MaxIteration(4))[0] == 4
    assert MaxEpoch(2)(State(epoch=3))


def test_recurring_triggers():
    assert run(EveryEpoch()) == [3, 6, 9, 12]
    assert run(SeveralIteration(5)) == [5, 10]
    assert not SeveralIteration(5)(State())


@pytest.mark.parametrize(
    ("trigger", "state", "holds"),
    [
        (MaxScore(0.5), State(), False),
        (MaxScore(0.5), State(score=0.5), False),
        (MaxScore(0.5), State(score=0.6), True),
        (MinLoss(0.1), State(), False),
        (MinLoss(0.1), State(loss=0.1), False),
        (MinLoss(0.1), State(loss=0.05), True),
    ],
)
def test_thresholds(trigger, state, holds):
    assert trigger(state) is holds


def test_and_or():
    assert run(TriggerAnd(EveryEpoch(), SeveralIteration(2))) == [6, 12]
    assert run(TriggerOr(EveryEpoch(), SeveralIteration(5), MaxIteration(11))) == [3, 5, 6, 9, 10, 11, 12]
