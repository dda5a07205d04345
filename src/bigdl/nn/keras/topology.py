"""BigDL's ``bigdl.nn.keras.topology``."""

from bigdl.models import Model, Sequential

__all__ = ["Model", "Sequential"]
