"""A study of Optuna whose trials run in Spark's tasks."""

import os
from typing import Any

import numpy as np
import optuna
import pytest

from bigdl.errors import DistributedError
from bigdl.pipelines.tuning import optimize_study


@pytest.fixture
def study():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=1)
    return optuna.create_study(sampler=sampler, pruner=optuna.pruners.ThresholdPruner(upper=50))


def test_trials_run_on_workers_and_the_study_learns(spark, study):
    driver = os.getpid()

    def objective(trial: Any) -> float:
        x = trial.suggest_float("x", -10, 10)
        n = trial.suggest_int("n", 1, 3)
        kind = trial.suggest_categorical("kind", ["even", "odd"])
        assert os.getpid() != driver
        assert trial.params == {"x": x, "n": n, "kind": kind}
        trial.set_user_attr("worker", os.getpid())
        trial.report(x * x, 0)
        if trial.should_prune():
            raise optuna.TrialPruned
        return float(x * x + n + (kind == "odd"))

    optimize_study(study, objective, 20, n_jobs=2)
    states = [trial.state.name for trial in study.trials]
    assert len(states) == 20
    assert set(states) == {"COMPLETE", "PRUNED"}
    for trial in study.trials:
        assert (trial.state.name == "PRUNED") == (trial.params["x"] ** 2 > 50)
        assert "worker" in trial.user_attrs
    assert study.best_value < 30


class Strict(optuna.pruners.BasePruner):
    """Answers as Optuna's own pruners do, with what NumPy compares."""

    def prune(self, study: Any, trial: Any) -> Any:
        return np.float64(trial.last_step) > 0


def test_pruners_that_compute_with_numpy(spark):
    def objective(trial: Any) -> float:
        for epoch in range(3):
            trial.report(1.0, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return 1.0

    pruned = optuna.create_study(pruner=Strict())
    optimize_study(pruned, objective, 1)
    assert [list(trial.intermediate_values) for trial in pruned.trials] == [[0, 1]]


def test_mistakes_of_the_objective(spark, study):
    def objective(trial: Any) -> float:
        if trial.number == 2:
            raise KeyError("a mistake")
        return float(trial.number)

    with pytest.raises(DistributedError, match=r"^Traceback[\s\S]*KeyError: 'a mistake'"):
        optimize_study(study, objective, 50, n_jobs=1)
    assert len(study.trials) == 3
    other = optuna.create_study()
    optimize_study(other, objective, 5, n_jobs=2, catch=(KeyError,))
    assert [trial.state.name for trial in other.trials].count("FAIL") == 1
    assert len(other.trials) == 5

    def wrong(trial: Any) -> float:
        return float(trial.suggest_float("x", 1, 0))

    with pytest.raises(DistributedError, match="ValueError"):
        optimize_study(study, wrong, 1)
