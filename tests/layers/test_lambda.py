"""Lambda: what functions of files compute, the user's own in their place, and what is refused."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import FormatError, LayerError, UnsafeModelError, UnsupportedLayerError
from bigdl.graph import Container, Input
from bigdl.graph.user_functions import subscript
from bigdl.layers import Dense, Lambda, Masking
from bigdl.layers.expressions import FUNCTIONS
from bigdl.registry import custom_object_scope, make_layer
from tests.lambda_functions import BY_PYTHON, INPUTS, stored

ANY = stored("imports")


def config(function: Any, **more: Any) -> dict[str, Any]:
    kind: dict[str, Any] = {
        "function_type": "lambda",
        "output_shape": None,
        "output_shape_type": "raw",
        "arguments": {},
    }
    return {"name": "lambda_1", "trainable": True, "function": function, **kind, **more}


def loaded(function: Any, **more: Any) -> Any:
    return make_layer("Lambda", config(function, **more))


def applied(layer: Any, *shape: int | None, batch: int | None = None) -> Any:
    return layer(Input(batch_shape=(batch, *shape)))


@pytest.mark.parametrize(("name", "python", "case"), BY_PYTHON)
def test_functions_compute_what_they_do_in_keras(name, python, case):
    layer = loaded(case["functions"][python], arguments=case["arguments"])
    inputs = [torch.tensor(x) for x in INPUTS[case["input"]]]
    expected = np.array(case["output"])
    symbolic = layer([Input(tuple(x.shape[1:])) for x in inputs] if len(inputs) > 1 else Input(inputs[0].shape[1:]))
    y = layer(inputs if len(inputs) > 1 else inputs[0])
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=2e-6)
    assert len(symbolic.shape) == expected.ndim
    assert all(size in (None, length) for size, length in zip(symbolic.shape, expected.shape, strict=True))


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("x / 127.5 - 1", (3, 4), (None, 3, 4)),
        ("K.mean(x, axis=1)", (None, 4), (None, 4)),
        ("x[:, -1, :]", (None, 4), (None, 4)),
        ("x[:, 1:]", (None, 4), (None, None, 4)),
        ("x[..., 1:3]", (None, 4), (None, None, 2)),
        ("K.reshape(x, (-1, 12))", (3, 4), (None, 12)),
        ("K.batch_flatten(x)", (3, 4), (None, 12)),
        ("K.expand_dims(x, 1)", (3, 4), (None, 1, 3, 4)),
    ],
)
def test_output_shapes_are_found(name, shape, expected):
    assert applied(loaded(stored(name)), *shape).shape == expected


def test_a_fixed_batch_stays_fixed():
    assert applied(loaded(stored("x / 127.5 - 1")), 3, 4, batch=5).shape == (5, 3, 4)


def test_a_stored_shape_is_taken_as_it_is():
    layer = loaded(stored("K.mean(x, axis=1)"), output_shape=[4], output_shape_type="raw")
    assert applied(layer, None, 4).shape == (None, 4)


def test_the_configuration_is_given_back():
    given = config(stored("defaults"), arguments={"scale": 0.5}, output_shape=[4, 3])
    assert make_layer("Lambda", given).get_config() == given


def test_a_function_of_keras_1_0_is_its_code_alone():
    layer = loaded(stored("x / 127.5 - 1")[0])
    torch.testing.assert_close(layer(torch.full((1, 2), 255.0)), torch.ones(1, 2))


def test_a_loaded_function_can_be_pickled_and_trained_through():
    layer = pickle.loads(pickle.dumps(loaded(stored("x ** 2"))))
    x = torch.tensor([3.0], requires_grad=True)
    layer(x).backward()
    assert x.grad is not None
    assert x.grad.item() == 6


def test_functions_of_the_user():
    layer = Lambda(lambda x, scale: scale * x.mean(1), arguments={"scale": 2.0})
    assert applied(layer, None, 4).shape == (None, 4)
    torch.testing.assert_close(layer(torch.ones(2, 3, 4)), torch.full((2, 4), 2.0))


def test_a_function_of_the_user_may_need_values():
    layer = Lambda(lambda x: x * float(x.sum() == 0))
    assert applied(layer, 3, 4).shape == (None, 3, 4)


@pytest.mark.parametrize("shape", [(4,), [4], lambda shape: (shape[0], shape[2])])
def test_given_shapes(shape):
    assert applied(Lambda(lambda x: x.mean(1), output_shape=shape), 3, 4).shape == (None, 4)


def test_several_inputs_and_outputs():
    a, b = Input((4,)), Input((4,))
    difference = Lambda(lambda x: x[0] - x[1])([a, b])
    halves = Lambda(lambda x: [x[:, :1], x[:, 1:]])(difference)
    model = Container([a, b], halves)
    assert model.output_shape == [(None, 1), (None, 3)]
    first, second = model(torch.ones(2, 4), torch.zeros(2, 4))
    assert (first.shape, second.shape) == ((2, 1), (2, 3))


def test_no_mask_reaches_a_function():
    layer = Lambda(lambda x, mask: x if mask is None else -x)
    torch.testing.assert_close(layer(torch.ones(1, 2)), torch.ones(1, 2))
    with pytest.raises(LayerError, match="does not support masking"):
        layer(Masking()(Input((3, 4))))


def named(x):
    return 2 * x


def by_name(shape):
    return shape


def test_functions_of_the_user_are_written_by_name():
    written = Lambda(named, output_shape=by_name, name="twice").get_config()
    assert (written["function"], written["function_type"]) == ("named", "function")
    assert (written["output_shape"], written["output_shape_type"]) == ("by_name", "function")
    with custom_object_scope({"named": named, "by_name": by_name}):
        layer: Any = make_layer("Lambda", written)
    assert layer.function is named
    assert layer.get_config() == written


def test_custom_objects_by_the_name_of_the_layer():
    with custom_object_scope({"lambda_1": named}):
        layer: Any = loaded(ANY)
    assert layer.function is named
    assert layer.get_config()["function"] == ANY


def test_custom_objects_by_the_name_of_the_function():
    with custom_object_scope({"f": named}):
        layer: Any = loaded(stored("distance"))
    assert layer.function is named


def test_custom_objects_for_the_shape():
    shape = stored("part of the channels")
    with custom_object_scope({"lambda_1": named, "f": by_name}):
        layer: Any = loaded(ANY, output_shape=shape, output_shape_type="lambda")
    assert layer.result_shape is by_name


def test_a_name_without_a_function():
    with pytest.raises(UnsupportedLayerError, match=r"custom_objects=\{'scaler': function\}"):
        loaded("scaler", function_type="function")


def test_custom_objects_must_be_functions():
    with custom_object_scope({"lambda_1": Dense}), pytest.raises(UnsupportedLayerError, match="must be a function"):
        loaded(ANY)


def test_what_is_not_understood_is_shown():
    code, defaults, _ = stored("sum of neighbours")
    with pytest.raises(UnsafeModelError) as raised:
        loaded([code, defaults, None])
    text = str(raised.value)
    assert "Layer 'lambda_1' computes with a Python function that is stored as bytecode" in text
    assert "the values of its free variables are not in the file" in text
    assert "custom_objects={'lambda_1': function}" in text
    assert "f(x), compiled by Python 3.6 or 3.7 from line 3 of 'model.py':" in text
    assert "LOAD_ATTR             temporal_padding" in text


@pytest.mark.parametrize("function", [None, 3, [], [1], ["abc"], {"code": "abc"}, "no name and no code"])
def test_what_is_no_function(function):
    with pytest.raises(FormatError, match="lambda_1"):
        loaded(function)


def test_functions_that_do_not_fit_their_input():
    with pytest.raises(
        LayerError, match=r"Layer 'lambda_1' \(Lambda\): its function cannot be applied to an input of shape"
    ):
        applied(loaded(stored("x[:, -1, :]")), 4)
    with pytest.raises(LayerError, match="cannot be applied"):
        applied(Lambda(lambda x: x @ torch.ones(3, 3), name="product"), 4)


@pytest.mark.parametrize("shape", [None, [4]])
def test_functions_that_would_take_all_memory(shape):
    code, defaults, _ = stored("loop")
    layer = loaded([code, defaults, [1e-2, 90]], output_shape=shape)
    with pytest.raises(LayerError, match="makes more than 268435456 values"):
        applied(layer, 90, 10**6)


@pytest.mark.parametrize("name", ["x[:, ::-1]", "K.reverse(x, 1)", "tf.reverse(x, [1])"])
def test_an_absurd_size_is_refused_at_once(name):
    with pytest.raises(LayerError, match="makes more than"):
        applied(loaded(stored(name)), 10**10, 4)


def test_only_functions_of_values_are_known():
    homes = {function.__module__ for name, function in FUNCTIONS.items() if name.startswith("K.")}
    assert homes <= {
        "bigdl.layers.activations",
        "bigdl.layers.backend.arrays",
        "bigdl.layers.backend.elementwise",
        "bigdl.layers.backend.reductions",
        "bigdl.layers.expressions",
        "bigdl.settings",
    }


@pytest.mark.parametrize(
    "index", [slice(2, 0, -1), slice(0, 3, -1), slice(None, None, -2), (slice(None), slice(3, None, -1))]
)
def test_steps_backwards(index):
    x = np.arange(20).reshape(4, 5)
    assert subscript(torch.from_numpy(x), index).tolist() == x[index].tolist()


@pytest.mark.parametrize(("a", "b"), [("%d", 5), ([1], 3), (torch.ones(1), "x"), (None, 1)])
def test_operators_work_on_tensors_and_numbers_only(a, b):
    with pytest.raises(LayerError, match="needs tensors or numbers"):
        FUNCTIONS["operator.modulo"](a, b)


@pytest.mark.parametrize("name", ["builtins.list", "builtins.sum", "builtins.tuple", "method.as_list"])
def test_tensors_are_not_taken_apart(name):
    with pytest.raises(LayerError, match="a tuple or list is needed"):
        FUNCTIONS[name](torch.ones(2))


def test_no_function_at_all():
    with pytest.raises(LayerError, match="needs a function"):
        Lambda("x")  # type: ignore[arg-type]
