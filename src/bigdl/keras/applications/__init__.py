"""Keras 1.2.2's ``applications``."""

from bigdl.models.applications import VGG16, VGG19, InceptionV3, MusicTaggerCRNN, ResNet50, Xception

__all__ = ["VGG16", "VGG19", "InceptionV3", "MusicTaggerCRNN", "ResNet50", "Xception"]
