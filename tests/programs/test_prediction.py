"""Programs for prediction compute what the layers do, with the weights that the layers have now."""

import threading
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import DataError
from bigdl.graph.tensor import as_list
from bigdl.keras.layers import (
    Activation,
    BatchNormalization,
    Convolution2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Input,
    MaxPooling2D,
    PReLU,
    merge,
)
from bigdl.keras.models import Model, Sequential
from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import fused, program_for, programs
from bigdl.training.quick import QuickPrediction
from tests.programs.nets import NETS, made, plain, rows_for

SETS = found.instruction_sets if (found := kernels()) else []
PATHS = [*SETS, "oneDNN", "torch"]


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    """By what products are computed: the library with one of its instruction sets, oneDNN's kernels, or torch alone."""
    library = Library(LIBRARY, request.param) if request.param in SETS else None
    monkeypatch.setattr(programs, "kernels", lambda: library)
    if request.param == "torch":
        monkeypatch.setattr(fused, "kernels", lambda: None)
    return request.param


def same(ours: Any, theirs: Any) -> None:
    for y, expected in zip(as_list(ours), theirs, strict=True):
        assert y.dtype == expected.dtype
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", NETS)
def test_predictions_are_those_of_the_layers(path, name):
    model = made(name)
    assert program_for(model, training=False) is not None
    for rows, batch_size in ((5, 32), (1, 1), (7, 3)):
        x = rows_for(model, rows)
        same(model.predict(x, batch_size=batch_size), plain(model, x))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_flattened_images_are_taken_inside_and_outside(ordering):
    x = Input((6, 5, 3) if ordering == "tf" else (3, 6, 5))
    flat = Flatten()(Convolution2D(40, 3, 3, activation="relu", dim_ordering=ordering)(x))
    rows = [Dense(7)(flat), Activation("tanh")(flat), Activation("softmax")(flat)]
    rows += [BatchNormalization()(flat), PReLU("normal")(flat), merge([rows[0], flat], mode="concat")]
    model = Model(x, [flat, *rows])
    given = rows_for(model, 3)
    same(model.predict(given), plain(model, given))


@pytest.mark.parametrize("name", ["lenet", "residual"])
def test_threads_and_batches_change_next_to_nothing(name):
    model = made(name)
    x = rows_for(model, 9)
    expected = as_list(model.predict(x))
    torch.set_num_threads(2)
    try:
        same(model.predict(x), expected)
    finally:
        torch.set_num_threads(1)
    same(model.predict(x, batch_size=2), expected)


@pytest.mark.parametrize("ordering", ["tf", "th"])
@pytest.mark.parametrize("mode", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"), [((3, 3), (2, 2)), ((2, 3), (1, 2)), ((2, 2), (3, 1)), ((5, 1), (1, 1)), ((2, 2), (2, 2))]
)
def test_pooling_by_any_windows(path, ordering, mode, size, strides):
    shape = (9, 8, 3) if ordering == "tf" else (3, 9, 8)
    options: Any = {"dim_ordering": ordering, "border_mode": mode}
    model = Sequential([MaxPooling2D(size, strides, input_shape=shape, **options)])
    model.add(Convolution2D(19, 1, 1, **options))
    model.add(MaxPooling2D(size, strides, **options))
    model.add(Flatten())
    x = rows_for(model, 3) - 0.5
    x.reshape(3, -1)[1, 0] = np.nan
    y, expected = model.predict(x), plain(model, x)
    same(y[::2], [expected[0][::2]])
    assert np.isnan(y[1]).any()
    np.testing.assert_array_equal(np.isnan(y[1]), np.isnan(expected[0][1]))
    program = program_for(model, training=False)
    assert program is not None
    assert len(program._steps) == 1 or path not in SETS


def test_numbers_that_are_none_stay_so():
    model = made("lenet")
    x = rows_for(model, 2)
    x[1, 5, 5] = np.nan
    y = model.predict(x)
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[0]).all()


def test_arrays_of_any_order_are_taken():
    model = made("lenet")
    x = rows_for(model, 4)
    expected = plain(model, x)
    same(model.predict(np.asfortranarray(x)), expected)
    same(model.predict(np.repeat(x, 2, axis=0)[::2]), expected)
    x.flags.writeable = False
    same(model.predict(x), expected)
    same(model.predict(x.astype("float64")), expected)


def test_results_are_the_callers_own():
    model = made("mlp")
    x = rows_for(model, 3)
    first = model.predict(x)
    kept = first.copy()
    first += 1
    np.testing.assert_array_equal(model.predict(x), kept)


CHANGES = {
    "set_weights": lambda model: model.set_weights([w * 0.5 for w in model.get_weights()]),
    "training": lambda model: model.train_on_batch(rows_for(model, 4), np.eye(10)[:4]),
    "in place": lambda model: model.layers[0].weight.detach()[0].mul_(3),
    "behind torch's back": lambda model: model.layers[0].weight.data.mul_(3),
    "other memory": lambda model: setattr(model.layers[0].weight, "data", torch.ones_like(model.layers[0].weight)),
    "another parameter": lambda model: setattr(model.layers[-1], "bias", torch.nn.Parameter(torch.arange(10.0))),
    "another activation": lambda model: setattr(model.layers[1], "activation", torch.tanh),
    "a hook": lambda model: model.layers[1].register_forward_hook(lambda layer, x, y: y + 1),
    "in double precision": lambda model: model.double(),
}


