"""Keras 1.2.2's ``optimizers``."""

from bigdl.training.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, Optimizer, RMSprop, get
from bigdl.training.optimizers import SGD as sgd
from bigdl.training.optimizers import Adadelta as adadelta
from bigdl.training.optimizers import Adagrad as adagrad
from bigdl.training.optimizers import Adam as adam
from bigdl.training.optimizers import Adamax as adamax
from bigdl.training.optimizers import Nadam as nadam
from bigdl.training.optimizers import RMSprop as rmsprop
from bigdl.training.optimizers import get as optimizer_from_config

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "get",
    "nadam",
    "optimizer_from_config",
    "rmsprop",
    "sgd",
]
