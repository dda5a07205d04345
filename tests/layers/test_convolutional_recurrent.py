"""ConvLSTM2D beyond the goldens."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.func import functional_call

from bigdl.errors import DataError, LayerError
from bigdl.graph import Input
from bigdl.layers import ConvLSTM2D, Masking
from bigdl.layers.convolutional_recurrent import GATES

FRAMES = {"tf": (2, 3, 4, 2), "th": (2, 2, 3, 4)}


def built(
    ordering: str = "tf", batch: int | None = None, shape: Any = None, rows: int = 2, columns: int = 3, **options: Any
) -> Any:
    layer = ConvLSTM2D(1, rows, columns, dim_ordering=ordering, **options)
    layer(Input(batch_shape=(batch, *(shape or FRAMES[ordering]))))
    return layer


# What the real Keras 1.2.2 predicts; its JSON does not hold the stride, so that no golden can.
STRIDED = {
    "tf": """-0.05388830 -0.05172516 -0.05368634 -0.07209057 -0.07521193 -0.06311260 -0.06558096 -0.06327303
             -0.09575057 -0.05665207 -0.09261359 -0.10015653 -0.09460773 -0.06847152 -0.07445820 -0.09069575""",
    "th": """-0.06919624 -0.06845254 -0.04865991 -0.07117274 -0.05854499 -0.03911495 -0.07922211 -0.04488000
             -0.08485303 -0.10183619 -0.04862948 -0.10347918 -0.09841530 -0.09017526 -0.06997783 -0.08092038""",
}


@pytest.mark.parametrize("ordering", FRAMES)
def test_strides(ordering):
    layer = built(ordering, subsample=(2, 1), border_mode="same", return_sequences=True)
    layer.set_weights(
        [
            (np.arange(array.size) * 7919 % 13 / 13 - 0.5).reshape(array.shape) + i / 50
            for i, array in enumerate(layer.get_weights())
        ]
    )
    x = (np.arange(48) * 104729 % 17 / 17 - 0.5).reshape(1, *FRAMES[ordering]).astype("float32")
    y = layer(torch.from_numpy(x)).detach()
    assert y.shape == ((1, 2, 2, 4, 1) if ordering == "tf" else (1, 2, 1, 2, 4))
    np.testing.assert_allclose(y.flatten(), np.array(STRIDED[ordering].split(), float), atol=1e-6)


@pytest.mark.parametrize("ordering", FRAMES)
@pytest.mark.parametrize("options", [{}, {"border_mode": "same", "subsample": (2, 2), "go_backwards": True}])
def test_gradients(ordering, options):
    layer = built(ordering, inner_activation="sigmoid", dropout_W=0.3, dropout_U=0.3, **options).double()
    names = [name for name, _ in layer.named_parameters()]
    x = torch.randn(2, *FRAMES[ordering], dtype=torch.float64, requires_grad=True)

    def run(x, *parameters):
        torch.manual_seed(0)
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *layer.parameters()), fast_mode=True)


def test_arrays():
    tf, th = built("tf"), built("th")
    assert [weight.name for weight in tf.weights] == [f"{kind}_{gate}" for gate in "icfo" for kind in "WUb"]
    assert [weight.shape for weight in tf.weights[:3]] == [(2, 3, 2, 1), (2, 3, 1, 1), (1,)]
    assert [weight.shape for weight in th.weights[:3]] == [(1, 2, 2, 3), (1, 1, 2, 3), (1,)]
    for layer in (tf, th):
        arrays = [np.random.default_rng(0).normal(size=w.shape).astype("float32") for w in layer.weights]
        layer.set_weights(arrays)
        assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), arrays, strict=True))
    biases = {w.name: w.value.tolist() for w in built().weights if w.name.startswith("b")}
    assert biases == {"b_i": [0.0], "b_c": [0.0], "b_f": [1.0], "b_o": [0.0]}


def test_penalties_are_without_effect():
    layer = built(W_regularizer="l2", U_regularizer="l2", b_regularizer="l2")
    assert all(weight.regularizer is None for weight in layer.weights)


def test_orderings_agree():
    tf, th = built("tf", return_sequences=True), built("th", return_sequences=True)
    th.set_weights([a if a.ndim == 1 else a.transpose(3, 2, 0, 1) for a in tf.get_weights()])
    x = torch.randn(3, *FRAMES["tf"])
    torch.testing.assert_close(th(x.movedim(-1, 2)).movedim(2, -1), tf(x))


def test_dropout_is_the_same_at_every_step_and_differs_between_gates():
    layer = built("th", shape=(20, 1, 6, 6), rows=1, columns=1, dropout_W=0.5, return_sequences=True).train()
    with torch.no_grad():
        layer.weight.fill_(1.0)
    frames = torch.ones(4 * 20, 1, 6, 6)
    projected = layer._project(frames, 4)
    assert projected.shape == (4, 20, 6, 6, len(GATES))
    assert torch.equal(projected, projected[:, :1].expand_as(projected))
    masks = (projected[:, 0] - layer.bias).detach()
    assert set(masks.unique().tolist()) == {0.0, 2.0}
    assert all(not torch.equal(masks[..., 0], masks[..., i]) for i in range(1, len(GATES)))


def test_no_dropout_in_evaluation():
    layer = built(dropout_W=0.5, dropout_U=0.5)
    x = torch.randn(2, *FRAMES["tf"])
    assert not torch.equal(layer.train()(x), layer(x))
    assert torch.equal(layer.eval()(x), layer(x))


@pytest.mark.parametrize("ordering", FRAMES)
def test_states(ordering):
    whole = built(ordering, batch=2)
    layer = built(ordering, batch=2, stateful=True, weights=whole.get_weights())
    x = torch.randn(2, *FRAMES[ordering])
    layer(x[:, :1])
    torch.testing.assert_close(layer(x[:, 1:]), whole(x))
    layer.reset_states()
    torch.testing.assert_close(layer(x), whole(x))
    with pytest.raises(DataError, match=r"batches of 2 samples. Received: a batch of 3"):
        layer(torch.zeros(3, *FRAMES[ordering]))


def test_stateful_layers_need_fixed_sizes():
    with pytest.raises(LayerError, match=r"needs images of fixed size"):
        built(batch=2, shape=(2, None, 4, 2), stateful=True)
    with pytest.raises(LayerError, match=r"needs a fixed batch size"):
        built(stateful=True)


def test_masks_are_refused():
    x = Masking()(Input((2, 3, 4, 2)))
    with pytest.raises(LayerError, match=r"'convlstm2d_1' .ConvLSTM2D. does not support masking"):
        ConvLSTM2D(1, 2, 2)(x)


@pytest.mark.parametrize("shape", [(3, 4, 2), (2, 3, 4, None), (2, 1, 4, 2)])
def test_inputs_of_another_kind(shape):
    with pytest.raises(LayerError, match=r"'convlstm2d_1' .ConvLSTM2D."):
        built(shape=shape)


def test_configuration_round_trip():
    layer = ConvLSTM2D(
        2,
        3,
        1,
        init="he_normal",
        inner_init="normal",
        forget_bias_init="zero",
        activation="relu",
        inner_activation="sigmoid",
        dim_ordering="th",
        border_mode="same",
        subsample=(2, 1),
        W_regularizer="l2",
        dropout_W=0.1,
        dropout_U=0.2,
        return_sequences=True,
        go_backwards=True,
    )
    config = layer.get_config()
    assert ConvLSTM2D.from_config(config).get_config() == config
    assert (config["nb_row"], config["nb_col"], config["subsample"]) == (3, 1, (2, 1))
    assert "subsample" not in ConvLSTM2D(2, 3, 3).get_config()
