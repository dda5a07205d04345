"""Keras 1.2.2's ``applications.xception``."""

from bigdl.models.applications import Xception
from bigdl.models.applications.imagenet import decode_predictions
from bigdl.models.applications.imagenet import scaled_input as preprocess_input

__all__ = ["Xception", "decode_predictions", "preprocess_input"]
