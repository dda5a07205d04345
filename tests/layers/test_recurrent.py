"""SimpleRNN, GRU and LSTM beyond the goldens: weights as views, dropout in training, gradients, states."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from bigdl.errors import DataError, LayerError
from bigdl.graph import Input
from bigdl.layers import GRU, LSTM, SimpleRNN
from bigdl.layers.recurrent import base
from bigdl.registry import custom_object_scope, make_layer

BATCH, STEPS, FEATURES, UNITS = 3, 5, 2, 4
Array = NDArray[Any]
CELLS = [SimpleRNN, GRU, LSTM]
MODES = ["cpu", "mem", "gpu"]
MASK = torch.tensor([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], dtype=torch.bool)


def built(cls: Any, batch: int | None = None, steps: int | None = STEPS, **options: Any) -> Any:
    layer = cls(UNITS, **options)
    layer(Input(batch_shape=(batch, steps, FEATURES)))
    return layer


def randomised(layer: Any, rng: np.random.Generator) -> Any:
    layer.set_weights([rng.normal(0, 0.5, weight.shape).astype("float32") for weight in layer.weights])
    return layer


# An independent reference: Keras 1.2.2's formulas step by step in NumPy, gate by gate.


def hard_sigmoid(x: Array) -> Array:
    return np.clip(0.2 * x + 0.5, 0, 1)


def gates_of(layer: Any) -> dict[str, list[Array]]:
    """W, U and b by gate, from the layer's arrays in Keras's layout."""
    arrays = {weight.name: array for weight, array in zip(layer.weights, layer.get_weights(), strict=True)}
    letters = {SimpleRNN: "h", GRU: "zrh", LSTM: "ifco"}[type(layer)]
    if "W" not in arrays:
        return {g: [arrays[f"{kind}_{g}"] for kind in "WUb"] for g in letters}
    cut = {kind: np.split(arrays[kind], len(letters), -1) for kind in "WUb"}
    return {g: [cut[kind][i] for kind in "WUb"] for i, g in enumerate(letters)}


def reference(layer: Any, x: Array, input_masks: Array, inner_masks: Array) -> Array:
    weights = gates_of(layer)
    letters = list(weights)
    h = c = np.zeros((len(x), UNITS))
    outputs = []
    for x_t in np.moveaxis(x, 1, 0):

        def total(gate: str, state: Array, x_t: Array = x_t) -> Array:
            W, U, b = weights[gate]
            i = letters.index(gate)
            x_kept, kept = x_t * input_masks[i % len(input_masks)], state * inner_masks[i % len(inner_masks)]
            return np.asarray(x_kept @ W + kept @ U + b)

        if isinstance(layer, SimpleRNN):
            h = np.tanh(total("h", h))
        elif isinstance(layer, GRU):
            z, r = hard_sigmoid(total("z", h)), hard_sigmoid(total("r", h))
            h = z * h + (1 - z) * np.tanh(total("h", r * h))
        else:
            i, f, o = (hard_sigmoid(total(g, h)) for g in "ifo")
            c = f * c + i * np.tanh(total("c", h))
            h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", CELLS)
def test_training_with_dropout(cls, mode, monkeypatch):
    rng = np.random.default_rng(0)
    layer = randomised(built(cls, consume_less=mode, dropout_W=0.25, dropout_U=0.5, return_sequences=True), rng)
    drawn = []

    def draw(p, gates, like, size):
        if not 0 < p < 1:
            return None
        drawn.append(rng.binomial(1, 1 - p, (gates, BATCH, size)).astype("float32") / np.float32(1 - p))
        return torch.from_numpy(drawn[-1])

    monkeypatch.setattr(base, "dropout_masks", draw)
    x = rng.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    y = layer.train()(torch.from_numpy(x)).detach().numpy()

    masks = {mask.shape[-1]: mask for mask in drawn}
    expected_gates = 1 if mode == "gpu" or cls is SimpleRNN else len(gates_of(layer))
    assert {len(mask) for mask in drawn} == {expected_gates}
    # SimpleRNN drops inputs with "cpu" only.
    assert (FEATURES in masks) == (cls is not SimpleRNN or mode == "cpu")
    expected = reference(layer, x, masks.get(FEATURES, np.ones(1)), masks[UNITS])
    np.testing.assert_allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", CELLS)
def test_no_dropout_in_evaluation(cls, mode):
    rng = np.random.default_rng(0)
    layer = randomised(built(cls, consume_less=mode, dropout_W=0.5, dropout_U=0.5, return_sequences=True), rng)
    x = rng.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    y = layer.eval()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(y, reference(layer, x, np.ones(1), np.ones(1)), atol=1e-6)


def test_dropout_is_the_same_at_every_step():
    layer = built(SimpleRNN, steps=50, dropout_W=0.5, activation="linear", return_sequences=True)
    layer.set_weights([np.ones((FEATURES, UNITS)), np.zeros((UNITS, UNITS)), np.zeros(UNITS)])
    y = layer(torch.ones(8, 50, FEATURES))
    assert torch.equal(y, y[:, :1].expand_as(y))
    # Two features, each kept (and doubled) or not.
    assert set(y.unique().tolist()) == {0.0, 2.0, 4.0}


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5])
def test_shares_that_drop_nothing(p):
    layer = built(LSTM, dropout_W=p, dropout_U=p)
    x = torch.randn(BATCH, STEPS, FEATURES)
    assert torch.equal(layer.train()(x), layer.eval()(x))


@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "return_sequences": True}, {"consume_less": "gpu"}])
@pytest.mark.parametrize("cls", CELLS)
def test_gradients(cls, options):
    # A smooth activation of the gates: hard_sigmoid has kinks.
    inner: dict[str, Any] = {} if cls is SimpleRNN else {"inner_activation": "sigmoid"}
    layer = built(cls, **options, **inner).double()
    names = [name for name, _ in layer.named_parameters()]
    x = torch.randn(BATCH, STEPS, FEATURES, dtype=torch.float64, requires_grad=True)

    def run(x, *parameters):
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,), {"mask": MASK})

    assert torch.autograd.gradcheck(run, (x, *layer.parameters()))


@pytest.mark.parametrize("cls", CELLS)
def test_gradients_with_dropout(cls):
    layer = built(cls, dropout_W=0.3, dropout_U=0.3).double()
    names = [name for name, _ in layer.named_parameters()]
    x = torch.randn(2, 3, FEATURES, dtype=torch.float64, requires_grad=True)

    def run(x, *parameters):
        torch.manual_seed(0)
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *layer.parameters()))


# Weights.

ARRAYS = {
    (SimpleRNN, "cpu"): "W U b",
    (SimpleRNN, "mem"): "W U b",
    (SimpleRNN, "gpu"): "W U b",
    (GRU, "cpu"): "W_z U_z b_z W_r U_r b_r W_h U_h b_h",
    (GRU, "mem"): "W_z U_z b_z W_r U_r b_r W_h U_h b_h",
    (GRU, "gpu"): "W U b",
    (LSTM, "cpu"): "W_i U_i b_i W_c U_c b_c W_f U_f b_f W_o U_o b_o",
    (LSTM, "mem"): "W_i U_i b_i W_c U_c b_c W_f U_f b_f W_o U_o b_o",
    (LSTM, "gpu"): "W U b",
}


@pytest.mark.parametrize(("cls", "mode"), ARRAYS)
def test_arrays(cls, mode):
    layer = built(cls, consume_less=mode)
    assert [weight.name for weight in layer.weights] == ARRAYS[cls, mode].split()
    gates = {SimpleRNN: 1, GRU: 3, LSTM: 4}[cls]
    width = UNITS * (gates if len(layer.weights) == 3 else 1)
    assert [weight.shape for weight in layer.weights[:3]] == [(FEATURES, width), (UNITS, width), (width,)]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=weight.shape).astype("float32") for weight in layer.weights]
    layer.set_weights(arrays)
    for ours, given in zip(layer.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(ours, given)
    # Three parameters hold them all, none twice.
    assert sum(p.numel() for p in layer.parameters()) == sum(array.size for array in arrays)


@pytest.mark.parametrize("mode", ["mem", "gpu"])
@pytest.mark.parametrize("cls", CELLS)
def test_modes_compute_the_same(cls, mode):
    rng = np.random.default_rng(0)
    one = randomised(built(cls), rng)
    other = built(cls, consume_less=mode)
    gates = gates_of(one)
    if mode == "mem" or cls is SimpleRNN:
        other.set_weights(one.get_weights())
    else:
        other.set_weights([np.concatenate([gates[g][kind] for g in gates], -1) for kind in range(3)])
    x = torch.randn(BATCH, STEPS, FEATURES)
    torch.testing.assert_close(one(x, mask=MASK), other(x, mask=MASK))


@pytest.mark.parametrize("cls", [GRU, LSTM])
def test_separate_arrays_start_with_init_and_are_penalized_by_w_regularizer(cls):
    layer = built(cls, init="one", inner_init="zero", W_regularizer="l2", U_regularizer="l1", b_regularizer="l1")
    for weight in layer.weights:
        if weight.name[0] in "WU":
            assert weight.value.eq(1).all()
            assert weight.regularizer is layer.W_regularizer
        else:
            assert weight.regularizer is layer.b_regularizer


@pytest.mark.parametrize(("cls", "mode"), [(SimpleRNN, "cpu"), (GRU, "gpu"), (LSTM, "gpu")])
def test_joint_arrays_start_with_their_own_initializations(cls, mode):
    layer = built(cls, consume_less=mode, init="one", inner_init="zero", W_regularizer="l2", U_regularizer="l1")
    W, U, b = layer.weights
    assert W.value.eq(1).all()
    assert U.value.eq(0).all()
    assert [w.regularizer for w in (W, U, b)] == [layer.W_regularizer, layer.U_regularizer, None]


@pytest.mark.parametrize("forget", ["one", "zero"])
def test_forget_bias(forget):
    separate, joint = built(LSTM, forget_bias_init=forget), built(LSTM, forget_bias_init=forget, consume_less="gpu")
    value = float(forget == "one")
    biases = {w.name: w.value.unique().tolist() for w in separate.weights if w.name.startswith("b")}
    assert biases == {"b_i": [0.0], "b_c": [0.0], "b_f": [value], "b_o": [0.0]}
    np.testing.assert_array_equal(joint.get_weights()[2], np.repeat([0, value, 0, 0], UNITS))


def test_initial_weights():
    arrays = built(GRU).get_weights()
    layer = built(GRU, weights=arrays)
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), arrays, strict=True))


def test_copies_are_independent():
    layer = built(LSTM, stateful=True, batch=BATCH)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        twin.weights[0].assign(torch.zeros(FEATURES, UNITS))
        assert twin.weight[:UNITS].eq(0).all()
        assert layer.weight[:UNITS].ne(0).all()


# States.


def split_in_time(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[:, :2], x[:, 2:]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("cls", CELLS)
def test_a_stateful_layer_goes_on_where_it_stopped(cls, training):
    whole = built(cls)
    layer = built(cls, stateful=True, batch=BATCH, weights=whole.get_weights()).train(training)
    x = torch.randn(BATCH, STEPS, FEATURES)
    for _ in range(2):
        first, second = split_in_time(x)
        layer(first)
        torch.testing.assert_close(layer(second), whole(x))
        layer.reset_states()
    assert all(state.eq(0).all() for state in layer.states)
    assert all("state" not in name for name in layer.state_dict())


def test_training_after_prediction_of_a_stateful_layer():
    layer = built(LSTM, stateful=True, batch=BATCH)
    x = torch.randn(BATCH, STEPS, FEATURES)
    with torch.inference_mode():
        layer(x)
    for _ in range(2):
        layer(x).sum().backward()
    assert layer.weight.grad is not None
    assert not any(state.requires_grad for state in layer.states)


def test_reset_states_of_a_layer_without():
    layer = built(GRU)
    layer.reset_states()
    assert layer.states == ()


def test_stateful_layers_need_a_batch_size():
    with pytest.raises(LayerError, match=r"'gru_1' .GRU.: stateful=True needs a fixed batch size"):
        built(GRU, stateful=True)


def test_batches_of_another_size():
    layer = built(LSTM, stateful=True, batch=BATCH)
    with pytest.raises(DataError, match=r"'lstm_1' .LSTM. .* batches of 3 samples. Received: a batch of 2"):
        layer(torch.zeros(2, STEPS, FEATURES))


# Errors and configuration.


def test_unrolling_needs_a_length():
    with pytest.raises(LayerError, match=r"'lstm_1' .LSTM.: unroll=True needs a fixed number of steps"):
        built(LSTM, unroll=True, steps=None)


def test_sequences_without_steps():
    with pytest.raises(DataError, match=r"no steps"):
        built(GRU, steps=None)(torch.zeros(2, 0, FEATURES))


@pytest.mark.parametrize("shape", [(FEATURES,), (2, STEPS, FEATURES), (STEPS, None)])
def test_inputs_of_another_kind(shape):
    with pytest.raises(LayerError, match=r"'gru_1' .GRU."):
        GRU(UNITS)(Input(shape))


def test_a_shared_layer_refuses_other_features():
    layer = built(SimpleRNN)
    with pytest.raises(LayerError, match=r"built for steps of length 2. Received: shape .None, 5, 3."):
        layer(Input((5, 3)))


def test_unknown_mode():
    with pytest.raises(LayerError, match=r"consume_less must be one of cpu, mem, gpu. Received: 'tpu'"):
        LSTM(UNITS, consume_less="tpu")


@pytest.mark.parametrize("cls", CELLS)
def test_configuration_round_trip(cls):
    options = {
        "init": "he_normal",
        "inner_init": "identity",
        "activation": "relu",
        "W_regularizer": "l1",
        "U_regularizer": "l2",
        "b_regularizer": "l1l2",
        "dropout_W": 0.1,
        "dropout_U": 0.2,
        "return_sequences": True,
        "go_backwards": True,
        "unroll": True,
        "consume_less": "gpu",
        "input_dim": FEATURES,
        "input_length": STEPS,
        "trainable": False,
        "name": "cell",
    }
    config = cls(UNITS, **options).get_config()
    assert cls.from_config(config).get_config() == config
    names = {"W_regularizer", "U_regularizer", "b_regularizer"}
    assert {key: config[key] for key in options.keys() - names} == {k: v for k, v in options.items() if k not in names}


def test_positional_arguments_are_in_keras_order():
    lstm = LSTM(4, "uniform", "normal", "zero", "relu", "sigmoid", "l1", "l2", None, 0.1, 0.2)
    gru = GRU(4, "uniform", "normal", "relu", "sigmoid", "l1", "l2", None, 0.1, 0.2)
    simple = SimpleRNN(4, "uniform", "normal", "relu", "l1", "l2", None, 0.1, 0.2)
    for layer in (lstm, gru, simple):
        config = layer.get_config()
        assert (config["init"], config["inner_init"], config["activation"]) == ("uniform", "normal", "relu")
        assert (config["W_regularizer"]["l1"], config["U_regularizer"]["l2"]) == (0.01, 0.01)
        assert (config["dropout_W"], config["dropout_U"]) == (0.1, 0.2)
    assert lstm.get_config()["forget_bias_init"] == "zero"
    assert lstm.get_config()["inner_activation"] == gru.get_config()["inner_activation"] == "sigmoid"


def test_activations_of_the_user():
    with custom_object_scope({"swish": lambda x: x * torch.sigmoid(x)}):
        layer = make_layer("LSTM", {"output_dim": UNITS, "activation": "swish"})
    layer(Input((STEPS, FEATURES)))
    assert layer(torch.randn(BATCH, STEPS, FEATURES)).shape == (BATCH, UNITS)
