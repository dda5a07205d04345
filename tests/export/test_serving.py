"""Prediction by other runtimes: what Keras 1.2.2 computed, also after weights and layers have changed."""

import ctypes
from typing import Any

import numpy as np
import pytest

from bigdl.errors import DataError, ExportError
from bigdl.graph import Layer
from bigdl.layers import LSTM, BatchNormalization, Dense
from bigdl.layers.activations import relu
from bigdl.models import Model, Sequential
from tests.export.runtimes import difference
from tests.golden_cases import CASES, Case
from tests.test_goldens import load

BACKENDS = ["onnxruntime", "openvino"]
X = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")

FAMILIES = ["core", "conv2d", "pool", "normalization", "embedding", "recurrent", "bidirectional", "merge", "nets"]
GOLDENS = [next(case for case in CASES if case.family == family and "stateful" not in case.name) for family in FAMILIES]

# It has no hard sigmoid in recurrent nodes.
WITHOUT_OPENVINO = [case for case in GOLDENS if case.family in ("recurrent", "bidirectional", "nets")]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", GOLDENS, ids=lambda case: case.name)
def test_what_keras_computed(case: Case, backend: str) -> None:
    inputs = case.arrays("x")
    if backend == "openvino" and case in WITHOUT_OPENVINO:
        with pytest.raises(ExportError, match="OpenVINO cannot compute this model"):
            load(case).predict(inputs, backend=backend)
        return
    received = load(case).predict(inputs, len(inputs[0]), backend=backend)
    assert difference(case.arrays("y"), received if isinstance(received, list) else [received]) is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_changes_are_noticed(backend: str) -> None:
    model = Sequential([Dense(3, input_dim=4), BatchNormalization(), Dense(2)])
    model.compile("sgd", "mse")

    def check() -> None:
        np.testing.assert_allclose(model.predict(X, backend=backend), model.predict(X), rtol=1e-5, atol=1e-6)

    check()
    model.set_weights([w + 1 for w in model.get_weights()])
    check()
    model.train_on_batch(X, np.ones((10, 2)))
    check()
    first: Any = model.layers[0]
    first.activation = relu
    check()
    model.pop()
    assert model.predict(X, backend=backend).shape == (10, 3)


class SignalStack(ctypes.Structure):
    """stack_t of signal.h."""

    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


def signal_stack() -> tuple[int | None, int, int]:
    """The stack that the handlers of signals run on in this thread."""
    found = SignalStack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0
    return found.address, found.flags, found.size


@pytest.mark.parametrize("backend", BACKENDS)
def test_signals_are_taken_as_before(backend: str) -> None:
    before = signal_stack()
    model = Sequential([Dense(3, input_dim=4)])
    model.predict(X, backend=backend)
    assert signal_stack() == before


def test_no_rows() -> None:
    assert Sequential([Dense(3, input_dim=4)]).predict(X[:0], backend="onnxruntime").shape == (0, 3)


class Own(Layer):
    """A layer whose computation cannot be followed."""

    def forward(self, x: Any) -> Any:
        return x * float(x.sum())


@pytest.mark.parametrize(
    ("model", "arguments", "error", "message"),
    [
        (Sequential([Dense(3, input_dim=4)]), {"backend": "tflite"}, DataError, "one of 'onnxruntime', 'openvino'"),
        (
            Sequential([Dense(3, input_dim=4)]),
            {"backend": "onnxruntime", "precision": "bf16"},
            DataError,
            "arrays in float32",
        ),
        (
            Sequential([LSTM(3, batch_input_shape=(10, 2, 2), stateful=True)]),
            {"backend": "onnxruntime"},
            DataError,
            "is stateful",
        ),
        (Sequential([Own(input_shape=(4,))]), {"backend": "onnxruntime"}, ExportError, "own"),
    ],
)
def test_what_is_refused(model: Model, arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        model.predict(X, **arguments)
