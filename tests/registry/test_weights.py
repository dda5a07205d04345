"""From a file's arrays into layers: by position, by name, through weight converters; reports and messages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bigdl.errors import FormatError, WeightMismatchError
from bigdl.formats.spec import LayerArrays, StoredArray, WeightsSpec
from bigdl.graph import Input, Layer
from bigdl.layers import BatchNormalization, Convolution1D, Dense, Dropout, TimeDistributed
from bigdl.models import Model, Sequential
from bigdl.registry import classes, load_by_name, load_by_position, make_layer, register_layer

Array = NDArray[Any]


@pytest.fixture(autouse=True)
def own_entries(monkeypatch):
    """Takes back what a test registers."""
    monkeypatch.setattr(classes, "_entries", dict(classes._entries))


def file(named: bool = True, /, **layers: Sequence[Array]) -> WeightsSpec:
    """A file of weights: arrays by layer."""
    found = [
        LayerArrays(name, tuple(StoredArray.of(f"{name}_{i}:0", array) for i, array in enumerate(arrays)))
        for name, arrays in layers.items()
    ]
    return WeightsSpec(tuple(found), named, "weights.h5")


def dense(rows: int, columns: int, value: float = 1.0) -> list[Array]:
    return [np.full((rows, columns), value, "float32"), np.full(columns, value, "float32")]


def two_layers() -> Any:
    return Sequential([Dense(3, input_dim=2, name="a"), Dropout(0.5, name="d"), Dense(4, name="b")])


def values(model: Any) -> list[float]:
    return [float(array.flat[0]) for array in model.get_weights()]


def test_by_position_names_play_no_part_and_layers_without_weights_do_not_count():
    model = two_layers()
    report = load_by_position(model, file(x=dense(2, 3, 5), nothing=[], y=dense(3, 4, 7)))
    assert values(model) == [5, 5, 7, 7]
    assert (report.loaded, report.skipped, report.initial) == (["a", "b"], {}, [])


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (
            {"a": dense(2, 3)},
            r"weights.h5 holds weights of 1 layers, the model 'sequential_1' has 2 layers with weights\. "
            r"In the file: a; in the model: a, b\. .* by_name=True",
        ),
        (
            {"a": dense(2, 3), "c": dense(3, 5)},
            r"Layer 'b' \(Dense, number 1 of those with weights\) and 'c' of weights.h5: "
            r"'W' must have shape \(3, 4\)\. Received: 'c_0:0' with shape \(3, 5\)",
        ),
        (
            {"a": dense(2, 3), "b": dense(3, 4)[:1]},
            r"Layer 'b' .*: the layer expects 2 arrays \(W\(3, 4\), b\(4,\)\)\. Received: 1 \(b_0:0\(3, 4\)\)",
        ),
    ],
)
def test_weights_of_another_model(stored, reason):
    model = two_layers()
    before = model.get_weights()
    with pytest.raises(WeightMismatchError, match=reason):
        load_by_position(model, file(**stored))
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def test_long_lists_of_names_are_cut():
    stored = {f"layer_{i}": dense(1, 1) for i in range(100)}
    with pytest.raises(WeightMismatchError, match=r"layer_7, \.\.\. \(100 in all\)"):
        load_by_position(two_layers(), file(**stored))


def test_by_name():
    model = two_layers()
    before = values(model)
    report = load_by_name(model, file(b=dense(3, 4, 7), d=[], c=dense(9, 9), e=[]))
    assert values(model) == [*before[:2], 7, 7]
    assert report.loaded == ["b"]
    assert report.skipped == {"c": "no layer of this name in the model"}
    assert report.initial == ["a"]


def test_by_name_mismatches_are_errors_unless_they_may_be_skipped():
    model = two_layers()
    before = values(model)
    stored = file(a=dense(2, 3, 5), b=dense(3, 5, 7))
    with pytest.raises(WeightMismatchError, match=r"Layer 'b' \(Dense\) and 'b' of weights.h5: 'W' must have shape"):
        load_by_name(model, stored)
    assert values(model) == before
    report = load_by_name(model, stored, skip_mismatch=True)
    assert values(model) == [5, 5, *before[2:]]
    assert report.loaded == ["a"]
    assert report.initial == ["b"]
    assert "must have shape (3, 4)" in report.skipped["b"]


@pytest.mark.parametrize("load", [load_by_position, load_by_name])
def test_an_array_that_cannot_be_read_changes_nothing(load):
    def fail() -> Array:
        raise FormatError("weights.h5 is damaged")

    model = two_layers()
    before = [array.copy() for array in model.get_weights()]
    damaged = StoredArray("b_1:0", (4,), np.dtype("float32"), fail)
    good = file(a=dense(2, 3, 5), b=dense(3, 4, 7)).layers
    stored = WeightsSpec((good[0], LayerArrays("b", (good[1].arrays[0], damaged))), True, "weights.h5")
    with pytest.raises(FormatError, match="damaged"):
        load(model, stored)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_oldest_files_have_no_names():
    model = two_layers()
    stored = file(False, layer_0=dense(2, 3, 5), layer_1=[], layer_2=dense(3, 4, 7))
    with pytest.raises(WeightMismatchError, match=r"weights.h5 is of the oldest kind, .* by position only"):
        load_by_name(model, stored)
    load_by_position(model, stored)
    assert values(model) == [5, 5, 7, 7]


def test_arrays_of_any_dtype():
    model = two_layers()
    load_by_position(
        model, file(a=[x.astype(">f8") for x in dense(2, 3, 5)], b=[x.astype("f2") for x in dense(3, 4, 7)])
    )
    assert values(model) == [5, 5, 7, 7]
    assert {array.dtype for array in model.get_weights()} == {np.dtype("float32")}


def transposed(layer: Layer, arrays: Sequence[StoredArray]) -> list[Any]:
    """The weight converter of a layer that keeps its matrix the other way round, and no bias."""
    W = arrays[0].read().T
    return [W, np.zeros(W.shape[1], "float32")]


def test_a_weight_converter():
    """With a layer converter: a class of the user's files as a layer that is there."""
    register_layer("Transposed", lambda config: Dense(config["units"], name=config["name"]), transposed)
    layer: Any = make_layer("Transposed", {"name": "mine", "units": 3})
    model = Sequential([Dense(2, input_dim=4, name="first"), layer])
    W = np.arange(6, dtype="float32").reshape(3, 2)
    load_by_position(model, file(first=dense(4, 2), mine=[W]))
    assert layer.get_weights()[0].tolist() == W.T.tolist()
    load_by_name(model, file(mine=[2 * W]))
    assert layer.get_weights()[0].tolist() == (2 * W.T).tolist()


