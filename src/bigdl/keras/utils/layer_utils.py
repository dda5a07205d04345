"""Keras 1.2.2's ``utils.layer_utils``."""

from bigdl.models.definitions import layer_from_config
from bigdl.models.layer_utils import convert_all_kernels_in_model, count_total_params, print_summary

__all__ = ["convert_all_kernels_in_model", "count_total_params", "layer_from_config", "print_summary"]
