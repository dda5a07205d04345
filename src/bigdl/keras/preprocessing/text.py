"""Keras 1.2.2's ``preprocessing.text``."""

from bigdl.data.text import Tokenizer, one_hot, text_to_word_sequence

__all__ = ["Tokenizer", "one_hot", "text_to_word_sequence"]
