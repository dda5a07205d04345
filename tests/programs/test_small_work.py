"""What is computed for a few rows: weights read in either direction, and threads that wait awake."""

import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.keras.layers import Convolution1D, Convolution2D, Dense, Flatten, GlobalMaxPooling1D, MaxPooling2D
from bigdl.keras.models import Sequential
from bigdl.programs import dropped
from tests.programs.conftest import SETS
from tests.programs.nets import plain, rows_for

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels were not built")


ON_EACH_SET = pytest.mark.parametrize("instructions", SETS, indirect=True)


def images() -> Any:
    """Enough products for threads; divided by tiles, by positions, by panels of filters, by parts of a matrix."""
    model = Sequential(
        [
            Convolution2D(32, 3, 3, activation="relu", input_shape=(30, 30, 3)),
            Convolution2D(48, 3, 3, activation="relu"),
            MaxPooling2D(),
            Convolution2D(150, 3, 3, subsample=(2, 2), activation="tanh"),
            Flatten(),
            Dense(100, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.1)
    return model


def text() -> Any:
    """Windows over all of a sequence: one band, divided by panels of filters."""
    layers = [Convolution1D(250, 3, activation="relu", input_shape=(100, 50)), GlobalMaxPooling1D(), Dense(3)]
    return Sequential(layers)


@ON_EACH_SET
@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("make", [images, text])
@pytest.mark.parametrize("rows", [1, 3])
def test_any_number_of_threads_gives_the_same_numbers(threads, rows, make):
    model = make()
    x = rows_for(model, rows)
    alone = model.predict(x)
    np.testing.assert_allclose(alone, plain(model, x)[0], rtol=1e-5, atol=2e-6)
    for count in (2, 5, 20):
        threads(count)
        for _ in range(30):
            np.testing.assert_array_equal(model.predict(x), alone)


@ON_EACH_SET
@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("outputs", [10, 64, 100, 150])
@pytest.mark.parametrize("bias", [True, False])
def test_few_rows_are_those_of_many(outputs, bias):
    model: Any = Sequential([Dense(outputs, input_dim=1300, activation="relu", bias=bias)])
    x = rows_for(model, 9)
    many = model.predict(x)
    np.testing.assert_allclose(many, plain(model, x)[0], rtol=1e-5, atol=2e-6)
    for count in (1, 1, 1, 6, 6):  # the weights from the first one on, and from the last one
        np.testing.assert_array_equal(model.predict(x[:count]), many[:count])


def test_several_callers_do_not_disturb_each_other(threads):
    model = images()
    x = rows_for(model, 1)
    expected = model.predict(x)
    threads(3)
    results: list[Any] = []

    def predict() -> None:
        torch.set_num_threads(3)  # each thread's own
        results.extend(model.predict(x) for _ in range(60))

    callers = [threading.Thread(target=predict) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(results) == 180
    for y in results:
        np.testing.assert_array_equal(y, expected)


FORKED = """
import os, sys
import numpy as np, torch
from tests.programs.nets import rows_for
from tests.programs.test_small_work import images
torch.set_num_threads(2)
model = images()
x = rows_for(model, 1)
before = [model.predict(x) for _ in range(20)][0]
if os.fork() == 0:
    os._exit(0 if all((model.predict(x) == before).all() for _ in range(20)) else 1)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_process_has_threads_of_its_own():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], check=True, timeout=60)


@pytest.mark.parametrize("count", [1, 3])
def test_numbers_next_to_zero_are_zero_in_all_threads(threads, count):
    threads(count)
    x = torch.full((1 << 22,), 1e-39)
    assert not dropped(x, 0.5).any()
