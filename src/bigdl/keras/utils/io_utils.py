"""Keras 1.2.2's ``utils.io_utils``."""

from bigdl.formats.hdf5_matrix import HDF5Matrix

__all__ = ["HDF5Matrix"]
