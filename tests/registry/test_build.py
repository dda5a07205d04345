"""From descriptions to graphs: order of calls, references, names, nesting, and errors that say where."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from bigdl.errors import BigDLError, FormatError, LayerError, UnsupportedLayerError
from bigdl.formats.spec import GraphSpec, LayerSpec, TensorRef
from bigdl.models import Model, Sequential
from bigdl.registry import build_graph

Ref = tuple[str, int, int]


def entry(name: str, class_name: str, *calls: Sequence[Ref], **config: Any) -> LayerSpec:
    inbound = tuple(tuple(TensorRef(*ref) for ref in call) for call in calls)
    return LayerSpec(class_name, name, config, inbound)


def source(name: str = "x", *shape: int | None) -> LayerSpec:
    return entry(name, "InputLayer", batch_input_shape=[None, *(shape or (2,))])


def dense(name: str, *calls: Sequence[Ref], units: int = 2, **config: Any) -> LayerSpec:
    return entry(name, "Dense", *calls, output_dim=units, **config)


def add(name: str, *call: Ref) -> LayerSpec:
    return entry(name, "Merge", call, mode="sum", mode_type="raw")


def graph(*layers: LayerSpec, inputs: Sequence[Ref] = (("x", 0, 0),), outputs: Sequence[Ref]) -> GraphSpec:
    return GraphSpec(
        "Model", "m", layers, tuple(TensorRef(*ref) for ref in inputs), tuple(TensorRef(*ref) for ref in outputs)
    )


def chain(*layers: LayerSpec) -> GraphSpec:
    return GraphSpec("Sequential", "s", layers)


def nested(name: str, inner: GraphSpec, *calls: Sequence[Ref]) -> LayerSpec:
    inbound = tuple(tuple(TensorRef(*ref) for ref in call) for call in calls)
    return LayerSpec(inner.kind, name, {}, inbound, inner)


def test_layers_in_any_order():
    layers = [
        add("sum", ("a", 0, 0), ("b", 0, 0)),
        dense("b", [("a", 0, 0)]),
        source(),
        dense("a", [("x", 0, 0)]),
    ]
    for order in (layers, layers[::-1]):
        model = build_graph(graph(*order, outputs=[("sum", 0, 0)]))
        assert [layer.name for layer in model.layers] == ["x", "a", "b", "sum"]
        assert isinstance(model, Model)


def test_the_calls_of_a_layer_keep_their_order():
    # The first call of "a" needs "b", which is made last; the second needs only the input.
    spec = graph(
        source(),
        dense("a", [("b", 0, 0)], [("x", 0, 0)]),
        dense("b", [("x", 0, 0)]),
        outputs=[("a", 0, 0), ("a", 1, 0)],
    )
    model = build_graph(spec)
    a, b = model.get_layer("a"), model.get_layer("b")
    x = torch.randn(3, 2)
    first, second = model(x)
    assert torch.equal(first, a(b(x)))
    assert torch.equal(second, a(x))


def test_a_layer_on_its_own_output():
    model = build_graph(graph(source(), dense("a", [("x", 0, 0)], [("a", 0, 0)]), outputs=[("a", 1, 0)]))
    x = torch.randn(3, 2)
    assert torch.equal(model(x), model.get_layer("a")(model.get_layer("a")(x)))


def test_the_first_call_of_an_inner_model_is_its_node_1():
    inner = graph(source("i"), dense("d", [("i", 0, 0)], units=3), inputs=[("i", 0, 0)], outputs=[("d", 0, 0)])
    for inner_model in (inner, chain(dense("d", units=3, input_dim=2))):
        model = build_graph(graph(source(), nested("inner", inner_model, [("x", 0, 0)]), outputs=[("inner", 1, 0)]))
        assert model.output_shape == (None, 3)
        assert [layer.name for layer in model.layers] == ["x", "inner"]


def test_outputs_of_inner_models_by_number():
    inner = graph(
        source("i"),
        dense("one", [("i", 0, 0)], units=1),
        dense("two", [("i", 0, 0)], units=2),
        inputs=[("i", 0, 0)],
        outputs=[("one", 0, 0), ("two", 0, 0)],
    )
    spec = graph(
        source(),
        nested("inner", inner, [("x", 0, 0)], [("inner", 1, 1)]),
        outputs=[("inner", 2, 0), ("inner", 1, 1)],
    )
    assert build_graph(spec).output_shape == [(None, 1), (None, 2)]


def test_thousands_of_layers():
    layers = [source(), *(dense(f"d{i}", [(f"d{i - 1}" if i else "x", 0, 0)]) for i in range(2000))]
    assert len(build_graph(graph(*reversed(layers), outputs=[("d1999", 0, 0)])).layers) == 2001


def test_a_name_again_is_the_same_layer_in_a_sequential():
    model = build_graph(chain(dense("a", input_dim=2), dense("a", input_dim=2), dense("b", units=3)))
    assert isinstance(model, Sequential)
    assert [layer.name for layer in model.layers] == ["a", "a", "b"]
    assert model.layers[0] is model.layers[1]
    assert len(model.weights) == 4


def test_a_name_again_is_the_same_layer_in_inner_sequentials_too():
    inner = chain(dense("a", input_dim=2))
    model: Any = build_graph(chain(nested("s1", inner), nested("s2", inner)))
    assert model.layers[0] is not model.layers[1]
    assert model.layers[0].layers[0] is model.layers[1].layers[0]


def test_names_of_inner_models_are_those_of_the_description():
    model = build_graph(chain(nested("sequential_7", chain(dense("a", input_dim=2)))))
    assert [layer.name for layer in model.layers] == ["sequential_7"]


@pytest.mark.parametrize(
    ("spec", "kind", "reason"),
    [
        (
            graph(source(), dense("a", [("y", 0, 0)]), outputs=[("a", 0, 0)]),
            FormatError,
            "output 0 of call 0 of 'y'; there is none",
        ),
        (
            graph(source(), dense("a", [("x", 1, 0)]), outputs=[("a", 0, 0)]),
            FormatError,
            "output 0 of call 1 of 'x'; there is none",
        ),
        (
            graph(source(), dense("a", [("x", 0, 0)]), outputs=[("a", 0, 1)]),
            FormatError,
            "output 1 of call 0 of 'a'; there is none",
        ),
        (
            graph(source(), dense("a", [("b", 0, 0)]), dense("b", [("a", 0, 0)]), outputs=[("b", 0, 0)]),
            FormatError,
            "feed each other in a circle: 'a' -> 'b' -> 'a'|feed each other in a circle: 'b' -> 'a' -> 'b'",
        ),
        (
            graph(source(), entry("a", "Improbable", [("x", 0, 0)]), outputs=[("a", 0, 0)]),
            UnsupportedLayerError,
            "Layer 'a' is of class 'Improbable'",
        ),
        (
            graph(source("x", 2, 3), entry("a", "RepeatVector", [("x", 0, 0)], n=2), outputs=[("a", 0, 0)]),
            LayerError,
            r"Layer 'a' \(RepeatVector\) expects an input of rank 2",
        ),
        (
            graph(source(), add("a", ("x", 0, 0)), outputs=[("a", 0, 0)]),
            LayerError,
            r"Layer 'a' \(Merge\): it needs a list of at least two tensors",
        ),
        (
            graph(source(), source("y"), add("a", ("x", 0, 0), ("y", 0, 0)), outputs=[("a", 0, 0)]),
            LayerError,
            "depend on 'y'",
        ),
        (chain(dense("a")), LayerError, r"its first layer, 'a' \(Dense\), must be given input_shape"),
        (
            chain(dense("a", input_dim=2), entry("c", "Convolution2D", nb_filter=1, nb_row=1, nb_col=1)),
            LayerError,
            r"Layer 'c' \(Convolution2D\) expects an input of rank 4",
        ),
        (
            chain(nested("inner", chain(entry("deep", "Improbable")))),
            UnsupportedLayerError,
            "Layer 'deep' is of class 'Improbable'",
        ),
    ],
)
def test_errors_say_where(spec, kind, reason):
    with pytest.raises(BigDLError, match=reason) as raised:
        build_graph(spec)
    assert type(raised.value) is kind


def test_the_branches_of_a_merge():
    branches = tuple(nested(f"s{i}", chain(dense(f"d{i}", input_dim=2))) for i in range(2))
    first = LayerSpec("Merge", "both", {"mode": "concat", "mode_type": "raw"}, branches=branches)
    model = build_graph(chain(first, dense("top", units=1)))
    assert [layer.name for layer in model.weight_layers] == ["d0", "d1", "top"]
    assert model([torch.ones(1, 2), torch.ones(1, 2)]).shape == (1, 1)


def test_the_branches_of_a_merge_may_be_merged_themselves():
    def merged(name: str, *branches: LayerSpec) -> GraphSpec:
        first = LayerSpec("Merge", name, {"mode": "sum", "mode_type": "raw"}, branches=branches)
        return chain(first, dense(f"{name}_top"))

    leaves = [nested(f"s{i}", chain(dense(f"d{i}", input_dim=2))) for i in range(3)]
    model = build_graph(merged("outer", leaves[0], nested("inner_model", merged("inner", *leaves[1:]))))
    assert [layer.name for layer in model.weight_layers] == ["d0", "d1", "d2", "inner_top", "outer_top"]
