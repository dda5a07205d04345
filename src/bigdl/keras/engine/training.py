"""Keras 1.2.2's ``engine.training``."""

from bigdl.data.slices import batch_shuffle, make_batches, slice_X
from bigdl.models import Model
from bigdl.training.weighted import check_loss_and_target_compatibility, weighted_objective

__all__ = [
    "Model",
    "batch_shuffle",
    "check_loss_and_target_compatibility",
    "make_batches",
    "slice_X",
    "weighted_objective",
]
