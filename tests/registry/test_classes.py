"""Which layer a class name stands for: registered ones, the user's own, and what goes wrong."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import FormatError, LayerError, UnsupportedLayerError
from bigdl.graph import Input, Layer
from bigdl.layers import Dense
from bigdl.models import Model
from bigdl.registry import (
    classes,
    custom_object_scope,
    entry_for,
    layer,
    layer_from_config,
    make_layer,
    register_layer,
    supported_layers,
)


class Double(Layer):
    """Twice its input."""

    def forward(self, x: Any) -> Any:
        return 2 * x


@pytest.fixture(autouse=True)
def own_entries(monkeypatch):
    """Takes back what a test registers."""
    monkeypatch.setattr(classes, "_entries", dict(classes._entries))


def config(**arguments: Any) -> dict[str, Any]:
    return {"name": "mine", "trainable": True, **arguments}


def test_a_class_is_registered_under_its_name():
    assert "Double" not in supported_layers()
    layer()(Double)
    assert "Double" in supported_layers()
    made = make_layer("Double", config())
    assert (type(made), made.name) == (Double, "mine")


def test_a_name_is_taken_over_only_when_told_so():
    with pytest.raises(ValueError, match="'Dense' is registered already; say replace=True"):
        register_layer("Dense", Double)
    register_layer("Dense", Double, replace=True)
    assert isinstance(make_layer("Dense", config()), Double)


def test_a_layer_converter():
    """A function that makes a layer, of any class, from the configuration in the file."""

    def dense_of_units(given: Mapping[str, Any]) -> Layer:
        return Dense(given["units"], name=given["name"], trainable=given["trainable"])

    register_layer("MyDense", dense_of_units)
    made = make_layer("MyDense", config(units=3))
    assert (type(made), made.name, made.file_class) == (Dense, "mine", "MyDense")


def test_a_converter_need_not_think_of_the_name():
    register_layer("MyDense", lambda given: Dense(3))
    assert make_layer("MyDense", config()).name == "mine"


def test_custom_objects_come_first_and_only_inside_their_scope():
    with custom_object_scope({"Dense": Double, "Other": lambda given: Double(name=given["name"])}):
        assert isinstance(make_layer("Dense", config()), Double)
        assert isinstance(make_layer("Other", config()), Double)
        with custom_object_scope({"Dense": Dense}):
            assert isinstance(make_layer("Dense", config(output_dim=3)), Dense)
    assert entry_for("Other") is None
    assert isinstance(make_layer("Dense", config(output_dim=3)), Dense)


def test_classes_that_nobody_knows():
    with pytest.raises(UnsupportedLayerError) as raised:
        make_layer("Attention", config())
    text = str(raised.value)
    assert "Layer 'mine' is of class 'Attention', which is not supported" in text
    assert "custom_objects={'Attention': YourLayer}" in text
    assert "register_layer('Attention', YourLayer)" in text


@pytest.mark.parametrize(
    ("class_name", "arguments", "reason"),
    [
        ("Dense", {}, "its configuration cannot be used: .*output_dim"),
        ("Dense", {"output_dim": "many"}, "its configuration cannot be used: invalid literal"),
        ("Dense", {"output_dim": 3, "units": 4}, "argument not understood: units"),
        ("Dense", {"output_dim": 3, "activation": "swish"}, "Unknown activation 'swish'"),
        ("Dense", {"output_dim": 3, "W_regularizer": {"name": "l3"}}, "Unknown regularizer 'l3'"),
        ("Convolution2D", {"nb_filter": 1, "nb_row": 1, "nb_col": 1, "dim_ordering": "nchw"}, "dim_ordering must be"),
    ],
)
def test_configurations_that_cannot_be_used(class_name, arguments, reason):
    with pytest.raises((LayerError, UnsupportedLayerError), match=rf"Layer 'mine' \({class_name}\): {reason}"):
        make_layer(class_name, config(**arguments))


@pytest.mark.parametrize("made", [None, torch.nn.Linear(2, 3), "Dense"])
def test_a_converter_must_make_a_layer(made):
    register_layer("Odd", lambda given: made)
    with pytest.raises(LayerError, match=r"Layer 'mine' \(Odd\): .* must make a bigdl Layer. Received"):
        make_layer("Odd", config())


def test_inner_layers_of_wrappers():
    made = layer_from_config({"class_name": "Dense", "config": config(output_dim=3)})
    assert isinstance(made, Dense)
    inner: Any = layer_from_config(
        {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": config(output_dim=3, input_dim=2)}]}
    )
    assert inner.output_shape == (None, 3)


@pytest.mark.parametrize("wrong", [{}, {"class_name": "Dense"}, [], None])
def test_inner_layers_must_be_pairs(wrong):
    with pytest.raises(FormatError, match="A layer must be given as"):
        layer_from_config(wrong)


def swish(x):
    return x * torch.sigmoid(x)


def small(shape, name=None):
    return np.full(shape, 1e-3)


class Tilted:
    def __init__(self, slope: float) -> None:
        self.slope = slope

    def __call__(self, w: torch.Tensor) -> torch.Tensor:
        return self.slope * w.sum()


def test_functions_of_the_user_by_name():
    given = config(output_dim=2, activation="swish", init="small", W_regularizer={"name": "Tilted", "slope": 0.5})
    with custom_object_scope({"swish": swish, "small": small, "Tilted": Tilted}):
        made: Any = make_layer("Dense", given)
        made(Input((3,)))
    assert made.activation.__wrapped__ is swish
    assert made.get_weights()[0].tolist() == np.full((3, 2), 1e-3, "float32").tolist()
    assert made.weights[0].regularizer.slope == 0.5
    assert made.get_config()["activation"] == "swish"


def test_a_model_with_a_layer_of_the_user(tmp_path):
    x = Input((3,))
    model = Model(x, Double(name="twice")(Dense(2)(x)))
    path = tmp_path / "model.json"
    path.write_text(model.to_json())
    with pytest.raises(UnsupportedLayerError, match="Layer 'twice' is of class 'Double'"):
        Model.load_keras(path)
    again = Model.load_keras(path, custom_objects={"Double": Double})
    assert type(again.get_layer("twice")) is Double
    register_layer("Double", Double)
    assert type(Model.load_keras(path).get_layer("twice")) is Double
