"""BigDL's ``bigdl.keras.optimization``."""

from bigdl.training.optim_converter import OptimConverter

__all__ = ["OptimConverter"]
