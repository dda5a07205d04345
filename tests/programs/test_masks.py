"""Masks in programs for prediction: what the layers do with them."""

from typing import Any

import numpy as np
import pytest

from bigdl.keras.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Input,
    Masking,
    SimpleRNN,
    TimeDistributed,
    merge,
)
from bigdl.keras.models import Model, Sequential
from bigdl.programs import program_for
from bigdl.programs.operations import Apply
from tests.programs.conftest import SETS
from tests.programs.nets import filled, plain

CELLS = [SimpleRNN, GRU, LSTM]


def words(rows: int, steps: int = 9) -> Any:
    """Texts of all lengths, zeros before and behind them and between their words; some are empty."""
    random = np.random.RandomState(rows)
    x = random.randint(1, 12, (rows, steps)) * (random.rand(rows, steps) < 0.7)
    for row, text in enumerate(x):
        text[: row % (steps + 1)] = 0
    return x.astype("int32")


def vectors(rows: int, steps: int = 9, value: float = 0.0) -> Any:
    random = np.random.RandomState(rows)
    x = random.normal(size=(rows, steps, 5)).astype("float32")
    x[random.rand(rows, steps) < 0.4] = value
    x[random.rand(rows, steps) < 0.2, 1] = value  # which does not hide a step by itself
    x[-1] = value
    return x


def same(model: Any, x: Any) -> None:
    y = model.predict(x, batch_size=len(x))
    np.testing.assert_allclose(y, plain(model, x)[0], rtol=1e-5, atol=3e-6)


def has_program(model: Any) -> bool:
    """Whether a model has a program that calls none of its layers, as far as it can be seen."""
    program = program_for(model, training=False)
    return program is not None and not any(type(one) is Apply and not one.name for one in program.operations)


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("cls", CELLS)
def test_steps_of_the_number_zero(cls, backwards, sequences):
    options = {"go_backwards": backwards, "return_sequences": sequences}
    model = filled(Sequential([Embedding(12, 6, input_length=9, mask_zero=True), cls(21, **options)]))
    assert has_program(model)
    for rows in (1, 2, 12, 60):
        same(model, words(rows))
        same(model, words(rows).astype("float32"))


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("value", [0.0, -1.5])
@pytest.mark.parametrize("cls", CELLS)
def test_steps_of_a_value(cls, value):
    model = filled(Sequential([Masking(value, input_shape=(9, 5)), cls(20, return_sequences=True), cls(7)]))
    assert has_program(model)
    for rows in (1, 3, 60):
        same(model, vectors(rows, value=value))


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("merge_mode", ["concat", "sum"])
@pytest.mark.parametrize("sequences", [False, True])
def test_both_directions(sequences, merge_mode):
    inner = LSTM(9, return_sequences=sequences)
    model = filled(Sequential([Embedding(12, 6, input_length=9, mask_zero=True), Bidirectional(inner, merge_mode)]))
    assert has_program(model)
    for rows in (1, 12, 60):
        same(model, words(rows))


@pytest.mark.usefixtures("instructions")
def test_layers_that_hand_it_on():
    layers = [Embedding(12, 6, input_length=9, mask_zero=True), Dropout(0.2), TimeDistributed(Dense(8))]
    layers += [Activation("tanh"), GRU(7, return_sequences=True), LSTM(5), Dense(3, activation="softmax")]
    model = filled(Sequential(layers))
    assert has_program(model)
    for rows in (1, 12, 60):
        same(model, words(rows))


@pytest.mark.usefixtures("instructions")
def test_a_layer_inside_of_another_one_does_not_see_it():
    inputs = Input((4, 9, 5))
    inner = Input((9, 5))
    of_sequence = Model(inner, LSTM(6)(Masking()(inner)))
    x = TimeDistributed(of_sequence)(inputs)
    model = filled(Model(inputs, LSTM(5)(Masking()(x))))
    shape = (3, 4, 9, 5)
    same(model, vectors(12).reshape(shape))
    alone = filled(Sequential([Masking(input_shape=(4, 9)), TimeDistributed(Dense(3)), LSTM(4)]))
    assert has_program(alone)
    same(alone, vectors(8, 9)[:, :4, :].repeat(2, 2)[:, :, :9])


@pytest.mark.usefixtures("instructions")
def test_nested_models_and_outputs_with_masks():
    x = Input((9,), dtype="int32")
    inner = Model(x, GRU(6, return_sequences=True)(Embedding(12, 5, mask_zero=True)(x)))
    outer = Input((9,), dtype="int32")
    model = filled(Model(outer, LSTM(4, return_sequences=True)(inner(outer))))
    assert has_program(model)
    same(model, words(12))


class Own(LSTM):
    """A layer of a user's."""

    def forward(self, x: Any, mask: Any = None) -> Any:
        return super().forward(x, mask)


def test_what_no_rule_tells_is_left_to_the_layers():
    x = Input((9,), dtype="int32")
    y = Embedding(12, 5, mask_zero=True)(x)
    both = merge([LSTM(4, return_sequences=True)(y), GRU(4, return_sequences=True)(y)], mode="sum")
    joined = filled(Model(x, LSTM(3)(both)))
    called = filled(Model(x, Own(3)(y)))
    stateful = filled(Sequential([Embedding(12, 5, batch_input_shape=(12, 9), mask_zero=True), LSTM(3, stateful=True)]))
    for model in (joined, called, stateful):
        assert program_for(model, training=False) is None
    for model in (joined, called):
        same(model, words(12))


def test_training_is_left_to_the_layers():
    model = Sequential([Embedding(12, 5, input_length=9, mask_zero=True), LSTM(3)])
    assert program_for(model, training=True) is None


def test_a_mask_that_is_switched_on_is_seen():
    model: Any = filled(Sequential([Embedding(12, 5, input_length=9, mask_zero=True), LSTM(3)]))
    masked = model.predict(words(12))
    model.layers[0].mask_zero = False
    unmasked = model.predict(words(12))
    np.testing.assert_allclose(unmasked, plain(model, words(12))[0], rtol=1e-5, atol=3e-6)
    assert np.abs(masked - unmasked).max() > 1e-3


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("instructions", SETS, indirect=True)  # torch divides sums as it likes
@pytest.mark.parametrize("units", [21, 200])
def test_any_number_of_threads_gives_the_same_bits(threads, units):
    for cls in CELLS:
        model = filled(Sequential([Embedding(12, 33, input_length=9, mask_zero=True), cls(units)]))
        for rows in (1, 5, 40):
            threads(1)
            alone = model.predict(words(rows), batch_size=rows)
            for count in (2, 3, 8):
                threads(count)
                np.testing.assert_array_equal(model.predict(words(rows), batch_size=rows), alone)
