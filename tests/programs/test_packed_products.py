"""Products with weights that are packed once, for few rows and for many."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bigdl.keras.layers import Convolution2D, Dense, Input, merge
from bigdl.keras.models import Model, Sequential
from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import programs

SETS = found.instruction_sets if (found := kernels()) else []

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels were not built")


@pytest.fixture(autouse=True, params=SETS)
def instructions(request, monkeypatch):
    library = Library(LIBRARY, request.param)
    monkeypatch.setattr(programs, "kernels", lambda: library)


def values(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def assert_rounded(y: NDArray[Any], x: NDArray[Any], model: Any, relu: bool, other: Any = 0.0) -> None:
    """Compares a product with that of float64, as far as float32 is exact."""
    weight, bias = (w.astype(np.float64) for w in model.get_weights())
    weight = weight.reshape(weight.shape[-2:])
    exact = x.astype(np.float64) @ weight + bias + other
    size = np.abs(x).astype(np.float64) @ np.abs(weight) + np.abs(bias) + np.abs(other)
    assert (np.abs(y - (np.maximum(exact, 0) if relu else exact)) <= 1e-6 * size).all()


@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("rows", [1, 16, 40, 77, 300])
@pytest.mark.parametrize(("inputs", "outputs"), [(40, 33), (700, 130), (130, 1000), (1100, 64)])
def test_rows(rows, inputs, outputs, activation):
    model = Sequential([Dense(outputs, activation=activation, input_dim=inputs)])
    model.set_weights([values(inputs, outputs) / 30, values(outputs)])
    x = values(rows, inputs)
    assert_rounded(model.predict(x, batch_size=rows), x, model, activation == "relu")


@pytest.mark.parametrize("step", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize(("channels", "filters"), [(32, 70), (64, 32), (600, 96)])
def test_convolutions_of_one_cell(channels, filters, step):
    model = Sequential([Convolution2D(filters, 1, 1, activation="relu", subsample=step, input_shape=(11, 9, channels))])
    model.set_weights([values(1, 1, channels, filters) / 30, values(filters)])
    x = values(3, 11, 9, channels)
    assert_rounded(model.predict(x), x[:, :: step[0], :: step[1]], model, relu=True)


def test_sums_with_a_product():
    x = Input((10, 10, 40))
    product = Convolution2D(40, 1, 1)(x)
    model = Model(x, merge([product, x], mode="sum"))
    model.set_weights([values(1, 1, 40, 40) / 30, values(40)])
    given = values(2, 10, 10, 40)
    assert_rounded(model.predict(given), given, model, relu=False, other=given)


def test_any_number_of_threads_gives_the_same_numbers(threads):
    model = Sequential(
        [
            Convolution2D(64, 1, 1, activation="relu", input_shape=(7, 7, 700)),
            Convolution2D(900, 1, 1, activation="relu"),
            Convolution2D(40, 1, 1),
        ]
    )
    x = values(5, 7, 7, 700)
    for rows in (1, 5):
        threads(1)
        alone = model.predict(x[:rows], batch_size=rows)
        for count in (2, 3):
            threads(count)
            for _ in range(10):
                np.testing.assert_array_equal(model.predict(x[:rows], batch_size=rows), alone)


def test_a_value_that_is_not_finite_stays_in_its_row():
    model = Sequential([Dense(96, activation="relu", input_dim=64)])
    x = values(100, 64)
    expected = model.predict(x, batch_size=100)
    x[7, 3], x[8, 60] = np.nan, np.inf
    y = model.predict(x, batch_size=100)
    assert np.isnan(y[7]).all()
    assert not np.isfinite(y[8]).all()
    others = np.delete(np.arange(100), [7, 8])
    np.testing.assert_array_equal(y[others], expected[others])
