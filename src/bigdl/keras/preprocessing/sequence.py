"""Keras 1.2.2's ``preprocessing.sequence``."""

from bigdl.data.sequences import make_sampling_table, pad_sequences, skipgrams

__all__ = ["make_sampling_table", "pad_sequences", "skipgrams"]
