import numpy as np
import pytest
import torch

from bigdl.errors import LayerError
from bigdl.graph import Input
from bigdl.layers import Masking, TimeDistributedDense


def test_product_at_every_step():
    layer = TimeDistributedDense(2, activation="relu")
    assert layer(Input((4, 3))).shape == (None, 4, 2)
    W, b = layer.get_weights()
    x = torch.randn(5, 4, 3)
    np.testing.assert_allclose(layer(x).detach(), np.maximum(x.numpy() @ W + b, 0), atol=1e-6)


def test_masks_are_passed_on():
    assert TimeDistributedDense(2)(Masking()(Input((4, 3)))).mask == "uint8"


def test_first_layer():
    assert TimeDistributedDense(2, input_dim=3, input_length=4).batch_input_shape == (None, 4, 3)
    assert TimeDistributedDense(2, input_dim=3).batch_input_shape == (None, None, 3)


def test_inputs_of_another_kind():
    for shape in [(3,), (4, None), (2, 4, 3)]:
        with pytest.raises(LayerError, match=r"TimeDistributedDense"):
            TimeDistributedDense(2)(Input(shape))
    layer = TimeDistributedDense(2)
    layer(Input((4, 3)))
    with pytest.raises(LayerError, match=r"built for steps of length 3"):
        layer(Input((4, 5)))


def test_configuration_round_trip():
    layer = TimeDistributedDense(2, "normal", "tanh", bias=False, W_regularizer="l2", input_dim=3, input_length=4)
    config = layer.get_config()
    assert TimeDistributedDense.from_config(config).get_config() == config
    assert (config["input_dim"], config["input_length"], config["bias"]) == (3, 4, False)
