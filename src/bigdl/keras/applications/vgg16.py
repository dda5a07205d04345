"""Keras 1.2.2's ``applications.vgg16``."""

from bigdl.models.applications import VGG16
from bigdl.models.applications.imagenet import decode_predictions, preprocess_input

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
