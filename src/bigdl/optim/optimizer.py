"""BigDL's ``bigdl.optim.optimizer``: optimizers, optim methods, schedules, triggers, validation methods."""

from bigdl.training.base_optimizer import BaseOptimizer as BaseOptimizer
from bigdl.training.local_optimizer import LocalOptimizer as LocalOptimizer
from bigdl.training.local_optimizer import Optimizer as Optimizer
from bigdl.training.optim_methods import LBFGS as LBFGS
from bigdl.training.optim_methods import SGD as SGD
from bigdl.training.optim_methods import Adadelta as Adadelta
from bigdl.training.optim_methods import Adagrad as Adagrad
from bigdl.training.optim_methods import Adam as Adam
from bigdl.training.optim_methods import Adamax as Adamax
from bigdl.training.optim_methods import Ftrl as Ftrl
from bigdl.training.optim_methods import OptimMethod as OptimMethod
from bigdl.training.optim_methods import ParallelAdam as ParallelAdam
from bigdl.training.optim_methods import RMSprop as RMSprop
from bigdl.training.schedules import Default as Default
from bigdl.training.schedules import Exponential as Exponential
from bigdl.training.schedules import MultiStep as MultiStep
from bigdl.training.schedules import Plateau as Plateau
from bigdl.training.schedules import Poly as Poly
from bigdl.training.schedules import SequentialSchedule as SequentialSchedule
from bigdl.training.schedules import Step as Step
from bigdl.training.schedules import Warmup as Warmup
from bigdl.training.triggers import EveryEpoch as EveryEpoch
from bigdl.training.triggers import MaxEpoch as MaxEpoch
from bigdl.training.triggers import MaxIteration as MaxIteration
from bigdl.training.triggers import MaxScore as MaxScore
from bigdl.training.triggers import MinLoss as MinLoss
from bigdl.training.triggers import SeveralIteration as SeveralIteration
from bigdl.training.triggers import TriggerAnd as TriggerAnd
from bigdl.training.triggers import TriggerOr as TriggerOr
from bigdl.training.validation import MAE as MAE
from bigdl.training.validation import EvaluatedResult as EvaluatedResult
from bigdl.training.validation import Loss as Loss
from bigdl.training.validation import Top1Accuracy as Top1Accuracy
from bigdl.training.validation import Top5Accuracy as Top5Accuracy

__all__ = [
    "LBFGS",
    "MAE",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "BaseOptimizer",
    "Default",
    "EvaluatedResult",
    "EveryEpoch",
    "Exponential",
    "Ftrl",
    "LocalOptimizer",
    "Loss",
    "MaxEpoch",
    "MaxIteration",
    "MaxScore",
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
    "TriggerAnd",
    "TriggerOr",
    "Warmup",
]
