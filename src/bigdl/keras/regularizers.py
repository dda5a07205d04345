"""Keras 1.2.2's ``regularizers``."""

from bigdl.layers.custom import OwnRegularizer as Regularizer
from bigdl.layers.regularizers import (
    ActivityRegularizer,
    EigenvalueRegularizer,
    L1L2Regularizer,
    WeightRegularizer,
    activity_l1,
    activity_l1l2,
    activity_l2,
    get,
    l1,
    l1l2,
    l2,
)

__all__ = [
    "ActivityRegularizer",
    "EigenvalueRegularizer",
    "L1L2Regularizer",
    "Regularizer",
    "WeightRegularizer",
    "activity_l1",
    "activity_l1l2",
    "activity_l2",
    "get",
    "l1",
    "l1l2",
    "l2",
]