def test_a_weight_converter_does_not_touch_other_layers():
    register_layer("Transposed", lambda config: Dense(config["units"], name=config["name"]), transposed)
    model = two_layers()
    load_by_position(model, file(a=dense(2, 3, 5), b=dense(3, 4, 7)))
    assert values(model) == [5, 5, 7, 7]


def doubled(layer: Layer, arrays: Sequence[StoredArray]) -> list[Any]:
    return [2 * array.read() for array in arrays]


@pytest.mark.parametrize("wrapped", ["model", "sequential", "time_distributed"])
def test_a_weight_converter_of_an_inner_layer(wrapped):
    register_layer("Doubled", lambda config: Dense(2, name=config["name"]), doubled)
    layer = make_layer("Doubled", {"name": "mine"})
    x = Input((3,))
    if wrapped == "model":
        model = Sequential([Model(x, BatchNormalization()(layer(x)), name="inner")])
        stored = [*dense(3, 2), *(np.full(2, 3, "float32") for _ in range(4))]
        expected = [2, 2, 3, 3, 3, 3]
    elif wrapped == "sequential":
        model = Sequential([Sequential([Dense(3, input_dim=4), layer])])
        stored, expected = [*dense(4, 3), *dense(3, 2)], [1, 1, 2, 2]
    else:
        model = Sequential([TimeDistributed(layer, input_shape=(5, 3))])
        stored, expected = dense(3, 2), [2, 2]
    load_by_position(model, file(outer=stored))
    assert values(model) == expected


@pytest.mark.parametrize(
    ("convert", "reason"),
    [
        (lambda layer, arrays: [arrays[5]], "the weight converter of 'mine' failed: tuple index out of range"),
        (lambda layer, arrays: None, "the weight converter of 'mine' failed"),
        (lambda layer, arrays: [np.zeros(1)], "the layer expects 2 arrays .* Received: 1"),
        (
            lambda layer, arrays: [np.zeros((9, 9)), np.zeros(9)],
            r"'W' must have shape \(2, 3\)\. Received: 'mine' with",
        ),
    ],
)
def test_weight_converters_that_go_wrong(convert, reason):
    register_layer("Odd", lambda config: Dense(3, input_dim=2), convert)
    model = Sequential([make_layer("Odd", {"name": "mine"})])
    with pytest.raises(WeightMismatchError, match=f"Layer 'mine' .*{reason}"):
        load_by_position(model, file(mine=dense(2, 3)))


def test_an_inner_weight_converter_cannot_change_the_number_of_arrays():
    register_layer("Odd", lambda config: Dense(3, input_dim=2), lambda layer, arrays: arrays[:1])
    model = Sequential([Sequential([make_layer("Odd", {"name": "mine"})], name="inner")])
    with pytest.raises(WeightMismatchError, match="the weight converter of 'mine' must return 2 arrays"):
        load_by_position(model, file(inner=dense(2, 3)))


@pytest.mark.parametrize("filters", [4, 3])
def test_kernels_of_older_sequences(filters):
    model = Sequential([Convolution1D(filters, 3, input_shape=(8, 3))])
    kernel = np.random.default_rng(0).normal(size=(filters, 3, 3, 1)).astype("float32")
    load_by_position(model, file(c=[kernel, np.zeros(filters)]))
    np.testing.assert_array_equal(model.get_weights()[0], kernel.transpose(2, 3, 1, 0))
