"""ONNX models: which nodes they have, what their ports are called, and functions of the user's own."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import bigdl.export.onnx.model as onnx_room
from bigdl.errors import ExportError, MissingPackageError
from bigdl.graph import Input, Layer
from bigdl.layers import (
    GRU,
    LSTM,
    AtrousConvolution1D,
    BatchNormalization,
    Bidirectional,
    ConvLSTM2D,
    Convolution2D,
    Dense,
    Flatten,
    Lambda,
    Masking,
    MaxPooling1D,
    MaxPooling2D,
    SimpleRNN,
    TimeDistributed,
    merge,
)
from bigdl.models import Model, Sequential
from tests.export.runtimes import onnx_session, open_onnx
from tests.golden_cases import CASES

GOLDENS = {case.name: case for case in CASES}


def written(model: Model, folder: Path) -> Any:
    model.export(folder / "model.onnx")
    proto = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(proto, full_check=True)
    return proto


def operators(proto: Any) -> Counter[str]:
    return Counter(node.op_type for node in proto.graph.node)


def same(folder: Path, model: Model, *x: Any) -> None:
    inputs = list(x) if len(x) > 1 else x[0]
    np.testing.assert_allclose(open_onnx(folder / "model.onnx")(x)[0], model.predict(inputs), rtol=0, atol=1e-5)


def random(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("layer", [LSTM, GRU, SimpleRNN])
def test_recurrent_layers_are_nodes_of_their_own(layer, tmp_path):
    model = Sequential([layer(4, input_shape=(None, 3), return_sequences=True), Bidirectional(layer(2))])
    found = operators(written(model, tmp_path))
    assert found[{SimpleRNN: "RNN"}.get(layer, layer.__name__)] == 2
    assert found.total() <= 6
    for shape in (2, 7, 3), (1, 1, 3):
        same(tmp_path, model, random(*shape))


def test_masked_steps_anywhere(tmp_path):
    model = Sequential([Masking(input_shape=(None, 3)), Bidirectional(LSTM(4, return_sequences=True)), GRU(2)])
    assert "Scan" not in operators(written(model, tmp_path))
    x = random(6, 8, 3)
    x[0, :5] = x[1, 3:] = x[2, 2:4] = x[3] = x[4, 7] = 0
    same(tmp_path, model, x)


def test_what_no_recurrent_node_can_do_is_a_loop(tmp_path):
    model = Sequential([LSTM(4, inner_activation="softmax", input_shape=(None, 3), go_backwards=True)])
    assert operators(written(model, tmp_path))["Scan"] == 1
    same(tmp_path, model, random(2, 5, 3))
    images = Sequential([ConvLSTM2D(2, 3, 2, border_mode="same", input_shape=(None, 5, None, 1))])
    assert operators(written(images, tmp_path))["Scan"] == 1
    same(tmp_path, images, random(2, 3, 5, 4, 1))


def test_images_are_turned_at_the_ends_only(tmp_path):
    block = [Convolution2D(4, 3, 3, activation="relu"), BatchNormalization(), MaxPooling2D()]
    model = Sequential([Convolution2D(2, 3, 3, input_shape=(20, 20, 3)), *block, Flatten(), Dense(2)])
    found = operators(written(model, tmp_path))
    assert found["Transpose"] == 2
    assert found["BatchNormalization"] == 1
    assert found.total() == 9
    same(tmp_path, model, random(2, 20, 20, 3))


def test_ports_are_those_of_the_model(tmp_path):
    a, b = Input((3,), name="left"), Input((3,), name="right")
    shared = Dense(2, name="scores")
    model = Model([a, b], [shared(a), shared(b)])
    proto = written(model, tmp_path)
    assert [port.name for port in proto.graph.input] == ["left", "right"]
    assert [port.name for port in proto.graph.output] == ["scores", "scores_1"]
    assert sorted(array.name for array in proto.graph.initializer) == ["scores.bias", "scores.weight"]
    assert onnx_session(tmp_path / "model.onnx").get_inputs()[0].shape == ["batch", 3]


def test_states_are_ports(tmp_path):
    case = GOLDENS["recurrent/lstm_stateful_plain"]
    proto = written(Model.load_keras(case.definition, case.weights), tmp_path)
    assert [port.name for port in proto.graph.input[1:]] == ["lstm_1/state_0", "lstm_1/state_1"]
    assert [port.name for port in proto.graph.output[1:]] == ["lstm_1/next_state_0", "lstm_1/next_state_1"]


def test_functions_of_the_user_are_functions_of_the_model(tmp_path):
    x, y = Input((4,)), Input((4,))
    gated = Dense(3, activation=lambda z: z * torch.sigmoid(z), name="gated")(merge([x, y], mode=lambda z: z[0] - z[1]))
    model = Model([x, y], Lambda(lambda z: torch.cumsum(z, 1), output_shape=(3,))(gated))
    proto = written(model, tmp_path)
    assert len(proto.functions) == 3
    same(tmp_path, model, random(3, 4), random(3, 4) + 1)


class Scale(Layer):
    """A layer of the user's own, with a weight, that uses the mask and makes another."""

    supports_masking = consumes_mask = True

    def build(self, input_shape):
        self.add_weight("gamma", (input_shape[-1],), torch.ones, attribute="gamma")

    def forward(self, x, mask=None):
        return x * self.gamma * (1 if mask is None else mask.unsqueeze(-1))

    def compute_mask(self, x, mask):
        return x[..., 0] > 0 if mask is None else mask & (x[..., 0] > 0)


