"""Keras 1.2.2's ``utils.data_utils``."""

from bigdl.data.get_file import get_file, validate_file

__all__ = ["get_file", "validate_file"]
