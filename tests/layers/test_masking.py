import pytest
import torch

from bigdl.graph import Input
from bigdl.layers import Masking


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_steps_of_the_value_are_masked_and_zero(value):
    x = torch.tensor([[[1.0, 2.0], [value, value], [value, 3.0]]])
    y, mask = Masking(value).run(x, None, False)
    assert mask.tolist() == [[True, False, True]]
    assert y.tolist() == [[[1.0, 2.0], [0.0, 0.0], [value, 3.0]]]


def test_a_mask_before_it_is_replaced():
    x = torch.ones(1, 2, 1)
    _, mask = Masking().run(x, torch.tensor([[False, True]]), True)
    assert mask.tolist() == [[True, True]]


def test_type_of_the_mask():
    assert Masking()(Input((3, 2))).mask == "uint8"


def test_configuration_round_trip():
    config = Masking(-1, input_shape=(3, 2)).get_config()
    assert config["mask_value"] == -1.0
    assert Masking.from_config(config).get_config() == config
