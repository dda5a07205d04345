"""Keras 1.2.2's ``applications.music_tagger_crnn``."""

from bigdl.models.applications import MusicTaggerCRNN
from bigdl.models.applications.music import decode_predictions

__all__ = ["MusicTaggerCRNN", "decode_predictions"]
