"""Merge beyond the goldens: its arguments, its shapes, gradients and what it refuses."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import LayerError, UnsafeModelError
from bigdl.graph import Container, Input
from bigdl.layers import LSTM, Dense, Merge, merge
from bigdl.models import Sequential
from bigdl.registry import custom_object_scope, make_layer
from tests.lambda_functions import stored


def pair(*shape: int) -> list[torch.Tensor]:
    return [torch.randn(2, *shape), torch.randn(2, *shape)]


def inputs(*shapes: tuple[int | None, ...]) -> list[Any]:
    return [Input(shape) for shape in shapes]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("sum", lambda a, b: a + b),
        ("mul", lambda a, b: a * b),
        ("ave", lambda a, b: (a + b) / 2),
        ("max", np.maximum),
        ("concat", lambda a, b: np.concatenate([a, b], -1)),
    ],
)
def test_modes(mode, expected):
    a, b = pair(3, 4)
    np.testing.assert_allclose(merge([a, b], mode=mode), expected(a.numpy(), b.numpy()), rtol=1e-6)


def test_modes_of_many():
    tensors = [torch.randn(2, 3) for _ in range(5)]
    torch.testing.assert_close(merge(tensors, mode="ave"), torch.stack(tensors).mean(0))
    torch.testing.assert_close(merge(tensors, mode="max"), torch.stack(tensors).amax(0))


@pytest.mark.parametrize("axes", [-1, 2, (2, 2)])
def test_dot_of_sequences(axes):
    layer = Merge(mode="dot", dot_axes=axes)
    assert layer(inputs((3, 5), (4, 5))).shape == (None, 3, 4)
    a, b = torch.randn(2, 3, 5), torch.randn(2, 4, 5)
    np.testing.assert_allclose(layer([a, b]), np.einsum("bif,bjf->bij", a, b), rtol=1e-5, atol=1e-6)


# What Keras 1.2.2 says of the shape, and the shape that it really computes.
@pytest.mark.parametrize(
    ("shape", "axes", "said", "real"),
    [
        ((3, 5), (-1, -1), (None, 3, 3), (2, 5, 5)),
        ((5,), (-1, -1), (None, 1), (2, 1)),
        ((3, 4, 5), 1, (None, 4, 5, 4, 5), (2, 3, 5, 5)),
        ((3, 4, 5), 3, (None, 3, 4, 3, 4), (2, 3, 4, 4)),
        ((3, 5, 5), (3, 2), (None, 3, 5, 3, 5), (2, 3, 5, 5)),
    ],
)
def test_dot_is_as_odd_as_keras(shape, axes, said, real):
    layer = Merge(mode="dot", dot_axes=axes)
    assert layer(inputs(shape, shape)).shape == said
    assert layer(pair(*shape)).shape == real


def test_cos_of_vectors():
    a, b = pair(4)
    y = merge([a, b], mode="cos", dot_axes=1)
    torch.testing.assert_close(y, torch.cosine_similarity(a, b)[:, None, None])
    assert merge(inputs((4,), (4,)), mode="cos", dot_axes=1).shape == (None, 1)  # as Keras says


def test_cos_of_zeros_is_zero():
    zeros = torch.zeros(1, 3)
    assert merge([zeros, zeros], mode="cos").item() == 0


def test_where_equal_the_gradient_of_max_goes_to_the_first():
    a, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    merge([a, b], mode="max").backward()
    assert [x.grad.item() for x in (a, b) if x.grad is not None] == [1, 0]


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", "max", "concat", "dot", "cos"])
def test_gradients(mode):
    a, b = (torch.rand(2, 3, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda *x: merge(list(x), mode=mode, dot_axes=2), (a, b), fast_mode=True)


@pytest.mark.parametrize(
    ("shapes", "axis", "expected"),
    [
        ([(3, 4), (3, 5)], -1, (None, 3, 9)),
        ([(3, 4), (2, 4)], 1, (None, 5, 4)),
        ([(None, 4), (None, 4)], -1, (None, None, 8)),
        ([(None, 4), (3, 4)], 1, (None, None, 4)),
    ],
)
def test_shapes_of_concat(shapes, axis, expected):
    assert merge(inputs(*shapes), mode="concat", concat_axis=axis).shape == expected


@pytest.mark.parametrize(
    ("options", "shapes", "reason"),
    [
        ({"mode": "minus"}, [(4,), (4,)], "mode must be a function or one of sum, mul"),
        ({"mode": "sum"}, [(4,)], "a list of at least two tensors"),
        ({"mode": "sum"}, [(4,), (3,)], r"needs inputs of the same shape. Received: \[\(None, 4\), \(None, 3\)\]"),
        ({"mode": "concat"}, [(4, 3), (5, 3)], "the same shape but for axis -1"),
        ({"mode": "concat"}, [(4,), (4, 4)], "the same shape but for axis -1"),
        ({"mode": "concat", "concat_axis": 3}, [(4,), (4,)], "no axis of inputs of rank 2"),
        ({"mode": "dot"}, [(4,), (4,), (4,)], "two inputs of the same rank"),
        ({"mode": "dot"}, [(4,), (4, 4)], "two inputs of the same rank"),
        ({"mode": "dot", "dot_axes": 2}, [(3, 4), (3, 5)], "the same length on the axes"),
        ({"mode": "dot", "dot_axes": 5}, [(3, 4), (3, 4)], "two axes of inputs of rank 3"),
        ({"mode": "dot", "dot_axes": (1,)}, [(3, 4), (3, 4)], "two axes"),
        ({"mode": "dot", "dot_axes": (-1, -1)}, [(3, 5), (4, 5)], "cannot be multiplied"),
    ],
)
def test_what_cannot_be_merged(options, shapes, reason):
    with pytest.raises(LayerError, match=f"Layer 'm' .Merge.: .*{reason}"):
        merge(inputs(*shapes), name="m", **options)


def test_a_layer_is_applied_once():
    layer = Merge(mode="sum")
    layer(inputs((4,), (4,)))
    with pytest.raises(LayerError, match="it has been applied already"):
        layer(inputs((4,), (4,)))


def test_configuration_of_all_arguments():
    layer = Merge(mode="dot", dot_axes=-1, name="m")
    config = layer.get_config()
    assert config == {
        "name": "m",
        "mode": "dot",
        "mode_type": "raw",
        "concat_axis": -1,
        "dot_axes": -1,
        "output_shape": None,
        "output_shape_type": "raw",
        "output_mask": None,
        "output_mask_type": "raw",
        "arguments": {},
    }
    layer(inputs((4,), (4,)))
    assert layer.get_config()["dot_axes"] == [1, 1]  # Keras writes what it found
    assert make_layer("Merge", json.loads(json.dumps(config))).get_config() == config


# Functions as modes


def difference(x):
    return x[0] - x[1]


def test_functions_of_the_user():
    layer = Merge(mode=lambda x, scale: scale * (x[0] - x[1]), arguments={"scale": 2.0})
    assert layer(inputs((None, 4), (None, 4))).shape == (None, None, 4)
    a, b = pair(3, 4)
    torch.testing.assert_close(layer([a, b]), 2 * (a - b))


@pytest.mark.parametrize("shape", [(4,), lambda shapes: shapes[0]])
def test_given_shapes(shape):
    assert merge(inputs((4,), (4,)), mode=difference, output_shape=shape).shape == (None, 4)


def test_functions_of_the_user_are_written_by_name():
    config = Merge(mode=difference, output_shape=(4,), name="m").get_config()
    assert (config["mode"], config["mode_type"], config["output_shape"]) == ("difference", "function", (4,))
    with custom_object_scope({"difference": difference}):
        assert make_layer("Merge", config).get_config() == config


def file_config(name: str, **more: Any) -> dict[str, Any]:
    return {**Merge(name="apart").get_config(), "mode": stored(name), "mode_type": "lambda", **more}


def test_functions_of_files():
    config = file_config("K.abs(x[0] - x[1])", output_shape=[4])
    layer: Any = make_layer("Merge", config)
    assert layer(inputs((4,), (4,))).shape == (None, 4)
    a, b = pair(4)
    torch.testing.assert_close(layer([a, b]), (a - b).abs())
    assert layer.get_config() == config


def test_custom_objects_for_functions_of_files():
    with custom_object_scope({"apart": difference}):
        layer: Any = make_layer("Merge", file_config("distance"))
    assert layer.mode is difference


def test_a_function_that_takes_masks_is_not_understood():
    with pytest.raises(UnsafeModelError, match="its argument 'mask' has no value"):
        make_layer("Merge", file_config("chosen by an argument"))


# First in a Sequential


def branch(units: int, size: int = 4) -> Any:
    return Sequential([Dense(units, input_dim=size)])


def test_first_in_a_sequential():
    left, right = branch(3), branch(2)
    model = Sequential([Merge([left, right], mode="concat"), Dense(1)])
    assert [tensor.shape for tensor in model.inputs] == [(None, 4), (None, 4)]
    assert [weight.shape for weight in model.weights] == [(4, 3), (3,), (4, 2), (2,), (5, 1), (1,)]
    assert len(list(model.parameters())) == 6
    a, b = pair(4)
    with torch.no_grad():
        expected = model.layers[1](torch.cat([left(a), right(b)], -1))
        torch.testing.assert_close(model(a, b), expected)


def test_branches_within_branches():
    inner = Sequential([Merge([branch(3), branch(3)], mode="sum"), Dense(3)])
    model = Sequential([Merge([inner, branch(2)], mode="concat"), Dense(1)])
    again = Sequential.from_config(json.loads(json.dumps(model.get_config())))
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    again.set_weights(model.get_weights())
    data = [torch.randn(2, 4) for _ in range(3)]
    torch.testing.assert_close(again(*data), model(*data))


def test_calls_and_outputs_of_branches():
    x = Input((4,))
    both = Container(x, [Dense(3)(x), Dense(2)(x)])
    shared = Dense(2)
    shared(Input((4,)))
    shared(Input((4,)))
    layer = Merge([both, shared], mode="sum", node_indices=[0, 1], tensor_indices=[1, 0])
    assert layer.inbound_nodes[0].inputs[1].node_index == 1
    with pytest.raises(LayerError, match="It has no call number 3"):
        Merge([both, shared], node_indices=[0, 3])
    with pytest.raises(LayerError, match=r"has 2 outputs\. Received: tensor index 2"):
        Merge([both, shared], tensor_indices=[2, 0])


def test_branches_must_have_been_applied():
    with pytest.raises(LayerError, match="'loose' must have been applied to an input"):
        Merge([branch(3), Dense(3, name="loose")], mode="sum")


def test_states_of_branches_are_reset():
    lstm = LSTM(2, stateful=True, batch_input_shape=(1, 3, 4))
    model = Sequential([Merge([Sequential([lstm]), Sequential([Dense(2, batch_input_shape=(1, 4))])], mode="sum")])
    data = torch.randn(1, 3, 4), torch.randn(1, 4)
    with torch.no_grad():
        first, second = model(*data), model(*data)
        assert not torch.equal(first, second)
        model.reset_states()
        assert torch.equal(first, model(*data))
