"""Recurrent layers in programs for prediction compute what the layers do, the same bits with any number of threads."""

import threading
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.keras.layers import GRU, LSTM, Bidirectional, Dense, Dropout, Input, Permute, SimpleRNN, TimeDistributed
from bigdl.keras.models import Model, Sequential
from bigdl.programs import program_for
from bigdl.programs.recurrence import Recur
from tests.programs.conftest import SETS
from tests.programs.nets import filled, plain, rows_for

CELLS = [SimpleRNN, GRU, LSTM]
KNOWN = ["linear", "relu", "tanh", "sigmoid", "hard_sigmoid", "softsign"]


def recurrent(cls: Any, units: int, steps: int | None = 5, features: int = 3, **options: Any) -> Any:
    return filled(Sequential([cls(units, input_shape=(steps, features), **options)]))


def operations_of(model: Any) -> list[Any]:
    program = program_for(model, training=False)
    assert program is not None
    return [operation for operation in program.operations if isinstance(operation, Recur)]


def same(model: Any, x: Any, expected: Any = None) -> None:
    y = model.predict(x, batch_size=len(x))
    np.testing.assert_allclose(y, plain(model, x)[0] if expected is None else expected, rtol=1e-5, atol=3e-6)


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("consume_less", ["cpu", "mem", "gpu"])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("cls", CELLS)
def test_predictions_are_those_of_the_layer(cls, backwards, sequences, consume_less):
    options = {"go_backwards": backwards, "return_sequences": sequences, "consume_less": consume_less}
    model = recurrent(cls, 21, dropout_W=0.3, dropout_U=0.3, **options)
    assert len(operations_of(model)) == 1
    for rows in (1, 2, 7):
        same(model, rows_for(model, rows))


# Units that fill vectors, or do not; panels of every width; more depth than is added up at once.
@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize(("units", "features"), [(1, 1), (4, 40), (16, 3), (33, 32), (70, 5), (130, 64), (530, 2)])
@pytest.mark.parametrize("cls", CELLS)
def test_sizes(cls, units, features):
    model = recurrent(cls, units, 3, features, return_sequences=True)
    for rows in (1, 3, 19):
        same(model, rows_for(model, rows))


# Steps at once are a few, many, or all; there are rows for tiles and too few.
@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("rows", "steps"), [*((n, 3) for n in range(1, 41)), (1, 300), (2, 60), (100, 9)])
def test_rows_and_steps(rows, steps, backwards):
    for cls in CELLS:
        model = recurrent(cls, 40, steps, 34, go_backwards=backwards)
        same(model, rows_for(model, rows))


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("activation", KNOWN)
@pytest.mark.parametrize("cls", CELLS)
def test_activations(cls, activation):
    inner: list[Any] = [{}] if cls is SimpleRNN else [{"inner_activation": name} for name in KNOWN]
    for options in inner:
        model = recurrent(cls, 19, activation=activation, **options)
        same(model, rows_for(model, 3))


# The last ones are so large that units are divided, where there are few rows.
DIVIDED = [(cls, units) for cls in CELLS for units in (21, 64)] + [(SimpleRNN, 560), (GRU, 300), (LSTM, 200)]


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("instructions", SETS, indirect=True)  # torch divides sums as it likes
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(("cls", "units"), DIVIDED)
def test_any_number_of_threads_gives_the_same_bits(threads, cls, units, sequences):
    model = recurrent(cls, units, 6, 33, return_sequences=sequences)
    for rows in (1, 2, 5, 16, 40):
        x = rows_for(model, rows)
        threads(1)
        alone = model.predict(x, batch_size=rows)
        for count in (2, 3, 8):
            threads(count)
            np.testing.assert_array_equal(model.predict(x, batch_size=rows), alone)


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("instructions", SETS, indirect=True)  # torch divides sums as it likes
def test_rows_do_not_depend_on_each_other(threads):
    threads(2)
    model = recurrent(LSTM, 200, 6, 7)
    x = rows_for(model, 23)
    together = model.predict(x, batch_size=23)
    for batch_size in (1, 4, 15):
        np.testing.assert_array_equal(model.predict(x, batch_size=batch_size), together)


