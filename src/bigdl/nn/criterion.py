"""BigDL's ``bigdl.nn.criterion``."""

from bigdl.training.criterions import AbsCriterion as AbsCriterion
from bigdl.training.criterions import BCECriterion as BCECriterion
from bigdl.training.criterions import CategoricalCrossEntropy as CategoricalCrossEntropy
from bigdl.training.criterions import ClassNLLCriterion as ClassNLLCriterion
from bigdl.training.criterions import CosineProximityCriterion as CosineProximityCriterion
from bigdl.training.criterions import CrossEntropyCriterion as CrossEntropyCriterion
from bigdl.training.criterions import KullbackLeiblerDivergenceCriterion as KullbackLeiblerDivergenceCriterion
from bigdl.training.criterions import MeanAbsolutePercentageCriterion as MeanAbsolutePercentageCriterion
from bigdl.training.criterions import MeanSquaredLogarithmicCriterion as MeanSquaredLogarithmicCriterion
from bigdl.training.criterions import MSECriterion as MSECriterion
from bigdl.training.criterions import PoissonCriterion as PoissonCriterion
from bigdl.training.criterions_base import Criterion as Criterion
