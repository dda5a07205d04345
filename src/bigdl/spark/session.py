"""How BigDL's scripts come to a session of Spark."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bigdl.errors import DistributedError
from bigdl.spark.java import ensure_java

if TYPE_CHECKING:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

DAEMON = "bigdl.spark.daemon"


def require_pyspark() -> None:
    """Makes sure that pyspark is there.

    Raises:
        DistributedError: It is not installed.
    """
    try:
        import pyarrow  # noqa: F401
        import pyspark  # noqa: F401
    except ImportError as error:
        raise DistributedError(f"Spark needs pip install 'bigdl-torch[spark]': {error}.") from error


def get_bigdl_conf() -> dict[str, str]:
    """Returns the settings that ``create_spark_conf`` gives a session."""
    return {"spark.python.daemon.module": DAEMON}


def create_spark_conf() -> SparkConf:
    """Returns a configuration for a new session.

    It sees to it that Spark finds a Java, that its Python workers run this Python where they run on this machine, and
    that those begin with torch imported instead of importing it in each of them.

    Raises:
        DistributedError: pyspark or a Java is missing.
    """
    require_pyspark()
    from pyspark import SparkConf

    ensure_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    conf = SparkConf()
    for name, value in get_bigdl_conf().items():
        conf.setIfMissing(name, value)
    return conf


def get_spark_context(conf: SparkConf | None = None) -> SparkContext:
    """Returns the active SparkContext, a new one if there is none.

    Args:
        conf: The configuration of a new one; ``create_spark_conf()`` by default.

    Raises:
        DistributedError: pyspark or a Java is missing.
    """
    require_pyspark()
    from pyspark import SparkContext

    if SparkContext._active_spark_context is not None:
        return SparkContext.getOrCreate()
    return SparkContext.getOrCreate(create_spark_conf() if conf is None else conf)


def get_spark_sql_context(sc: SparkContext) -> SparkSession:
    """Returns the session of a SparkContext, which does what BigDL's SQLContext did."""
    from pyspark.sql import SparkSession

    return SparkSession.builder.config(conf=sc.getConf()).getOrCreate()


def active_session() -> SparkSession:
    """Returns the active session, classic or Connect; a new one where only a SparkContext is active.

    Raises:
        DistributedError: There is none.
    """
    require_pyspark()
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None and SparkContext._active_spark_context is not None:
        session = SparkSession.builder.getOrCreate()
    if session is None:
        raise DistributedError(
            "There is no active session of Spark. Start one first: get_spark_context(), or SparkSession.builder."
        )
    return session
