"""TimeDistributed and Bidirectional beyond the goldens."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import FormatError, LayerError, UnsupportedLayerError, WeightMismatchError
from bigdl.graph import Container, Input, Layer
from bigdl.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Masking,
    SimpleRNN,
    TimeDistributed,
)
from bigdl.models import Sequential
from bigdl.registry import make_layer

STEPS, FEATURES, UNITS = 4, 3, 2


class BatchMean(Layer):
    """Subtracts the mean over the batch, so that it matters which samples are together."""

    def forward(self, x):
        return x - x.mean(0)


def applied(wrapper: Any, batch: int | None = None, shape: tuple[int, ...] = (STEPS, FEATURES)) -> Any:
    wrapper(Input(batch_shape=(batch, *shape)))
    return wrapper


def trained_parameters(layer: Layer) -> list[bool]:
    return [p.requires_grad for p in layer.parameters()]


# TimeDistributed


@pytest.mark.parametrize("batch", [None, 5])
def test_one_layer_for_all_steps(batch):
    wrapper = applied(TimeDistributed(Dense(UNITS)), batch)
    W, b = wrapper.get_weights()
    x = torch.randn(5, STEPS, FEATURES)
    np.testing.assert_allclose(wrapper(x).detach(), x.numpy() @ W + b, atol=1e-6)


def test_steps_are_one_batch_unless_the_batch_size_is_fixed():
    x = torch.randn(5, STEPS, FEATURES)
    together, by_step = applied(TimeDistributed(BatchMean())), applied(TimeDistributed(BatchMean()), 5)
    torch.testing.assert_close(together(x), x - x.mean((0, 1)))
    torch.testing.assert_close(by_step(x), x - x.mean(0))


@pytest.mark.parametrize("inner", [Dense(2), Activation("tanh"), Flatten(), Dropout(0.5)])
def test_layers_that_treat_samples_one_by_one_get_all_steps_at_once(inner):
    calls = []
    wrapper = applied(TimeDistributed(inner), batch=2, shape=(STEPS, 3, FEATURES))
    inner.register_forward_hook(lambda module, args, output: calls.append(args[0].shape[0]))
    wrapper(torch.zeros(2, STEPS, 3, FEATURES))
    assert calls == [2 * STEPS]


def test_a_model_inside():
    x = Input((FEATURES,))
    hidden = Dense(4, activation="tanh")(x)
    model = Container(x, Dense(UNITS)(hidden))
    wrapper = applied(TimeDistributed(model))
    assert [weight.module.name for weight in wrapper.weights] == ["dense_1", "dense_1", "dense_2", "dense_2"]
    data = torch.randn(5, STEPS, FEATURES)
    torch.testing.assert_close(wrapper(data)[:, 1], model(data[:, 1]))
    wrapper.set_weights([np.zeros_like(array) for array in wrapper.get_weights()])
    assert wrapper(data).eq(0).all()


def test_the_mask_is_passed_on_and_not_used():
    wrapper = applied(TimeDistributed(Flatten()), shape=(STEPS, FEATURES, 2))
    mask = torch.tensor([[True, False, True, True]])
    assert wrapper.run(torch.ones(1, STEPS, FEATURES, 2), mask, True)[1] is mask
    x = Masking()(Input((STEPS, FEATURES)))
    assert TimeDistributed(Dense(UNITS))(x).mask == "uint8"


def test_activity_is_penalized_once_for_all_steps():
    wrapper = applied(TimeDistributed(Dense(UNITS, activity_regularizer="l1")), 3)
    y, _ = wrapper.run(torch.randn(3, STEPS, FEATURES), None, False)
    assert [loss.item() for loss in wrapper.activity_losses] == pytest.approx([0.01 * y.abs().sum().item()])
    assert wrapper.layer.activity_losses == []


def test_states_of_the_layer_inside():
    wrapper = applied(TimeDistributed(GRU(UNITS, stateful=True)), 3, (STEPS, 2, FEATURES))
    wrapper(torch.randn(3, STEPS, 2, FEATURES))
    assert wrapper.stateful
    assert wrapper.layer.states[0].ne(0).any()
    wrapper.reset_states()
    assert wrapper.layer.states[0].eq(0).all()


@pytest.mark.parametrize("batch", [None, 8])
def test_running_values_inside_never_move(batch):
    """Keras 1.2.2 leaves them at 0 and 1, as its wrapper knows of no updates (three batches of ``train_on_batch``)."""
    model = Sequential([TimeDistributed(BatchNormalization(), batch_input_shape=(batch, STEPS, FEATURES))])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(2, 3, (8, STEPS, FEATURES))
    for _ in range(3):
        model.train_on_batch(x, np.zeros_like(x))
    gamma, _, mean, variance = model.get_weights()
    assert (gamma != 1).all()
    assert mean.tolist() == [0.0] * FEATURES
    assert variance.tolist() == [1.0] * FEATURES


def test_inputs_without_time():
    with pytest.raises(LayerError, match=r"'timedistributed_1' .TimeDistributed. expects one input of rank 3"):
        applied(TimeDistributed(Dense(2)), shape=(FEATURES,))


def test_a_model_with_two_outputs_inside():
    x = Input((FEATURES,))
    model = Container(x, [Dense(2)(x), Dense(3)(x)], name="two")
    with pytest.raises(LayerError, match=r"the layer inside, 'two' .Container., must have one output. Received: 2"):
        applied(TimeDistributed(model))


@pytest.mark.parametrize("wrapper", [TimeDistributed, Bidirectional])
def test_only_layers_are_wrapped(wrapper):
    with pytest.raises(LayerError, match=r"wraps a layer. Received: 'dense'"):
        wrapper("dense")


# Bidirectional


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_merge_modes(mode):
    wrapper = applied(Bidirectional(SimpleRNN(UNITS, return_sequences=True), merge_mode=mode))
    x = torch.randn(5, STEPS, FEATURES)
    forward = wrapper.forward_layer(x)
    backward = wrapper.backward_layer(x).flip(1)
    expected = {
        "concat": torch.cat([forward, backward], -1),
        "sum": forward + backward,
        "mul": forward * backward,
        "ave": (forward + backward) / 2,
        None: [forward, backward],
    }
    torch.testing.assert_close(wrapper(x), expected[mode])
    assert wrapper.backward_layer.go_backwards


def test_two_outputs_with_masks():
    x = Masking()(Input((STEPS, FEATURES)))
    outputs = Bidirectional(LSTM(UNITS, return_sequences=True), merge_mode=None)(x)
    assert [y.mask for y in outputs] == ["uint8", "uint8"]
    wrapper = outputs[0].layer
    mask = torch.tensor([[True, True, False, False]])
    y, masks = wrapper.run(torch.randn(1, STEPS, FEATURES), mask, True)
    assert [y_i.shape for y_i in y] == [(1, STEPS, UNITS)] * 2
    assert masks == [mask, mask]


def test_the_mask_ends_where_the_last_step_is_returned():
    x = Masking()(Input((STEPS, FEATURES)))
    assert Bidirectional(LSTM(UNITS))(x).mask is None
    wrapper = applied(Bidirectional(LSTM(UNITS)))
    assert wrapper.run(torch.randn(1, STEPS, FEATURES), torch.ones(1, STEPS, dtype=torch.bool), True)[1] is None


def test_arrays_and_names_of_both_directions():
    wrapper = applied(Bidirectional(GRU(UNITS, consume_less="gpu", name="inner")))
    names = [f"{weight.module.name}_{weight.name}" for weight in wrapper.weights]
    assert names == [f"{side}_inner_{kind}" for side in ("forward", "backward") for kind in "WUb"]
    arrays = [np.full(weight.shape, i, dtype="float32") for i, weight in enumerate(wrapper.weights)]
    wrapper.set_weights(arrays)
    assert [array.flat[0] for array in wrapper.get_weights()] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(WeightMismatchError):
        wrapper.set_weights([*arrays[:5], np.zeros(1)])
    assert wrapper.get_weights()[0].flat[0] == 0


def test_initial_weights_of_both_directions():
    arrays = [np.full((FEATURES, UNITS), 0.5), np.zeros((UNITS, UNITS)), np.ones(UNITS)]
    both = applied(Bidirectional(SimpleRNN(UNITS), weights=[*arrays, *(-array for array in arrays)]))
    assert [array.flat[0] for array in both.get_weights()] == [0.5, 0, 1, -0.5, 0, -1]
    # Those of the layer that is given are the forward layer's only, as in Keras.
    first = applied(Bidirectional(SimpleRNN(UNITS, weights=arrays)))
    assert [array.flat[0] for array in first.get_weights()[:3]] == [0.5, 0, 1]
    assert first.get_weights()[3].flat[0] != 0.5


def test_stateful_directions():
    wrapper = applied(Bidirectional(GRU(UNITS, stateful=True)), 2)
    x = torch.randn(2, STEPS, FEATURES)
    first, second = wrapper(x), wrapper(x)
    assert wrapper.stateful
    assert not torch.equal(first, second)
    wrapper.reset_states()
    torch.testing.assert_close(wrapper(x), first)


def test_other_layers_and_modes_are_refused():
    with pytest.raises(LayerError, match=r"must be recurrent. Received: 'dense_1' .Dense."):
        Bidirectional(Dense(2))
    with pytest.raises(LayerError, match=r"concat, sum, mul, ave or None. Received: 'max'"):
        Bidirectional(LSTM(2), merge_mode="max")


# Both


@pytest.mark.parametrize("make", [lambda **k: TimeDistributed(Dense(2, **k)), lambda **k: Bidirectional(LSTM(2, **k))])
def test_freezing(make):
    wrapper = applied(make())
    count = len(wrapper.weights)
    assert all(trained_parameters(wrapper))
    wrapper.trainable = False
    assert not any(trained_parameters(wrapper))
    assert (len(wrapper.trainable_weights), len(wrapper.non_trainable_weights)) == (0, count)
    wrapper.trainable = True
    assert all(trained_parameters(wrapper))

    inside = applied(make(trainable=False))
    assert not any(trained_parameters(inside))
    assert (len(inside.trainable_weights), len(inside.non_trainable_weights)) == (0, count)
    assert inside.get_config()["layer"]["config"]["trainable"] is False


def test_freezing_the_model_around():
    x = Input((STEPS, FEATURES))
    y = Bidirectional(LSTM(2, return_sequences=True))(x)
    model = Container(x, TimeDistributed(Dense(2))(y))
    model.trainable = False
    assert not any(trained_parameters(model))
    assert len(model.non_trainable_weights) == 26


@pytest.mark.parametrize(
    "make",
    [
        lambda: TimeDistributed(Dense(2, name="inner"), name="outer", trainable=False),
        lambda: TimeDistributed(TimeDistributed(Embedding(5, 2, mask_zero=True))),
        lambda: Bidirectional(LSTM(2, name="inner", go_backwards=True, input_dim=3), merge_mode=None, name="outer"),
        lambda: TimeDistributed(Bidirectional(GRU(2, consume_less="gpu"), merge_mode="sum")),
    ],
)
def test_configuration_round_trip(make):
    config = make().get_config()
    class_name = "TimeDistributed" if "merge_mode" not in config else "Bidirectional"
    assert make_layer(class_name, config).get_config() == config


def test_configuration_does_not_depend_on_building():
    wrapper = Bidirectional(LSTM(2, stateful=True))
    before = wrapper.get_config()
    applied(wrapper, 4)
    assert wrapper.get_config() == before


def test_what_is_inside_must_be_known():
    with pytest.raises(UnsupportedLayerError, match=r"'attention_1' is of class 'Attention'"):
        make_layer("TimeDistributed", {"layer": {"class_name": "Attention", "config": {"name": "attention_1"}}})
    with pytest.raises(FormatError, match=r"class_name"):
        make_layer("Bidirectional", {"name": "b"})


def test_gradients_through_both_directions():
    wrapper = applied(Bidirectional(LSTM(2, inner_activation="sigmoid", return_sequences=True))).double()
    x = torch.randn(2, STEPS, FEATURES, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, True, False, True], [False, True, True, False]])
    assert torch.autograd.gradcheck(lambda x: wrapper(x, mask=mask), (x,))
    grads = torch.autograd.grad(wrapper(x).square().sum(), list(wrapper.parameters()))
    assert all(grad.ne(0).any() for grad in grads)
