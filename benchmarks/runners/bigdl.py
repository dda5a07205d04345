"""This library."""

import importlib.metadata

from benchmarks.runners.keras1 import Keras1Runner
from benchmarks.workloads import Workload


class Runner(Keras1Runner):
    """See ``Keras1Runner``.

    Args:
        workload: What to run.
        options: ``"bf16"`` for that precision; nothing else.
    """

    def __init__(self, workload: Workload, options: str = "") -> None:
        super().__init__("bigdl.keras", workload)
        self.versions = {name: importlib.metadata.version(name) for name in ("bigdl-torch", "torch", "numpy")}
