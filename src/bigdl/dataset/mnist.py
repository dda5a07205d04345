"""BigDL's ``bigdl.dataset.mnist``."""

from bigdl.data.mnist import (
    TEST_MEAN,
    TEST_STD,
    TRAIN_MEAN,
    TRAIN_STD,
    extract_images,
    extract_labels,
    load_data,
    read_data_sets,
)
from bigdl.data.transformer import normalizer

__all__ = [
    "TEST_MEAN",
    "TEST_STD",
    "TRAIN_MEAN",
    "TRAIN_STD",
    "extract_images",
    "extract_labels",
    "load_data",
    "normalizer",
    "read_data_sets",
]