@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_seen(path, change, rows):
    model = made("lenet")
    model.compile(optimizer="sgd", loss="categorical_crossentropy")
    x = rows_for(model, rows)
    before = model.predict(x)
    CHANGES[change](model)
    double = change == "in double precision"
    expected = plain(model, x.astype("float64") if double else x)
    if not double:
        assert np.abs(expected[0] - before).max() > 1e-4
    np.testing.assert_allclose(model.predict(x), expected[0], rtol=1e-5, atol=2e-6)


def test_normalization_by_other_running_values_is_seen(path):
    model = made("residual")
    x = rows_for(model, 2)
    model.predict(x)
    model.layers[3].running_mean.add_(1.0)
    same(model.predict(x), plain(model, x))


def test_classes_of_users_are_called():
    class Twice(Dense):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)

    model: Any = Sequential([Twice(3, input_dim=4), Dense(2)])
    program = program_for(model, training=False)
    assert program is not None
    assert program.called == [model.layers[0]]
    x = rows_for(model, 3)
    same(model.predict(x), plain(model, x))


def test_a_single_array_takes_the_short_way():
    if not SETS:
        pytest.skip("the kernels were not built")
    model = made("lenet")
    quick = QuickPrediction.of(model)
    assert quick is not None
    assert quick.takes(rows_for(model, 3), 32)
    assert not quick.takes(rows_for(model, 3), 2)
    assert program_for(model, training=False).run_array is not None  # type: ignore[union-attr]


def test_an_array_for_each_input_takes_the_short_way():
    words, numbers = Input((4,), dtype="int32"), Input((6,))
    both = merge([Flatten()(Embedding(9, 3)(words)), Dense(5, activation="tanh")(numbers)], mode="concat")
    model = Model([words, numbers], [Dense(2, activation="softmax")(both), both])
    given = [np.arange(12, dtype="int32").reshape(3, 4) % 9, np.random.RandomState(0).randn(3, 6).astype("float32")]
    quick = QuickPrediction.of(model)
    assert quick is not None
    assert quick.takes_all(given, 32)
    same(model.predict(given), plain(model, given))
    model.train()
    same(model.predict(given), plain(model, given))
    assert model.training
    doubled, read_only = given[1].astype("float64"), given[1].copy()
    read_only.flags.writeable = False
    for other in ([given[0], doubled], [given[0], read_only], [given[0].tolist(), given[1]]):
        assert not quick.takes_all(other, 32)
    assert not quick.takes_all(given, 2)
    assert not quick.takes_all(given[:1], 32)
    assert not quick.takes(given[1], 32)
    for wrong in ([given[0], given[1][:2]], given[:1], given[1], [given[1], given[0]]):
        with pytest.raises(DataError):
            model.predict(wrong)


def test_the_short_way_is_found_again_after_a_change():
    model = made("lenet")
    x = rows_for(model, 1)
    model.predict(x)
    model.layers[1].activation = torch.tanh
    same(model.predict(x), plain(model, x))
    quick = QuickPrediction.of(model)
    assert quick is not None
    assert quick.takes(x, 32)


def test_threads_of_a_server_may_predict_at_the_same_time():
    model = made("shapes")
    arrays = [rows_for(model, rows) for rows in (1, 2, 5)]
    expected = [plain(model, x) for x in arrays]
    failed = []

    def predict(x: Any, y: Any) -> None:
        try:
            for _ in range(30):
                same(model.predict(x), y)
        except AssertionError as error:
            failed.append(error)

    threads = [threading.Thread(target=predict, args=pair) for pair in zip(arrays, expected, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("dtype", ["int32", "float32"])
@pytest.mark.parametrize("outside", [6, -1])
def test_numbers_without_a_row_are_told(dtype, outside):
    x = Input((3,), dtype=dtype)
    model = Model(x, GlobalAveragePooling1D()(Embedding(6, 4)(x)))
    given = np.array([[1, 0, 5]], dtype)
    for _ in range(2):
        expected = model.predict(given)
        with pytest.raises(DataError, match=r"'embedding_1' .Embedding. takes numbers from 0 to 5"):
            model.predict(np.array([[1, outside, 5]], dtype))
        np.testing.assert_array_equal(model.predict(given), expected)


@pytest.mark.usefixtures("path")
def test_of_fractions_the_whole_part_is_looked_up():
    x = Input((3,))
    model = Model(x, Embedding(6, 4)(x))
    given, whole = np.array([[1.9, -0.5, 5.0]], np.float32), np.array([[1, 0, 5]], np.float32)
    np.testing.assert_array_equal(model.predict(given), model.predict(whole))
