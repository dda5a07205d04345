"""Optimizers: Keras 1.2.2's and BigDL's, one implementation of the maths."""

from bigdl.training.optimizers.adam import Adam as Adam
from bigdl.training.optimizers.adam import Adamax as Adamax
from bigdl.training.optimizers.adam import Nadam as Nadam
from bigdl.training.optimizers.adaptive import Adadelta as Adadelta
from bigdl.training.optimizers.adaptive import Adagrad as Adagrad
from bigdl.training.optimizers.adaptive import RMSprop as RMSprop
from bigdl.training.optimizers.base import Optimizer as Optimizer
from bigdl.training.optimizers.clipping import clip_by_norm as clip_by_norm
from bigdl.training.optimizers.clipping import clip_by_value as clip_by_value
from bigdl.training.optimizers.ftrl import Ftrl as Ftrl
from bigdl.training.optimizers.identify import get as get
from bigdl.training.optimizers.identify import serialize as serialize
from bigdl.training.optimizers.lbfgs import LBFGS as LBFGS
from bigdl.training.optimizers.sgd import SGD as SGD
from bigdl.training.optimizers.sgd import DampedSGD as DampedSGD
