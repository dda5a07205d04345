"""Keras 1.2.2's ``applications.inception_v3``."""

from bigdl.models.applications import InceptionV3
from bigdl.models.applications.imagenet import decode_predictions
from bigdl.models.applications.imagenet import scaled_input as preprocess_input

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]
