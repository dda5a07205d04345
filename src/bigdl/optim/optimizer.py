"""BigDL's ``bigdl.optim.optimizer``: optimizers, optim methods, schedules, triggers, validation methods."""

from bigdl.models.optimizer import DistriOptimizer, Optimizer
from bigdl.training.base_optimizer import BaseOptimizer
from bigdl.training.local_optimizer import LocalOptimizer
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
from bigdl.training.schedules import Default, Exponential, MultiStep, Plateau, Poly, SequentialSchedule, Step, Warmup
from bigdl.training.summaries import TrainSummary, ValidationSummary
from bigdl.training.triggers import (
    EveryEpoch,
    MaxEpoch,
    MaxIteration,
    MaxScore,
    MinLoss,
    SeveralIteration,
    TriggerAnd,
    TriggerOr,
)
from bigdl.training.validation import (
    MAE,
    EvaluatedResult,
    Loss,
    Top1Accuracy,
    Top5Accuracy,
    TreeNNAccuracy,
    ValidationMethod,
)
from bigdl.training.validation_ranking import NDCG, HitRatio, MeanAveragePrecision

__all__ = [
    "LBFGS",
    "MAE",
    "NDCG",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "BaseOptimizer",
    "Default",
    "DistriOptimizer",
    "EvaluatedResult",
    "EveryEpoch",
    "Exponential",
    "Ftrl",
    "HitRatio",
    "LocalOptimizer",
    "Loss",
    "MaxEpoch",
    "MaxIteration",
    "MaxScore",
    "MeanAveragePrecision",
    "MinLoss",
    "MultiStep",
    "OptimMethod",
    "Optimizer",
    "ParallelAdam",
    "Plateau",
    "Poly",
    "RMSprop",
    "SequentialSchedule",
    "SeveralIteration",
    "Step",
    "Top1Accuracy",
    "Top5Accuracy",
    "TrainSummary",
    "TreeNNAccuracy",
    "TriggerAnd",
    "TriggerOr",
    "ValidationMethod",
    "ValidationSummary",
    "Warmup",
]
