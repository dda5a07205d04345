"""Inputs of open lengths that are too small for a layer."""

import numpy as np
import pytest

from bigdl.errors import LayerError
from bigdl.keras.layers import Convolution1D, Convolution2D, Dense, Embedding, GlobalMaxPooling1D, MaxPooling2D
from bigdl.keras.models import Sequential


@pytest.mark.parametrize("length", [1, 3, 4])
def test_an_input_that_is_too_short_is_refused_by_name(length):
    layers = [Embedding(9, 6, input_length=None), Convolution1D(40, 5, activation="relu", name="windows")]
    model = Sequential([*layers, GlobalMaxPooling1D(), Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((2, length), "int32")
    refused = pytest.raises(LayerError, match=f"'windows' .* shape \\(None, {length}, 6\\) is too small")
    for run in (model.predict, model.predict_on_batch, lambda x: model.fit(x, np.ones((2, 1)), verbose=0)):
        with refused:
            run(x)
    assert model.predict(np.ones((2, 5), "int32")).shape == (2, 1)


def test_images_of_which_nothing_is_left_are_refused():
    pooling = MaxPooling2D((2, 2), dim_ordering="tf")
    model = Sequential([Convolution2D(4, 3, 3, dim_ordering="tf", input_shape=(None, None, 3)), pooling])
    with pytest.raises(LayerError, match=r"maxpooling2d.* shape \(None, 1, 1, 4\) is too small"):
        model.predict(np.ones((2, 3, 3, 3)))
