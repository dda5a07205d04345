"""The daemon that starts Spark's Python workers, with torch imported: ``spark.python.daemon.module``.

Workers are forked from it and need not import torch any more, which takes seconds.
"""

from pyspark.daemon import manager

import bigdl.spark.task  # noqa: F401 - for the forked workers

if __name__ == "__main__":
    manager()
