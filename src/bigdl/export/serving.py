"""Prediction by other runtimes, which are given the model as an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bigdl.errors import DataError, ExportError
from bigdl.export.onnx.model import onnx_model
from bigdl.export.packages import required
from bigdl.graph import Container
from bigdl.programs import Source, Stamps, program_for
from bigdl.training.data import Data, input_columns
from bigdl.training.inference import checked_batch_size, in_batches

Arrays = Sequence[NDArray[Any]]


def predict_by(backend: str, model: Container, x: Data, batch_size: int | None = None, verbose: int = 0) -> Any:
    """Computes a model's outputs as ``predict`` does, by another runtime.

    The runtime is given the model at the first call, and again when weights or layers have changed.

    Args:
        backend: ``"onnxruntime"`` or ``"openvino"``; both compute in float32 on the CPU.
        model: The model.
        x: The data; see ``predict``.
        batch_size: Rows at a time; None and -1 stand for 32.
        verbose: 1 shows a progress bar on a terminal.

    Raises:
        DataError: There is no such backend, the data does not fit, or the model is stateful.
        MissingPackageError: The runtime or onnx is not installed.
        ExportError: A layer has no form in ONNX, or the runtime has none of its nodes.
    """
    if backend not in _RUNTIMES:
        raise DataError(f"backend must be one of {', '.join(map(repr, _RUNTIMES))}, or None. Received: {backend!r}.")
    if model.stateful:
        raise DataError(f"Model {model.name!r} is stateful, and keeps its state here only. Predict without backend=.")
    size = checked_batch_size(batch_size)
    if isinstance(x, np.ndarray) and _is_one_batch(model, x, size):  # single samples shall not wait for more checks
        outputs = _served(backend, model)([x])
        return outputs[0] if len(outputs) == 1 else outputs
    run = _served(backend, model)
    return in_batches(
        model, input_columns(model, x), size, verbose, lambda batch: run([t.cpu().numpy() for t in batch])
    )


def _is_one_batch(model: Container, x: NDArray[Any], size: int) -> bool:
    expected, weight = model.inputs[0], next(model.parameters(), None)
    return (
        len(model.inputs) == 1
        and 0 < len(x) <= size
        and x.shape[1:] == expected.shape[1:]
        and x.dtype == expected.dtype == "float32"
        and (weight is None or weight.dtype is torch.float32)
    )


class _Served:
    """A runtime that was given a model, with what tells whether that is still the same."""

    def __init__(self, backend: str, model: Container) -> None:
        self.program = program_for(model, training=False)
        self.stamps = Stamps([Source.of(module, name) for module in model.modules() for name in _weights(module)])
        self.run = _RUNTIMES[backend](onnx_model(model).SerializeToString(), torch.get_num_threads())

    def is_current(self) -> bool:
        """Whether layers and weights are still what the runtime was given."""
        return (self.program is None or self.program.is_current()) and not self.stamps.have_changed()


def _served(backend: str, model: Container) -> Callable[[Arrays], list[NDArray[Any]]]:
    kept = model.graph.plan.kept
    key = (_Served, backend)
    served: _Served | None = kept.get(key)
    if served is None or not served.is_current():
        kept[key] = served = _Served(backend, model)
    return served.run


def _weights(module: torch.nn.Module) -> list[str]:
    found = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    return [name for name, _ in found]


def _by_onnxruntime(graph: bytes, threads: int) -> Callable[[Arrays], list[NDArray[Any]]]:
    runtime = required("onnxruntime", "onnxruntime", 'backend="onnxruntime"')
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_inputs()]
    return lambda arrays: list(session.run(None, dict(zip(names, arrays, strict=True))))


def _by_openvino(graph: bytes, threads: int) -> Callable[[Arrays], list[NDArray[Any]]]:
    runtime = required("openvino", "openvino", 'backend="openvino"')
    core = runtime.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}

    def compiled() -> Any:
        return core.compile_model(core.read_model(graph), "CPU", settings).create_infer_request()

    try:
        # OpenVINO leaves the thread that compiles with a stack for signals that is too small where the processor has
        # AMX: in the program's own thread a Ctrl-C would end the process.
        with ThreadPoolExecutor(1) as another_thread:
            request = another_thread.submit(compiled).result()
    except RuntimeError as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise ExportError(
            f"OpenVINO cannot compute this model: {reason}. (It has no recurrent layers with a hard sigmoid, which is "
            'Keras 1\'s default.) Predict with backend="onnxruntime", or without backend=.'
        ) from error
    return lambda arrays: [np.array(output) for output in request.infer(list(arrays)).values()]


_RUNTIMES = {"onnxruntime": _by_onnxruntime, "openvino": _by_openvino}
