"""BigDL's ``bigdl.util.common``: what of it needs no Spark."""

from bigdl.training.sample import JTensor as JTensor
from bigdl.training.sample import Sample as Sample

__all__ = [
    "JTensor",
    "Sample",
]
