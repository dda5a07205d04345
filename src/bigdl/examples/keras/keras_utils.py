"""BigDL's ``bigdl.examples.keras.keras_utils``, and what its examples take from there besides."""

import os
import sys

import numpy as np

from bigdl.models.definitions import dump_keras, save_keras_definition
from bigdl.spark.engine import redire_spark_logs, to_sample_rdd
from bigdl.spark.session import create_spark_conf, get_spark_context
from bigdl.training.engine import init_engine, show_bigdl_info_logs
from bigdl.training.sample import JTensor, Sample

__all__ = [
    "JTensor",
    "Sample",
    "create_spark_conf",
    "dump_keras",
    "get_spark_context",
    "init_engine",
    "np",
    "os",
    "redire_spark_logs",
    "save_keras_definition",
    "show_bigdl_info_logs",
    "sys",
    "to_sample_rdd",
]
