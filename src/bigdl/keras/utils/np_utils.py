"""Keras 1.2.2's ``utils.np_utils``."""

from bigdl.data.labels import (
    accuracy,
    binary_logloss,
    categorical_probas_to_classes,
    conv_input_length,
    conv_output_length,
    convert_kernel,
    multiclass_logloss,
    normalize,
    probas_to_classes,
    to_categorical,
)

__all__ = [
    "accuracy",
    "binary_logloss",
    "categorical_probas_to_classes",
    "conv_input_length",
    "conv_output_length",
    "convert_kernel",
    "multiclass_logloss",
    "normalize",
    "probas_to_classes",
    "to_categorical",
]
