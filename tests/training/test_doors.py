"""What scripts of BigDL import."""

import importlib
import logging
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.training import engine

# The names that programs with Keras models in BigDL 0.13 use.
OPTIM = [
    *["Optimizer", "LocalOptimizer", "BaseOptimizer"],
    *["SGD", "Adam", "ParallelAdam", "Adagrad", "Adadelta", "Adamax", "RMSprop", "Ftrl", "LBFGS", "OptimMethod"],
    *["MaxEpoch", "MaxIteration", "EveryEpoch", "SeveralIteration", "MaxScore", "MinLoss", "TriggerAnd", "TriggerOr"],
    *["Top1Accuracy", "Top5Accuracy", "Loss", "MAE"],
    *["Poly", "Exponential", "Step", "MultiStep", "Default", "Plateau", "Warmup", "SequentialSchedule"],
]
CRITERIONS = [
    *["ClassNLLCriterion", "CrossEntropyCriterion", "MSECriterion", "BCECriterion", "AbsCriterion"],
    *["CategoricalCrossEntropy", "MarginCriterion", "KullbackLeiblerDivergenceCriterion", "PoissonCriterion"],
    *["CosineProximityCriterion", "MeanAbsolutePercentageCriterion", "MeanSquaredLogarithmicCriterion"],
    *["ParallelCriterion", "MultiCriterion", "TimeDistributedCriterion", "SmoothL1Criterion"],
]


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("bigdl.optim.optimizer", OPTIM),
        ("bigdl.nn.criterion", CRITERIONS),
        ("bigdl.util.common", ["JTensor", "Sample", "RNG", "init_engine", "EvaluatedResult"]),
    ],
)
def test_a_star_import_gives_what_scripts_use(module, names):
    found = importlib.import_module(module)
    assert set(names) <= set(found.__all__)
    assert all(hasattr(found, name) for name in found.__all__)


def test_the_engine_needs_no_start():
    engine.init_engine()
    assert engine.get_node_and_core_number() == (1, torch.get_num_threads())


def test_random_numbers_from_a_seed():
    rng = engine.RNG()
    rng.set_seed(3)
    first = rng.uniform(-1, 1, [2, 3])
    assert first.shape == (2, 3)
    assert np.abs(first).max() <= 1
    rng.set_seed(3)
    np.testing.assert_array_equal(rng.uniform(-1, 1, [2, 3]), first)


@pytest.fixture
def logger():
    made = logging.getLogger("bigdl")
    before = (made.level, list(made.handlers))
    yield made
    for handler in made.handlers:
        if handler not in before[1]:
            handler.close()
    made.setLevel(before[0])
    made.handlers[:] = before[1]


def test_log_lines_go_where_they_are_sent(logger: Any, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        engine.redire_spark_logs()
        engine.redire_spark_logs(log_path=tmp_path / "other.log")
        engine.show_bigdl_info_logs()
    logger.info("a line")
    for name in ("bigdl.log", "other.log"):
        assert (tmp_path / name).read_text().count("INFO  bigdl - a line") == 1
    assert capsys.readouterr().err.count("a line") == 1
