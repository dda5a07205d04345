"""BigDL's ``bigdl.util.common``: the way to Spark, samples, and what BigDL's scripts take from here besides."""

import os
import sys

import numpy as np

from bigdl.spark.engine import get_node_and_core_number, redire_spark_logs, to_sample_rdd
from bigdl.spark.names import RDD, SparkConf, SparkContext, SparkSession
from bigdl.spark.session import create_spark_conf, get_bigdl_conf, get_spark_context, get_spark_sql_context
from bigdl.training.engine import (
    RNG,
    create_tmp_path,
    get_bigdl_engine_type,
    get_optimizer_version,
    init_engine,
    set_optimizer_version,
    show_bigdl_info_logs,
)
from bigdl.training.sample import JTensor, Sample
from bigdl.training.validation import EvaluatedResult

__all__ = [
    "RDD",
    "RNG",
    "EvaluatedResult",
    "JTensor",
    "Sample",
    "SparkConf",
    "SparkContext",
    "SparkSession",
    "create_spark_conf",
    "create_tmp_path",
    "get_bigdl_conf",
    "get_bigdl_engine_type",
    "get_node_and_core_number",
    "get_optimizer_version",
    "get_spark_context",
    "get_spark_sql_context",
    "init_engine",
    "np",
    "os",
    "redire_spark_logs",
    "set_optimizer_version",
    "show_bigdl_info_logs",
    "sys",
    "to_sample_rdd",
]
