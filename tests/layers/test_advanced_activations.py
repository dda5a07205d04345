"""Activations with arguments or weights: gradients, shared weights and their files, configurations."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import LayerError, WeightMismatchError
from bigdl.formats.spec import LayerArrays, StoredArray, WeightsSpec
from bigdl.graph import Container, Input, SequentialContainer
from bigdl.layers import ELU, Dense, LeakyReLU, ParametricSoftplus, PReLU, SReLU, ThresholdedReLU
from bigdl.registry import load_by_name, load_by_position, make_layer
from tests.layers.checks import assert_gradients, assert_round_trip, built

LEARNED = [PReLU, ParametricSoftplus, SReLU]


@pytest.mark.parametrize(
    "layer", [LeakyReLU(0.2), ELU(0.5), PReLU(), ParametricSoftplus(), SReLU(), SReLU(shared_axes=[1])]
)
def test_gradients(layer):
    assert_gradients(layer, 3, 4)


@pytest.mark.parametrize(
    "layer",
    [
        LeakyReLU(0.1),
        ELU(0.3),
        ThresholdedReLU(0.7),
        PReLU("one"),
        PReLU(shared_axes=[2]),
        ParametricSoftplus(0.1, 3),
        SReLU("normal", "zero", "one", "uniform", shared_axes=1),
    ],
)
def test_round_trip(layer):
    assert_round_trip(layer, 3, 4)


# Keras's relu is made of two halves whose slope at 0 is 0, its PReLU of |x| whose slope there is 0.
@pytest.mark.parametrize(("layer", "slope"), [(LeakyReLU(0.2), 0), (PReLU("one"), 0.5), (SReLU(), 0)])
def test_slope_at_zero(layer, slope):
    layer.ensure_built((None, 1))
    x = torch.zeros(1, 1, requires_grad=True)
    layer(x).backward()
    assert x.grad is not None
    assert x.grad.item() == slope


@pytest.mark.parametrize("alpha", [0.2, 1 / 3])
def test_arguments_are_kept_as_float32(alpha):
    assert ELU(alpha).get_config()["alpha"] == float(np.float32(alpha))


def test_initial_values():
    softplus, srelu = ParametricSoftplus(0.3, 2), SReLU()
    for layer in (softplus, srelu):
        layer.ensure_built((None, 500))
    assert [array.mean() for array in softplus.get_weights()] == pytest.approx([0.3, 2.0])
    limit = np.sqrt(6 / (2 * np.sqrt(500)))  # glorot_uniform of a vector
    t_left, a_left, t_right, a_right = srelu.get_weights()
    assert not t_left.any()
    assert (a_right == 1).all()
    for array in (a_left, t_right):
        assert 0.9 * limit < np.abs(array).max() <= limit


@pytest.mark.parametrize("cls", LEARNED)
@pytest.mark.parametrize(
    ("axes", "shape"), [(None, (3, 4, 2)), ([1, 2], (1, 1, 2)), (3, (3, 4, 1)), ([None], (3, 4, 2))]
)
def test_shared_axes(cls, axes, shape):
    layer = built(cls(shared_axes=axes), 3, 4, 2)
    assert {weight.shape for weight in layer.weights} == {shape}
    assert layer(torch.randn(2, 3, 4, 2)).shape == (2, 3, 4, 2)


@pytest.mark.parametrize("axes", [[0], [4], [-1]])
def test_axes_that_are_not_there(axes):
    with pytest.raises(LayerError, match="must be among 1 to 3"):
        PReLU(shared_axes=axes)(Input((3, 4, 2)))


def stored(name: str, *shapes: tuple[int, ...]) -> WeightsSpec:
    arrays = (StoredArray.of(f"{name}_{i}", np.full(shape, i + 0.5, "float32")) for i, shape in enumerate(shapes))
    return WeightsSpec((LayerArrays(name, tuple(arrays)),))


def model_of(layer: Any, *shape: int | None) -> SequentialContainer:
    layer.batch_input_shape = (None, *shape)
    return SequentialContainer([layer])


@pytest.mark.parametrize("load", [load_by_position, load_by_name])
@pytest.mark.parametrize("cls", LEARNED)
def test_shared_axes_are_found_in_the_file(cls, load):
    layer = cls(name="a")
    count = len(cls.weight_names)
    load(model_of(layer, 3, 4, 2), stored("a", *[(1, 4, 1)] * count))
    assert layer.shared_axes == [1, 3]
    assert [weight.shape for weight in layer.weights] == [(1, 4, 1)] * count
    assert [array.flat[0] for array in layer.get_weights()] == [i + 0.5 for i in range(count)]
    copy: Any = make_layer(cls.__name__, json.loads(json.dumps(layer.get_config())))
    assert copy.shared_axes == [1, 3]


def test_parameters_stay_those_an_optimizer_has():
    layer = PReLU(name="a")
    model = model_of(layer, 3, 2)
    before = list(model.parameters())
    load_by_position(model, stored("a", (1, 2)))
    assert [id(p) for p in model.parameters()] == [id(p) for p in before]
    assert before[0].shape == (1, 2)


def test_axes_of_open_length_are_shared():
    layer = PReLU(name="a")
    model = model_of(layer, None, None, 2)
    load_by_position(model, stored("a", (1, 1, 2)))
    assert model(torch.randn(1, 5, 3, 2)).shape == (1, 5, 3, 2)


def test_shared_axes_inside_an_inner_model():
    x = Input((3, 2))
    inner = Container(x, PReLU(name="p")(Dense(2, name="d")(x)), name="inner")
    model = SequentialContainer([inner])
    load_by_position(model, stored("inner", (2, 2), (2,), (1, 2)))
    assert [weight.shape for weight in model.weights] == [(2, 2), (2,), (1, 2)]


@pytest.mark.parametrize("shapes", [[(2, 3)], [(3, 4)], [(2,)], [(1, 3)]])
def test_weights_of_another_shape(shapes):
    layer = PReLU(name="a")
    model = model_of(layer, 2, 4)
    with pytest.raises(WeightMismatchError, match=r"'alphas' must have shape \(2, 4\)"):
        load_by_position(model, stored("a", *shapes))
    assert layer.weights[0].shape == (2, 4)


def test_nothing_is_resized_when_another_layer_does_not_fit():
    model = SequentialContainer([PReLU(name="a", input_shape=(3,)), Dense(2, name="b")])
    spec = WeightsSpec((*stored("a", (1,)).layers, *stored("b", (3, 9), (2,)).layers))
    with pytest.raises(WeightMismatchError):
        load_by_position(model, spec)
    assert model.weights[0].shape == (3,)