@pytest.mark.usefixtures("instructions")
def test_models_that_predict_at_the_same_time(threads):
    threads(2)
    model = recurrent(GRU, 300, 20)
    x = rows_for(model, 1)
    expected = model.predict(x)
    found: list[Any] = []
    workers = [threading.Thread(target=lambda: found.extend(model.predict(x) for _ in range(20))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 60
    for y in found:
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave"])
@pytest.mark.parametrize("cls", CELLS)
def test_both_directions(threads, cls, mode, backwards, sequences):
    inner = cls(19, return_sequences=sequences, go_backwards=backwards)
    model = filled(Sequential([Bidirectional(inner, merge_mode=mode, input_shape=(5, 3))]))
    (operation,) = operations_of(model)
    assert len(operation.directions) == 2
    for rows in (1, 6, 30):
        for count in (1, 2, 3):
            threads(count)
            same(model, rows_for(model, rows))


@pytest.mark.usefixtures("instructions")
def test_large_layers_in_both_directions(threads):
    model = filled(Sequential([Bidirectional(GRU(300, return_sequences=True), input_shape=(6, 33))]))
    for rows in (1, 9):
        x = rows_for(model, rows)
        for count in (1, 2, 3, 8):
            threads(count)
            same(model, x)


@pytest.mark.usefixtures("instructions")
def test_several_layers():
    inputs = Input((12, 9))
    x = LSTM(33, return_sequences=True)(Permute((2, 1))(inputs))  # not as it lies in memory
    x = Dropout(0.5)(Bidirectional(GRU(7, return_sequences=True), merge_mode="sum")(x))
    model = filled(Model(inputs, Dense(3, activation="softmax")(SimpleRNN(10, go_backwards=True)(x))))
    assert len(operations_of(model)) == 3
    for rows in (1, 4, 33):
        same(model, rows_for(model, rows))


@pytest.mark.usefixtures("instructions")
def test_sequences_of_any_length():
    model = recurrent(LSTM, 12, None)
    for rows, steps in ((2, 5), (1, 1), (2, 7), (3, 5)):
        same(model, np.random.RandomState(1).rand(rows, steps, 3).astype("float32"))


CHANGES = {
    "set_weights": lambda model: model.set_weights([w * 0.5 for w in model.get_weights()]),
    "training": lambda model: model.train_on_batch(rows_for(model, 4), np.ones((4, 21))),
    "W": lambda model: model.layers[0].weight.detach().mul_(0.5),
    "U, behind torch's back": lambda model: model.layers[0].recurrent_weight.data.mul_(0.5),
    "b": lambda model: model.layers[0].bias.detach().add_(1),
    "another parameter": lambda model: setattr(model.layers[0], "bias", torch.nn.Parameter(torch.zeros(84))),
    "another activation": lambda model: setattr(model.layers[0], "activation", torch.sin),
    "another direction": lambda model: setattr(model.layers[0], "go_backwards", True),
    "a hook": lambda model: model.layers[0].register_forward_hook(lambda layer, x, y: y + 1),
    "in double precision": lambda model: model.double(),
}


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_seen(change):
    model = recurrent(LSTM, 21)
    model.compile("sgd", "mse")
    x = rows_for(model, 5)
    before = model.predict(x)
    CHANGES[change](model)
    if change == "in double precision":
        x = x.astype("float64")
    after = model.predict(x)
    np.testing.assert_allclose(after, plain(model, x)[0], rtol=1e-5, atol=2e-6)
    assert change == "in double precision" or not np.allclose(before, after)


@pytest.mark.usefixtures("instructions")
def test_changes_inside_a_wrapper_are_seen():
    model = filled(Sequential([Bidirectional(LSTM(9), input_shape=(5, 3))]))
    x = rows_for(model, 4)
    same(model, x)
    backward = model.layers[0].backward_layer
    backward.recurrent_weight.data.mul_(0.5)
    same(model, x)
    backward.activation = torch.sin
    same(model, x)
    assert operations_of(model) == []


def test_layers_without_a_kernel_are_called():
    others: list[Any] = [
        Sequential([LSTM(4, activation="softmax", input_shape=(5, 3))]),
        Sequential([GRU(4, inner_activation=torch.sin, input_shape=(5, 3))]),
        Sequential([GRU(4, stateful=True, batch_input_shape=(2, 5, 3))]),
        Sequential([Bidirectional(GRU(4, stateful=True), batch_input_shape=(2, 5, 3))]),
    ]
    inputs = Input((5, 3))
    others.append(Model(inputs, Bidirectional(LSTM(4, return_sequences=True), merge_mode=None)(inputs)))
    for model in others:
        assert operations_of(model) == []
        x = rows_for(model, 2)
        expected = plain(model, x)
        model.reset_states()
        y = model.predict(x, batch_size=2)
        for ours, theirs in zip(y if isinstance(y, list) else [y], expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-6)


@pytest.mark.usefixtures("instructions")
def test_layers_of_each_step():
    model = filled(Sequential([TimeDistributed(Bidirectional(LSTM(4)), input_shape=(2, 5, 3))]))
    assert len(operations_of(model)) == 1
    same(model, rows_for(model, 3))


@pytest.mark.usefixtures("instructions")
def test_nothing_is_dropped_and_training_has_its_own_way():
    model = recurrent(LSTM, 21, dropout_W=0.5, dropout_U=0.5)
    x = rows_for(model, 4)
    expected = plain(model, x)[0]
    model.train()
    same(model, x, expected)
    assert model.training
    program = program_for(model, training=True)
    assert program is not None
    assert not any(isinstance(operation, Recur) for operation in program.operations)


@pytest.mark.usefixtures("instructions")
def test_numbers_that_are_none_stay_so():
    for cls in CELLS:
        model = recurrent(cls, 21, activation="relu", return_sequences=True)
        x = rows_for(model, 2)
        x[1, 3, 1] = np.nan
        y = model.predict(x)
        assert np.isfinite(y[0]).all()
        assert np.isfinite(y[1, :3]).all()
        assert np.isnan(y[1, 3:]).all()


@pytest.mark.usefixtures("instructions")
def test_products_of_bfloat16():
    model = recurrent(GRU, 21)
    x = rows_for(model, 4)
    np.testing.assert_allclose(model.predict(x, precision="bf16"), plain(model, x)[0], rtol=0.05, atol=0.05)
