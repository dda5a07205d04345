"""Keras 1.2.2's ``applications.resnet50``."""

from bigdl.models.applications import ResNet50
from bigdl.models.applications.imagenet import decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
