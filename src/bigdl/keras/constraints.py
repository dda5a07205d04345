"""Keras 1.2.2's ``constraints``."""

from bigdl.layers.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm, get, maxnorm, nonneg, unitnorm
from bigdl.layers.custom import OwnConstraint as Constraint

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "get", "maxnorm", "nonneg", "unitnorm"]
