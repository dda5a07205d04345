"""BigDL's ``bigdl.dataset.transformer``."""

from bigdl.data.transformer import normalizer

__all__ = ["normalizer"]
