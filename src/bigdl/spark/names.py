"""Names of pyspark that BigDL's doors give to scripts; without pyspark, stand-ins that say what to install."""

from __future__ import annotations

from typing import Any

from bigdl.errors import DistributedError


class _Missing:
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        raise DistributedError("Spark needs pip install 'bigdl-torch[spark]'.")


try:
    from pyspark import RDD as RDD
    from pyspark import SparkConf as SparkConf
    from pyspark import SparkContext as SparkContext
    from pyspark.sql import SparkSession as SparkSession
except ImportError:
    RDD = SparkConf = SparkContext = SparkSession = _Missing  # type: ignore[assignment,misc]
