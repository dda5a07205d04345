"""Keras 1.2.2's ``applications.imagenet_utils``."""

from bigdl.models.applications.imagenet import decode_predictions, preprocess_input

__all__ = ["decode_predictions", "preprocess_input"]
