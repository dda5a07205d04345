"""Schedules against BigDL's formulas."""

import json
import math
from dataclasses import dataclass

import pytest

from bigdl.errors import DataError, FormatError, TrainingError, WeightMismatchError
from bigdl.training.optim_methods import SGD
from bigdl.training.schedules import (
    Default,
    Exponential,
    Moment,
    MultiStep,
    Plateau,
    Poly,
    Schedule,
    SequentialSchedule,
    Step,
    Warmup,
    get,
    serialize,
)


def rates(schedule: Schedule, steps: int, decay: float = 0.0, base: float = 0.1) -> list[float]:
    return [schedule.rate(base, Moment(i, decay)) for i in range(steps)]


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (Default(), lambda i: 0.1 / (1 + 0.2 * i)),
        (Poly(0.5, 4), lambda i: 0.1 * math.sqrt(1 - i / 4) if i <= 4 else 0.0),
        (Exponential(3, 0.5), lambda i: 0.1 * 0.5 ** (i / 3)),
        (Exponential(3, 0.5, True), lambda i: 0.1 * 0.5 ** (i // 3)),
        (Step(2, 0.3), lambda i: 0.1 * 0.3 ** (i // 2)),
        (MultiStep([2, 5], 0.3), lambda i: 0.1 * (1 if i < 2 else 0.3 if i < 5 else 0.09)),
        (Warmup(0.05), lambda i: 0.1 + 0.05 * i),
    ],
    ids=lambda case: type(case).__name__,
)
def test_rates(schedule, formula):
    assert rates(schedule, 8, decay=0.2) == pytest.approx([formula(i) for i in range(8)])
    assert schedule.state_dict() == {}
    schedule.load_state_dict({})
    with pytest.raises(WeightMismatchError, match="best"):
        schedule.load_state_dict({"best": 1.0})


def by_epoch(plateau: Schedule, values: list[float], base: float = 0.1) -> list[float]:
    """The rate in each epoch; the first is before any value."""
    found = []
    for epoch in range(1, len(values) + 2):
        value = values[epoch - 2] if epoch > 1 else None
        found.append([plateau.rate(base, Moment(epoch, epoch=epoch, loss=value, score=value)) for _ in range(3)])
    assert all(len(set(rates)) == 1 for rates in found)
    return [rates[0] for rates in found]


def test_plateau_waits_and_cools_down():
    # Epoch 2 sets the best value, 3 and 4 are waited for, 5 reduces, 6 cools down, 7 and 8 are waited for, 9 reduces.
    plateau = Plateau("Loss", factor=0.5, patience=2, cooldown=2)
    assert by_epoch(plateau, [1.0] * 9) == pytest.approx([0.1] * 4 + [0.05] * 4 + [0.025] * 2)


def test_plateau_counts_only_real_improvements():
    plateau = Plateau("score", factor=0.5, patience=1, mode="max", epsilon=0.1, min_lr=0.04)
    assert by_epoch(plateau, [0.5, 0.7, 0.75, 0.75, 0.75, 0.75]) == pytest.approx([0.1] * 4 + [0.05] + [0.04] * 2)


def test_plateau_remembers():
    plateau, again = Plateau("Loss", patience=1), Plateau("Loss", patience=1)
    by_epoch(plateau, [1.0, 1.0])
    again.load_state_dict(plateau.state_dict())
    moment = Moment(9, epoch=4, loss=1.0)
    assert plateau.rate(0.1, moment) == again.rate(0.1, moment) == pytest.approx(0.01)


def test_plateau_refuses_what_it_cannot_use():
    for arguments in ({"monitor": "score", "factor": 1.5}, {"monitor": "Loss", "mode": "up"}, {"monitor": "acc"}):
        with pytest.raises(DataError, match="Plateau expects"):
            Plateau(**arguments)
    with pytest.raises(TrainingError, match="set_validation"):
        Plateau("score").rate(0.1, Moment(5, epoch=2))


def sequence() -> SequentialSchedule:
    return SequentialSchedule(5).add(Warmup(0.1), 3).add(Step(2, 0.5), 4).add(Poly(1.0, 20), 100)


def test_sequential_schedules_start_from_the_last_rate():
    # As BigDL counts: a schedule is in force up to and including the step at which it ends, and the next one starts
    # from that step; Poly counts from the start of training.
    expected = [0.1, 0.2, 0.3, 0.4]
    expected += [0.4 * 0.5 ** ((i - 3) // 2) for i in range(4, 8)]
    expected += [expected[-1] * (1 - i / 20) for i in range(8, 12)]
    assert rates(sequence(), 12) == pytest.approx(expected)


def test_sequential_schedules_resume():
    whole, first = rates(sequence(), 12), sequence()
    for i in range(6):
        first.rate(0.1, Moment(i))
    again = sequence()
    again.load_state_dict(first.state_dict())
    assert [again.rate(0.1, Moment(i)) for i in range(6, 12)] == whole[6:]
    with pytest.raises(DataError, match="needs schedules"):
        SequentialSchedule(5).rate(0.1, Moment(0))


@dataclass
class State:
    epoch: int = 1
    iteration: int = 0
    epoch_finished: bool = False
    loss: float = 1.0
    score: float | None = None


def test_optimizers_ask_with_the_progress_they_are_given():
    method = SGD(0.1, leaningrate_schedule=Plateau("Loss", factor=0.5, patience=1))
    method.progress = state = State()
    found = []
    for epoch in range(1, 5):
        state.epoch = epoch
        found.append(float(method.learning_rate()))
    assert found == pytest.approx([0.1, 0.1, 0.1, 0.05])
    assert float(method.state_dict()["schedule.rate"]) == pytest.approx(0.05)
    again = SGD(0.1, leaningrate_schedule=Plateau("Loss", factor=0.5, patience=1))
    again.load_state_dict(method.state_dict())
    again.progress = state
    assert float(again.learning_rate()) == pytest.approx(0.05)


@pytest.mark.parametrize(
    "schedule",
    [
        Poly(0.5, 4),
        Exponential(3, 0.5, True),
        MultiStep([2, 5], 0.3),
        Plateau("score", 0.2, 3, "max", 0.1, 2, 0.01),
        SequentialSchedule(4).add(Warmup(0.1), 3).add(SequentialSchedule(4).add(Step(2, 0.5), 9), 9),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_configurations_are_read_back(schedule):
    described = json.loads(json.dumps(serialize(schedule)))
    again = get(described)
    assert type(again) is type(schedule)
    assert serialize(again) == described
    assert rates(again, 8) == rates(schedule, 8)


def test_what_describes_no_schedule():
    for described in ({}, {"class_name": "Step", "config": {"size": 3}}, {"class_name": "Moment", "config": {}}):
        with pytest.raises(FormatError, match="no learning-rate schedule of this library"):
            get(described)
