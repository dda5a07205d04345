"""Definitions of Keras 1.x: those real versions wrote, the dirty ones, and those that are none."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigdl.errors import FormatError
from bigdl.formats import architecture, read_definition, write_definition
from bigdl.formats.spec import GraphSpec, TensorRef

DATA = Path(__file__).parent / "data"
DEFINITIONS = sorted([*DATA.glob("*/*.json"), *DATA.glob("*/*.yaml")])


Mapping = dict[str, Any]


def read(value: Any) -> GraphSpec:
    return read_definition(value if isinstance(value, str | bytes) else json.dumps(value), "m.json").graph


def dense(name: Any = "dense_1", **config: Any) -> Mapping:
    return {"class_name": "Dense", "config": {"output_dim": 3, **({"name": name} if name else {}), **config}}


def sequential(*layers: Any) -> Mapping:
    return {"class_name": "Sequential", "config": list(layers), "keras_version": "1.2.2"}


def connected(name: str, *calls: Any, class_name: str = "Dense", config: Any = None) -> Mapping:
    """A layer of a functional model."""
    config = {"name": name} if config is None else config
    return {"class_name": class_name, "name": name, "config": config, "inbound_nodes": list(calls)}


def model(*layers: Any, inputs: Any = (("x", 0, 0),), outputs: Any = (("y", 0, 0),)) -> Mapping:
    config = {"name": "model_1", "layers": list(layers), "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Model", "config": config, "keras_version": "1.2.2"}


X = connected("x", class_name="InputLayer")
Y = connected("y", [["x", 0, 0]])


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_definitions_of_every_version_are_read(path):
    definition = read_definition(path.read_bytes(), path.name)
    version = path.parent.name
    assert definition.keras_version == {"0.3.3": "0.3", "1.0.0": None}.get(version, version)
    newest = read_definition((DATA / "1.2.2" / f"{path.stem}.json").read_bytes()).graph
    found = definition.graph
    assert (found.kind, found.inputs, found.outputs) == (newest.kind, newest.inputs, newest.outputs)
    assert [layer.class_name for layer in found.layers] == [layer.class_name for layer in newest.layers]
    assert [layer.inbound for layer in found.layers] == [layer.inbound for layer in newest.layers]
    if version != "0.3.3":  # has no names
        assert [layer.name for layer in found.layers] == [layer.name for layer in newest.layers]


@pytest.mark.parametrize("version", ["0.3.3", "1.0.0", "1.0.8", "1.1.2"])
def test_older_configs_become_those_of_122(version):
    def left_dense(folder: str, suffix: str):
        graph = read((DATA / folder / f"legacy_merge{suffix}").read_bytes())
        branch = graph.layers[0].branches[0].graph
        assert branch is not None
        return branch.layers[0]

    newest = left_dense("1.2.2", ".json")
    for suffix in (".json", ".yaml"):
        config = left_dense(version, suffix).config
        assert config.keys() <= newest.config.keys()
        for key, value in config.items():
            if key == "W_regularizer":
                assert value == {"name": "L1L2Regularizer", "l1": 0.0, "l2": pytest.approx(0.01)}
            else:
                assert value == newest.config[key], key


@pytest.mark.parametrize("path", sorted((DATA / "1.2.2").glob("*.json")), ids=lambda p: p.name)
def test_what_is_written_is_what_keras_122_wrote(path):
    value = json.loads(path.read_text())
    assert write_definition(value["class_name"], value["config"]) == path.read_text()


def test_writing_takes_numpy_values_tuples_and_types():
    text = write_definition("Sequential", [{"a": np.float32(0.5), "b": np.array([1, 2]), "c": (3,), "d": float}])
    assert json.loads(text)["config"] == [{"a": 0.5, "b": [1, 2], "c": [3], "d": "float"}]
    with pytest.raises(FormatError, match="cannot be written as JSON"):
        write_definition("Sequential", [{"function": lambda x: x}])


def test_a_functional_model():
    graph = read(model(X, connected("y", [["x", 0, 0]], [["y", 0, 0]]), outputs=[["y", 1, 0]]))
    assert (graph.kind, graph.name) == ("Model", "model_1")
    assert graph.inputs == (TensorRef("x"),)
    assert graph.outputs == (TensorRef("y", 1),)
    assert graph.layers[1].inbound == ((TensorRef("x"),), (TensorRef("y"),))


def test_models_in_models():
    graph = read((DATA / "1.2.2" / "nested.json").read_bytes())
    nested = {layer.class_name: layer for layer in graph.layers}
    inner = nested["Model"].graph
    assert inner is not None
    assert len(inner.inputs) == len(inner.outputs) == 2
    block = nested["Sequential"].graph
    assert block is not None
    assert block.name == nested["Sequential"].name == "sequential_6"
    assert [layer.class_name for layer in block.layers] == ["Dense", "Sequential"]
    assert graph.outputs[1] == TensorRef(nested["Model"].name, 1, 1)


def test_a_model_in_a_wrapper_is_read_by_architecture():
    graph = read((DATA / "1.2.2" / "nested.json").read_bytes())
    held = graph.layers[-1].config["layer"]
    assert held["class_name"] == "Sequential"
    assert [layer.class_name for layer in architecture(held["config"], "Sequential").layers] == ["Dense", "Activation"]


def test_layers_and_models_without_names_are_numbered_as_keras_does():
    inner = {"class_name": "Sequential", "config": [dense(None), dense("dense_2")]}
    graph = read(sequential(inner, inner, dense(None)))
    assert graph.name is None
    assert [layer.name for layer in graph.layers] == ["sequential_2", "sequential_3", "dense_4"]
    first = graph.layers[0].graph
    assert first is not None
    assert [layer.name for layer in first.layers] == ["dense_1", "dense_2"]


def test_the_branches_of_a_legacy_merge():
    merge = {"name": "merge_1", "mode": "sum", "mode_type": "raw", "layers": [sequential(dense("a")), dense("b")]}
    graph = read(sequential({"class_name": "Merge", "config": merge}, dense("c")))
    assert [branch.name for branch in graph.layers[0].branches] == ["sequential_2", "b"]
    assert "layers" not in graph.layers[0].config


def test_a_layer_used_again_in_a_sequential_is_the_same_layer():
    graph = read(sequential(dense("a"), dense("b"), dense("a")))
    assert graph.layers[0] is graph.layers[2]
    with pytest.raises(FormatError, match="'a' belongs to an earlier layer with another config"):
        read(sequential(dense("a"), dense("a", output_dim=4)))


@pytest.mark.parametrize(
    "dirt",
    [
        lambda text: json.dumps(text),
        lambda text: json.dumps(json.dumps(text)),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: f"\n {text}\n\x00",
        lambda text: text.replace('"keras_version": "1.2.2"', '"optimizer": {"name": "SGD"}, "loss": "mse"'),
        lambda text: text.replace("1.2.2", "1.0.3"),
    ],
)
def test_dirty_files_are_read(dirt):
    assert [layer.name for layer in read(dirt(json.dumps(sequential(dense("d"))))).layers] == ["d"]


def test_dirty_values_are_read():
    layer = dense("a", W_regularizer={"name": "WeightRegularizer", "l1": "0.0", "l2": float("nan")}, p="0.5", n="3")
    config = read(sequential(layer, dense("b", b=float("inf")))).layers[0].config
    assert (config["p"], config["n"]) == (0.5, 3)
    assert config["W_regularizer"]["name"] == "L1L2Regularizer"
    assert config["W_regularizer"]["l1"] == 0.0
    assert np.isnan(config["W_regularizer"]["l2"])


def test_a_users_own_class_of_model_is_a_model():
    value = model(X, Y)
    graph = read(model(X, {**connected("z", [["x", 0, 0]], class_name="Mine"), "config": value["config"]}, Y))
    assert graph.layers[1].class_name == "Model"
    assert graph.layers[1].graph is not None


def without(key: str, place: Callable[[Mapping], Mapping] = lambda value: value) -> Mapping:
    value = copy.deepcopy(model(X, Y))
    del place(value)[key]
    return value


MALFORMED = {
    "nothing": ("", "is empty"),
    "a number": ("1", "expected a mapping"),
    "a list": ([], "expected a mapping"),
    "no JSON": ('{"class_name": "Model"', "is not valid JSON"),
    "no text": (b"\xc3\x28{}", "is not text"),
    "a layer": (dense(), "describes a 'Dense'"),
    "no class name": (without("class_name"), "'class_name' must be"),
    "no config": (without("config"), "'config' of a Model is missing"),
    "no layers": (without("layers", lambda v: v["config"]), "'layers' must be a list"),
    "no inputs key": (without("input_layers", lambda v: v["config"]), "input_layers: expected a list"),
    "no outputs key": (without("output_layers", lambda v: v["config"]), "output_layers: expected a list"),
    "no inbound": (without("inbound_nodes", lambda v: v["config"]["layers"][1]), "layer 1 .'y'., inbound_nodes"),
    "no layer name": (without("name", lambda v: v["config"]["layers"][1]), "layer 1: .* must have a name"),
    "empty sequential": (sequential(), "without layers"),
    "a layer that is none": (sequential(dense(), 3), "layer 1: expected a mapping .* int 3"),
    "a config that is none": (sequential({"class_name": "Dense", "config": [1]}), "layer 0"),
    "a name that is none": (sequential(dense(3)), "'name' must be a string"),
    "no branches": (sequential({"class_name": "Merge", "config": {"name": "m"}}), "'m'.* needs a list of 'layers'"),
    "no wrapped layer": (sequential({"class_name": "TimeDistributed", "config": {"layer": 5}}), "its layer"),
    "sequential as mapping": ({"class_name": "Sequential", "config": {"layers": []}}, "must be a list .* Keras 2"),
    "empty outputs": (model(X, Y, outputs=[]), "output_layers is empty"),
    "the same input twice": (model(X, Y, inputs=[["x", 0, 0]] * 2), "the same tensor more than once"),
    "duplicate names": (model(X, Y, Y), "layer 2: the name 'y' belongs to an earlier layer"),
    "dangling reference": (model(X, connected("y", [["z", 0, 0]])), "'y'.*refers to a layer 'z' that is not"),
    "dangling node": (model(X, connected("y", [["x", 1, 0]])), "node 1 of 'x' .InputLayer., which has nodes 0 to 0"),
    "dangling tensor": (model(X, connected("y", [["x", 0, 1]])), "output 1 of 'x' .InputLayer., which has 1"),
    "dangling output": (model(X, Y, outputs=[["y", 2, 0]]), "output_layers refers to node 2 of 'y'"),
    "negative node": (model(X, connected("y", [["x", -1, 0]])), "expected .layer, node index, tensor index"),
    "boolean node": (model(X, connected("y", [["x", True, 0]])), "expected .layer, node index, tensor index"),
    "reference of two": (model(X, connected("y", [["x", 0]])), r"'y'.*inbound_nodes\[0\]\[0\]: expected"),
    "Keras 2 reference": (model(X, connected("y", [["x", 0, 0, {}]])), "as by Keras 2"),
    "own output": (model(X, connected("y", [["y", 0, 0]])), "in a circle: 'y' -> 'y'"),
    "circle": (model(X, connected("y", [["z", 0, 0]]), connected("z", [["y", 0, 0]])), "in a circle"),
    "nested model called as node 0": (
        model(
            X, connected("n", [["x", 0, 0]], class_name="Sequential", config=[dense()]), connected("y", [["n", 0, 0]])
        ),
        "node 0 of 'n' .Sequential., which has nodes 1 to 1",
    ),
    "nested model without a call": (
        model(X, connected("n", class_name="Sequential", config=[dense()]), connected("y", [["n", 1, 0]])),
        "'n' .Sequential., which has none",
    ),
    "Keras 2": ({**sequential(dense()), "keras_version": "2.1.6"}, "written by Keras 2.1.6"),
    "Keras 2 without version": (
        {"class_name": "Sequential", "config": [dense(kernel_initializer=None)]},
        "as by Keras 2",
    ),
    "broken inside": (
        model(X, connected("n", [["x", 0, 0]], class_name="Sequential", config=[dense(), 3]), Y),
        r"m.json: layer 1 \('n'\), layer 1: expected a mapping",
    ),
}


@pytest.mark.parametrize(("value", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_definitions_say_what_and_where(value, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(value)
    assert str(caught.value).startswith("m.json")
