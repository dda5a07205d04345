"""What every layer has from its base: arguments, names, weights and their views, tensors that it was applied to."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import LayerError, WeightMismatchError
from bigdl.graph import SAME, Input, Layer, Layout, reset_names, unique_name, without_initialization
from bigdl.layers import Activation, Dense, RepeatVector


class Scale(Layer):
    """Multiplies by a weight, transposed in torch, and adds a statistic."""

    weight: torch.Tensor
    mean: torch.Tensor

    def build(self, input_shape: Any) -> None:
        rows = input_shape[-1]
        layout = Layout(torch.t, torch.t)
        self.add_weight("W", (rows, 2), torch.ones, attribute="weight", layout=layout)
        self.add_weight("mean", (2,), torch.zeros, attribute="mean", layout=SAME, trainable=False)

    def forward(self, x: torch.Tensor) -> Any:
        return x @ self.weight.t() + self.mean

    def get_output_shape_for(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], 2)


def built(layer: Any, *shape: int) -> Any:
    layer.ensure_built((None, *shape))
    return layer


def test_names_count_by_class():
    assert [Dense(1).name, Activation("relu").name, Dense(1).name] == ["dense_1", "activation_1", "dense_2"]
    assert unique_name("dense") == "dense_3"
    reset_names()
    assert Dense(1).name == "dense_1"


def test_arguments_that_are_not_known():
    with pytest.raises(LayerError, match=r"Layer 'a' \(Dense\): argument not understood: units_, use_bias"):
        Dense(3, name="a", use_bias=False, units_=3)


def test_an_array_of_keras_is_a_view():
    layer = built(Scale(), 3)
    assert layer.weight.shape == (2, 3)
    W = np.arange(6, dtype="float32").reshape(3, 2)
    layer.set_weights([W, np.ones(2)])
    assert layer.weight.tolist() == W.T.tolist()
    assert layer.get_weights()[0].tolist() == W.tolist()
    copy = layer.get_weights()[0]
    copy[:] = 7
    assert layer.get_weights()[0].tolist() == W.tolist()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">f8").reshape(3, 2),
        np.arange(6, dtype="int64").reshape(3, 2),
        np.arange(6, dtype="float16").reshape(2, 3).T,
        np.broadcast_to(np.float32(1), (3, 2)),
        np.arange(12, dtype="float32").reshape(3, 4)[:, ::-2],
    ],
)
def test_arrays_of_any_kind(array):
    layer = built(Scale(), 3)
    layer.set_weights([array, np.zeros(2)])
    np.testing.assert_array_equal(layer.get_weights()[0], array.astype("float32"))


def test_nothing_is_written_when_something_does_not_fit():
    layer = built(Scale(name="a"), 3)
    with pytest.raises(WeightMismatchError, match=r"Layer 'a' \(Scale\)"):
        layer.set_weights([np.zeros((3, 2)), np.zeros(3)])
    with pytest.raises(WeightMismatchError, match=r"Layer 'a' \(Scale\) expects 2 arrays"):
        layer.set_weights([np.zeros((3, 2))])
    assert layer.get_weights()[0].tolist() == [[1, 1]] * 3


def test_trainable_and_kept_weights():
    layer = built(Scale(), 3)
    assert [w.name for w in layer.trainable_weights] == ["W"]
    assert [w.name for w in layer.non_trainable_weights] == ["mean"]
    assert [name for name, _ in layer.named_buffers()] == ["mean"]
    layer.trainable = False
    assert layer.trainable_weights == []
    assert [w.name for w in layer.non_trainable_weights] == ["W", "mean"]
    assert not layer.weight.requires_grad
    layer.trainable = True
    assert layer.weight.requires_grad


def test_a_layer_frozen_before_it_is_built():
    layer = built(Scale(trainable=False), 3)
    assert not layer.weight.requires_grad
    assert layer.get_config()["trainable"] is False


def test_initial_values_may_be_left_out():
    with without_initialization():
        layer = built(Dense(2, init="no such initialization"), 3)
    assert [w.shape for w in layer.weights] == [(3, 2), (2,)]


def test_weights_given_at_construction():
    W = np.full((3, 2), 5.0)
    layer = built(Scale(weights=[W, np.zeros(2)]), 3)
    np.testing.assert_array_equal(layer.get_weights()[0], W)
    with pytest.raises(WeightMismatchError):
        built(Scale(weights=[W]), 3)


def test_symbolic_tensors_know_where_they_come_from():
    layer = Scale(name="a")
    first, second = layer(Input((3,))), layer(Input((5, 3)))
    assert (first.shape, second.shape) == ((None, 2), (None, 5, 2))
    assert (second.layer, second.node_index, second.tensor_index) == (layer, 1, 0)
    assert repr(second) == "SymbolicTensor(a[1][0], shape=(None, 5, 2), dtype=float32)"
    assert second.node.inputs[0].shape == (None, 5, 3)


def test_rank_of_the_input():
    with pytest.raises(
        LayerError, match=r"Layer 'r' \(RepeatVector\) expects an input of rank 2 .* shape \(None, 3, 4\)"
    ):
        RepeatVector(2, name="r")(Input((3, 4)))


def test_tensors_of_torch_run():
    layer = built(Scale(), 3)
    assert layer(torch.ones(4, 3)).tolist() == [[3, 3]] * 4


def test_a_layer_without_a_forward():
    with pytest.raises(NotImplementedError, match="Layer defines no forward"):
        Layer()(torch.ones(1))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, {}),
        ({"input_shape": (3,)}, {"batch_input_shape": (None, 3), "input_dtype": "float32"}),
        ({"batch_input_shape": (4, 3)}, {"batch_input_shape": (4, 3), "input_dtype": "float32"}),
        ({"input_shape": (3,), "input_dtype": "int32"}, {"batch_input_shape": (None, 3), "input_dtype": "int32"}),
    ],
)
def test_configuration(arguments, expected):
    layer = Scale(name="a", **arguments)
    config = layer.get_config()
    assert config == {"name": "a", "trainable": True, **expected}
    assert Scale.from_config(config).get_config() == config
