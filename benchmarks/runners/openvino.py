"""OpenVINO."""

import os

import openvino

from benchmarks.builders.onnx_graph import OnnxBuilder
from benchmarks.workloads import Workload


class Runner:
    """Predicts with an inference request on the CPU, in float32 unless the option is ``bf16``."""

    def __init__(self, workload: Workload, options: str = "") -> None:
        builder = OnnxBuilder()
        model = workload.build(builder)
        self.parameters = builder.parameters
        self.versions = {"openvino": openvino.__version__.split("-")[0]}
        core = openvino.Core()
        settings = {
            "INFERENCE_PRECISION_HINT": options or "f32",
            "INFERENCE_NUM_THREADS": len(os.sched_getaffinity(0)),
            "PERFORMANCE_HINT": "LATENCY",
        }
        self.request = core.compile_model(
            core.read_model(model.SerializeToString()), "CPU", settings
        ).create_infer_request()
        self.x, _ = workload._replace(ordering="tf").data(workload.batch)

    def run(self, calls: int) -> None:
        """Runs batches."""
        for _ in range(calls):
            self.request.infer({"x": self.x}, share_inputs=True, share_outputs=True)
