"""ONNX Runtime."""

import os

import onnxruntime

from benchmarks.builders.onnx_graph import OnnxBuilder
from benchmarks.workloads import Workload


class Runner:
    """Predicts with an ``InferenceSession``; it has no options."""

    def __init__(self, workload: Workload, options: str = "") -> None:
        builder = OnnxBuilder()
        model = workload.build(builder)
        self.parameters = builder.parameters
        self.versions = {"onnxruntime": onnxruntime.__version__}
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = len(os.sched_getaffinity(0))
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), settings)
        self.x, _ = workload._replace(ordering="tf").data(workload.batch)

    def run(self, calls: int) -> None:
        """Runs batches."""
        for _ in range(calls):
            self.session.run(None, {"x": self.x})
