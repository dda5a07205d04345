"""Keras 1.2.2's ``applications.vgg19``."""

from bigdl.models.applications import VGG19
from bigdl.models.applications.imagenet import decode_predictions, preprocess_input

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