def test_layers_of_the_user_are_followed(tmp_path):
    model = Sequential([Masking(input_shape=(5, 3)), Scale(), LSTM(2)])
    model.set_weights([array + 0.5 if array.shape == (3,) else array for array in model.get_weights()])
    written(model, tmp_path)
    x = random(4, 5, 3)
    x[1, 2:] = 0
    same(tmp_path, model, x)


def test_a_function_that_looks_at_values_is_refused(tmp_path):
    model = Sequential([Lambda(lambda x: x if x.sum() > 0 else -x, output_shape=(3,), input_shape=(3,))])
    with pytest.raises(ExportError, match=r"'lambda_1' \(Lambda\)"):
        model.export(tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_windows_shorter_than_their_stride_over_an_open_length_are_refused(tmp_path):
    model = Sequential([MaxPooling1D(2, 3, border_mode="same", input_shape=(None, 3))])
    with pytest.raises(ExportError, match=r"'maxpooling1d_1' \(MaxPooling1D\)"):
        model.export(tmp_path / "model.onnx")


def test_windows_over_open_lengths(tmp_path):
    layers = [AtrousConvolution1D(2, 3, atrous_rate=2, border_mode="same", input_shape=(None, 3))]
    model = Sequential([*layers, MaxPooling1D(3, 2, border_mode="same")])
    written(model, tmp_path)
    for length in (8, 9):
        same(tmp_path, model, random(2, length, 3))


def test_steps_of_an_open_number_with_a_fixed_batch_are_refused(tmp_path):
    model = Sequential([TimeDistributed(LSTM(3), batch_input_shape=(2, None, 4, 3))])
    with pytest.raises(ExportError, match=r"'timedistributed_1' \(TimeDistributed\)"):
        model.export(tmp_path / "model.onnx")


def test_more_than_a_file_can_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_room, "_MOST_BYTES", 30)
    with pytest.raises(ExportError, match="may hold 2 GB"):
        Sequential([Dense(2, input_dim=3)]).export(tmp_path / "model.onnx")


def test_what_runtimes_do_not_compute_in_is_refused(tmp_path):
    with pytest.raises(ExportError, match="bfloat16"):
        Sequential([Dense(2, input_dim=3)]).bfloat16().export(tmp_path / "model.onnx")


@pytest.mark.parametrize(("package", "layer"), [("onnx", Dense(2, input_dim=3)), ("onnxscript", None)])
def test_a_package_that_is_missing_is_named(package, layer, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    model = Sequential([layer or Lambda(lambda x: x.flip(1), input_shape=(3,))])
    with pytest.raises(MissingPackageError, match=r"pip install 'bigdl-torch\[onnx\]'") as raised:
        model.export(tmp_path / "model.onnx")
    assert package in str(raised.value)
    assert isinstance(raised.value, ImportError)
