"""The ordering that a description shows for layers whose configuration lacks it."""

from typing import Any

import pytest

from bigdl.formats import architecture
from bigdl.formats.dim_ordering import fill_orderings, infer_orderings, unordered_layers
from bigdl.formats.spec import GraphSpec


def entry(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, **config}}


def chain(*entries: dict[str, Any]) -> GraphSpec:
    return architecture(list(entries), "Sequential")


def node(class_name: str, name: str, *sources: str, **config: Any) -> dict[str, Any]:
    inbound = [[[source, 0, 0] for source in sources]] if sources else []
    return {**entry(class_name, name, **config), "name": name, "inbound_nodes": inbound}


def ordering(graph: GraphSpec, name: str) -> Any:
    return next(spec for spec in graph.layers if spec.name == name).config.get("dim_ordering")


PAD, CROP = entry("ZeroPadding2D", "pad"), entry("Cropping3D", "crop")
TH, TF = entry("Convolution2D", "th", dim_ordering="th"), entry("MaxPooling2D", "tf", dim_ordering="tf")


def test_which_layers_lack_theirs():
    graph = chain(PAD, TH, CROP, entry("Dense", "dense"), entry("ZeroPadding1D", "sequence"))
    assert unordered_layers(graph) == ["pad", "crop"]
    assert unordered_layers(chain(entry("UpSampling2D", "a", dim_ordering="default"))) == ["a"]
    assert unordered_layers(chain(entry("UpSampling2D", "a", dim_ordering="nonsense"))) == []


def test_all_take_what_all_others_say():
    graph = infer_orderings(chain(PAD, entry("Dense", "dense"), TH, CROP))
    assert (ordering(graph, "pad"), ordering(graph, "crop")) == ("th", "th")
    assert ordering(graph, "dense") is None
    assert unordered_layers(graph) == []


def test_nothing_follows_from_nothing():
    graph = chain(PAD, entry("Dense", "dense"))
    assert infer_orderings(graph) is graph


def test_the_nearest_decide_where_not_all_agree():
    far = [entry("Activation", f"a{i}") for i in range(2)]
    graph = infer_orderings(chain(TH, PAD, *far, entry("Cropping2D", "crop"), TF))
    assert (ordering(graph, "pad"), ordering(graph, "crop")) == ("th", "tf")


def test_what_lies_between_two_orderings_stays_open():
    graph = infer_orderings(chain(TH, PAD, TF))
    assert unordered_layers(graph) == ["pad"]


def test_neighbours_in_a_graph():
    layers = [
        node("InputLayer", "x", batch_input_shape=[None, 3, 8, 8]),
        node("InputLayer", "y", batch_input_shape=[None, 8, 8, 3]),
        node("Convolution2D", "th", "x", dim_ordering="th"),
        node("ZeroPadding2D", "pad", "th"),
        node("Flatten", "a", "pad"),
        node("UpSampling2D", "up", "y"),
        node("MaxPooling2D", "tf", "up", dim_ordering="tf"),
        node("Flatten", "b", "tf"),
        node("Merge", "m", "a", "b", mode="concat"),
    ]
    config = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0], ["y", 0, 0]], "output_layers": [["m", 0, 0]]}
    graph = infer_orderings(architecture(config, "Model"))
    assert (ordering(graph, "pad"), ordering(graph, "up")) == ("th", "tf")


def test_layers_inside_models_wrappers_and_branches():
    inner = {"class_name": "Sequential", "config": [TH, entry("ZeroPadding2D", "inner")]}
    wrapped = entry("TimeDistributed", "time", layer=entry("ZeroPadding2D", "wrapped"))
    model_in_wrapper = entry("TimeDistributed", "deep", layer={"class_name": "Sequential", "config": [PAD]})
    merge = entry("Merge", "merge", mode="sum", layers=[inner, {"class_name": "Sequential", "config": [CROP]}])
    graph = chain(merge, wrapped, model_in_wrapper)
    assert unordered_layers(graph) == ["inner", "crop", "time", "deep"]
    filled = infer_orderings(graph)
    assert unordered_layers(filled) == []
    _, time, deep = filled.layers
    assert time.config["layer"]["config"]["dim_ordering"] == "th"
    assert deep.config["layer"]["config"][0]["config"]["dim_ordering"] == "th"
    assert "dim_ordering" not in time.config


@pytest.mark.parametrize("value", ["th", "tf"])
def test_filling_changes_only_what_lacks_it(value):
    graph = fill_orderings(chain(PAD, TH, TF), value)
    assert [spec.config.get("dim_ordering") for spec in graph.layers] == [value, "th", "tf"]
    assert "dim_ordering" not in PAD["config"]


@pytest.mark.parametrize("layer", [None, 3, {}, {"class_name": "X"}, {"config": []}, {"class_name": [], "config": 4}])
def test_wrappers_of_nonsense_are_left_alone(layer):
    spec = chain(TH, entry("Dense", "odd")).layers[1]
    odd = GraphSpec("Sequential", None, (type(spec)("TimeDistributed", "odd", {"layer": layer}),))
    assert fill_orderings(odd, "th").layers[0].config == {"layer": layer}
