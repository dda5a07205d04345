from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import DataError
from bigdl.graph import Input
from bigdl.layers import Embedding

WORDS, SIZE = 6, 3


def built(dtype: str = "int32", shape: tuple[int | None, ...] = (4,), **options: Any) -> Any:
    layer = Embedding(WORDS, SIZE, **options)
    layer(Input(shape, dtype=dtype))
    return layer


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.uint8, torch.float32, torch.float64])
def test_numbers_of_any_type(dtype):
    layer = built()
    numbers = torch.tensor([[0, 5, 2, 2]])
    np.testing.assert_array_equal(layer(numbers.to(dtype)).detach(), layer.get_weights()[0][numbers])


def test_fractions_are_cut():
    layer = built()
    np.testing.assert_array_equal(layer(torch.tensor([[0.9, 4.99]])).detach()[0], layer.get_weights()[0][[0, 4]])


@pytest.mark.parametrize("numbers", [[0, 6], [-1, 2], [3.0, 6.5], [0.0, float("nan")]])
def test_numbers_out_of_range(numbers):
    with pytest.raises(
        DataError, match=r"'embedding_1' .Embedding. takes numbers from 0 to 5 .* Received: numbers from"
    ):
        built()(torch.tensor([numbers]))


def test_whole_words_are_dropped():
    layer = built(dropout=0.5, weights=[np.ones((WORDS, SIZE))])
    numbers = torch.arange(WORDS).repeat(4, 10)
    y = layer.train()(numbers).detach()
    by_word = [y[numbers == word].unique().tolist() for word in range(WORDS)]
    # A word is dropped, or doubled, wherever it stands.
    assert all(values in ([0.0], [2.0]) for values in by_word)
    assert [0.0] in by_word
    assert [2.0] in by_word
    assert layer.eval()(numbers).eq(1).all()


def test_gradients_with_dropout():
    layer = built(dropout=0.5).train()
    y = layer(torch.tensor([[0, 1, 1]]))
    y.sum().backward()
    kept = y.detach() / layer.weight.detach()[torch.tensor([[0, 1, 1]])]
    np.testing.assert_allclose(layer.weight.grad[0], kept[0, 0])
    np.testing.assert_allclose(layer.weight.grad[1], kept[0, 1] + kept[0, 2])
    assert layer.weight.grad[2:].eq(0).all()


def test_mask():
    numbers = torch.tensor([[0, 3, 0, 1]])
    layer = built(mask_zero=True)
    assert layer(Input((4,))).mask == "bool"
    _, mask = layer.run(numbers, None, False)
    assert mask.tolist() == [[False, True, False, True]]
    assert built().run(numbers, None, False)[1] is None


def test_shapes():
    assert built()(Input((4,))).shape == (None, 4, SIZE)
    assert built(shape=(None,), input_length=4)(Input((None,))).shape == (None, 4, SIZE)
    assert built(shape=(2, 4))(Input((2, 4))).shape == (None, 2, 4, SIZE)
    assert built()(Input((4,), dtype="int32")).dtype == "float32"


def test_first_layer():
    layer = Embedding(WORDS, SIZE, input_length=4)
    assert (layer.batch_input_shape, layer.input_dtype) == ((None, 4), "int32")
    assert Embedding(WORDS, SIZE, batch_input_shape=(2, 4)).batch_input_shape == (2, 4)


def test_weight():
    layer = built(init="one", W_regularizer="l2", W_constraint="nonneg", activity_regularizer="l1")
    (weight,) = layer.weights
    assert weight.shape == (WORDS, SIZE)
    assert weight.value.eq(1).all()
    assert weight.regularizer is layer.W_regularizer
    assert weight.constraint is layer.W_constraint
    layer.run(torch.tensor([[1, 2]]), None, False)
    assert layer.activity_losses[0].item() == pytest.approx(0.01 * 2 * SIZE)


def test_configuration_round_trip():
    layer = Embedding(
        WORDS,
        SIZE,
        init="glorot_normal",
        input_length=4,
        W_regularizer="l1",
        activity_regularizer="l2",
        W_constraint="unitnorm",
        mask_zero=True,
        dropout=0.2,
        name="words",
        trainable=False,
    )
    config = layer.get_config()
    assert Embedding.from_config(config).get_config() == config
    assert config["mask_zero"] is True
    assert config["dropout"] == 0.2
