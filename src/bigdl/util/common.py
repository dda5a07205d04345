"""BigDL's ``bigdl.util.common``, as far as it works without Spark."""

from bigdl.training.engine import RNG, get_node_and_core_number, init_engine, redire_spark_logs, show_bigdl_info_logs
from bigdl.training.sample import JTensor, Sample
from bigdl.training.validation import EvaluatedResult

__all__ = [
    "RNG",
    "EvaluatedResult",
    "JTensor",
    "Sample",
    "get_node_and_core_number",
    "init_engine",
    "redire_spark_logs",
    "show_bigdl_info_logs",
]
