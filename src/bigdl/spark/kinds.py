"""What of Spark's there is, told without importing pyspark."""

from __future__ import annotations

import sys
from typing import Any


def is_dataframe(value: Any) -> bool:
    """Tells whether a value is a DataFrame of Spark, classic or Connect."""
    return _is_sparks(value) and hasattr(value, "mapInArrow")


def is_rdd(value: Any) -> bool:
    """Tells whether a value is an RDD."""
    return _is_sparks(value) and hasattr(value, "mapPartitionsWithIndex")


def is_spark_data(value: Any) -> bool:
    """Tells whether a value is a DataFrame or an RDD of Spark."""
    return is_dataframe(value) or is_rdd(value)


def session_is_active() -> bool:
    """Tells whether there is a session of Spark that arrays could be sent to."""
    if "pyspark" not in sys.modules:
        return False
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    return SparkContext._active_spark_context is not None or SparkSession.getActiveSession() is not None


def _is_sparks(value: Any) -> bool:
    return any(cls.__module__.partition(".")[0] == "pyspark" for cls in type(value).__mro__)
