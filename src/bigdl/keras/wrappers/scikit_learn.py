"""Keras 1.2.2's ``wrappers.scikit_learn``."""

from bigdl.models.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]
