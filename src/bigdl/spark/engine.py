"""What BigDL's scripts ask its engine for, on a cluster as on one machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from bigdl.spark.cluster import Cluster
from bigdl.spark.session import get_spark_context, get_spark_sql_context
from bigdl.training import engine
from bigdl.training.sample import Sample

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext


def get_node_and_core_number(bigdl_type: str = "float") -> tuple[int, int]:
    """Returns the number of executors and the task slots of each; without a session one, and torch's threads."""
    context = _active_context()
    if context is None:
        return engine.get_node_and_core_number()
    if Cluster(get_spark_sql_context(context)).is_local:
        return 1, context.defaultParallelism
    scala: Any = context._jsc
    nodes = max(1, scala.sc().getExecutorMemoryStatus().size() - 1)  # the driver is one of them
    return nodes, max(1, context.defaultParallelism // nodes)


def redire_spark_logs(bigdl_type: str = "float", log_path: str | os.PathLike[str] | None = None) -> None:
    """Writes the library's log lines to a file; of Spark's own, only errors are shown from here on.

    Args:
        bigdl_type: Kept for BigDL's signature.
        log_path: The file; ``bigdl.log`` in the working directory by default.
    """
    engine.redire_spark_logs(bigdl_type, log_path)
    context = _active_context()
    if context is not None:
        context.setLogLevel("ERROR")


def to_sample_rdd(x: Any, y: Any, numSlices: int | None = None) -> RDD[Sample]:
    """Returns an RDD of samples made of arrays, in their order.

    Args:
        x: The features, rows first.
        y: The labels.
        numSlices: The number of partitions; as many as there are task slots by default.
    """
    context = get_spark_context()
    rows = zip(x, y, strict=True)
    return context.parallelize([Sample.from_ndarray(*row) for row in rows], numSlices)


def _active_context() -> SparkContext | None:
    try:
        from pyspark import SparkContext
    except ImportError:
        return None
    active: SparkContext | None = SparkContext._active_spark_context
    return active
