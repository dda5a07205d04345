"""What runs the files that are written: onnxruntime, torch without this library, and Keras 3 by itself."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

Array = NDArray[Any]
Run = Callable[[Sequence[Array]], list[Array]]

TOLERANCE = 1e-5
KERAS3 = Path(__file__).with_name("run_keras3.py")


def open_program(path: Path) -> Run:
    """A program of torch, as a function of the inputs."""
    program = torch.export.load(path).module()

    def run(inputs: Sequence[Array]) -> list[Array]:
        outputs = program(*map(torch.from_numpy, inputs))
        return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]

    return run


def onnx_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def open_onnx(path: Path) -> Run:
    """An ONNX model, as a function of the inputs; states are zeros at first and then what came out."""
    session = onnx_session(path)
    states = {value.name: np.zeros(value.shape, "float32") for value in session.get_inputs() if "/state_" in value.name}
    names = [value.name for value in session.get_inputs() if value.name not in states]

    def run(inputs: Sequence[Array]) -> list[Array]:
        outputs = session.run(None, {**dict(zip(names, inputs, strict=True)), **states})
        count = len(outputs) - len(states)
        states.update(zip(states, outputs[count:], strict=True))
        return list(outputs[:count])

    return run


def run_keras3(cases: Sequence[dict[str, Any]], folder: Path) -> dict[str, str]:
    """Lets Keras 3 run files; see ``run_keras3.py``.

    Args:
        cases: The cases.
        folder: Where there is room.

    Returns:
        What fails, by the name of the case.
    """
    (folder / "cases.json").write_text(json.dumps(cases))
    done = subprocess.run(
        [sys.executable, KERAS3, folder / "cases.json"],
        env={**os.environ, "KERAS_BACKEND": os.environ.get("KERAS3_BACKEND", "torch")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    errors: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return errors


def difference(expected: Sequence[Array], received: Sequence[Array]) -> str | None:
    """Says where arrays differ by more than 1e-5 of the largest value; None where they do not."""
    shapes = [y.shape for y in expected], [y.shape for y in received]
    if shapes[0] != shapes[1]:
        return f"expected shapes {shapes[0]}, received {shapes[1]}"
    for i, (theirs, ours) in enumerate(zip(expected, received, strict=True)):
        error = np.abs(ours.astype("float64") - theirs).max(initial=0)
        if not error <= TOLERANCE * max(1.0, np.abs(theirs).max(initial=0)):
            return f"output {i} differs by {error}"
    return None
