"""Keras 1.2.2's ``utils.visualize_util``."""

from bigdl.models.plot import model_to_dot
from bigdl.models.plot import plot_model as plot

__all__ = ["model_to_dot", "plot"]
