"""Loading as the README has it, saving, and what a loaded model is."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bigdl.errors import (
    BigDLError,
    DataError,
    FormatError,
    MissingFileError,
    UnsupportedLayerError,
    WeightMismatchError,
)
from bigdl.graph import Input
from bigdl.layers import Dense
from bigdl.nn.layer import Model, Sequential

GOLDENS = Path(__file__).parents[1] / "goldens"
LENET = GOLDENS / "nets" / "lenet"
FULL = GOLDENS / "full" / "adam"


@pytest.fixture
def lenet() -> Model:
    return Model.load_keras(f"{LENET}.json", f"{LENET}.h5")


def golden(case: Path) -> tuple[torch.Tensor, NDArray[Any]]:
    data = np.load(f"{case}.npz")
    return torch.from_numpy(data["x0"]), data["y0"]


def close(actual, expected) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


def names_of(model: Model) -> list[str]:
    return [layer.name for layer in model.layers]


def run(model: Model, x: torch.Tensor) -> NDArray[Any]:
    with torch.inference_mode():
        return np.asarray(model.train(False)(x))


def test_the_snippet_of_the_readme():
    names: dict[str, Any] = {}
    exec("from bigdl.nn.layer import *", names)
    model = names["Model"].load_keras(f"{LENET}.json", f"{LENET}.h5", False)
    x, y = golden(LENET)
    close(run(model, x), y)


def test_bigdl_s_later_argument_names(lenet):
    again = Model.load_keras(json_path=f"{LENET}.json", hdf5_path=f"{LENET}.h5")
    for a, b in zip(lenet.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("arguments", [{"def_path": f"{FULL}.h5"}, {"hdf5_path": f"{FULL}.h5"}])
def test_a_full_save_alone(arguments):
    x, y = golden(FULL)
    close(run(Model.load_keras(**arguments), x), y)


def test_a_definition_alone_is_initialized():
    model = Model.load_keras(f"{LENET}.json")
    kernel, bias = model.get_weights()[:2]
    fan = sum(n * np.prod(kernel.shape[:2]) for n in kernel.shape[2:])
    assert 0 < np.abs(kernel).max() <= np.sqrt(6 / fan)  # glorot_uniform
    assert not bias.any()


def test_by_name_loads_layers_of_the_same_name_only(lenet, tmp_path):
    definition = json.loads(Path(f"{LENET}.json").read_text())
    first = next(layer for layer in definition["config"] if layer["class_name"] == "Convolution2D")
    first["config"]["name"] = "another"
    (tmp_path / "m.json").write_text(json.dumps(definition))
    model = Model.load_keras(tmp_path / "m.json", f"{LENET}.h5", by_name=True)
    same = [np.array_equal(a, b) for a, b in zip(model.get_weights(), lenet.get_weights(), strict=True)]
    assert same == [False, False, *[True] * (len(same) - 2)]
    report = model.load_report
    assert report is not None
    assert report.initial == ["another"]
    assert list(report.skipped) == [layer.name for layer in lenet.layers if layer.name not in names_of(model)]
    assert report.loaded == [layer.name for layer in model.layers if layer.weights and layer.name != "another"]


def test_a_loaded_model_is_a_torch_module_in_training_mode(lenet):
    assert isinstance(lenet, torch.nn.Module)
    assert isinstance(lenet, Sequential)
    assert lenet.is_training()
    assert sum(p.numel() for p in lenet.parameters()) == lenet.count_params()
    other = Model.load_keras(f"{LENET}.json")
    other.load_state_dict(lenet.state_dict())
    x, y = golden(LENET)
    close(run(other, x), y)
    close(run(copy.deepcopy(lenet), x), y)


def test_training_is_torch_s_flag_and_bigdl_s_method(lenet):
    assert lenet.training(False) is lenet
    assert not lenet.training
    assert not any(layer.training for layer in lenet.layers)
    lenet.training()
    assert lenet.training
    assert lenet.layers[0].training
    lenet.eval()
    assert not lenet.is_training()


def test_forward_takes_arrays_and_gives_arrays(lenet):
    x, y = golden(LENET)
    out = lenet.training(False).forward(x.numpy())
    assert isinstance(out, np.ndarray)
    close(out, y)


@pytest.mark.parametrize("name", ["m.bigdl", "m.h5"])
def test_save_and_load(lenet, tmp_path, name):
    lenet.save(tmp_path / name)
    again = Model.load(tmp_path / name)
    assert again.to_json() == lenet.to_json()
    x, y = golden(LENET)
    close(run(again, x), y)


def test_weights_alone_save_and_load(lenet, tmp_path):
    lenet.save_weights(tmp_path / "w.h5")
    again = Model.load_keras(f"{LENET}.json")
    again.load_weights(tmp_path / "w.h5")
    x, y = golden(LENET)
    close(run(again, x), y)


def test_save_refuses_to_replace_when_told_so(lenet, tmp_path):
    path = tmp_path / "m.bigdl"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="over_write=True"):
        lenet.saveModel(path)
    assert path.read_bytes() == b"precious"


def test_a_save_that_fails_leaves_the_old_file_whole(lenet, tmp_path, monkeypatch):
    path = tmp_path / "m.h5"
    path.write_bytes(b"precious")
    monkeypatch.setattr("bigdl.graph.weight.Weight.numpy", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lenet.save(path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_summary_shows_every_layer_and_the_totals(lenet):
    lines: list[str] = []
    lenet.summary(print_fn=lines.append)
    for layer in lenet.layers:
        assert f"{layer.name} ({type(layer).__name__})" in lines[0]
    assert f"Total params: {lenet.count_params():,}" in lines[0]


def test_get_weights_has_keras_s_order_and_set_weights_takes_it(lenet):
    shapes = [(3, 3, 1, 4), (4,)]
    weights = lenet.get_weights()
    assert [w.shape for w in weights[:2]] == [
        (*s[:-1], weights[1].shape[0]) if len(s) > 1 else weights[1].shape for s in shapes
    ]
    lenet.set_weights([2 * w for w in weights])
    for old, new in zip(weights, lenet.get_weights(), strict=True):
        np.testing.assert_array_equal(2 * old, new)


def test_freeze_and_unfreeze_by_name(lenet):
    name = next(layer.name for layer in lenet.layers if layer.weights)
    total = len(lenet.trainable_weights)
    lenet.freeze([name])
    assert len(lenet.trainable_weights) == total - 2
    assert not any(p.requires_grad for p in lenet.get_layer(name).parameters())
    lenet.unfreeze()
    assert len(lenet.trainable_weights) == total
    with pytest.raises(BigDLError, match="nope"):
        lenet.freeze(["nope"])


class TestBadInput:
    def test_nothing_given(self):
        with pytest.raises(DataError, match="needs a definition"):
            Model.load_keras()

    def test_one_argument_twice(self):
        with pytest.raises(DataError, match="json_path"):
            Model.load_keras("a.json", json_path="b.json")

    def test_missing_file(self, tmp_path):
        with pytest.raises(MissingFileError, match=r"nope\.json"):
            Model.load_keras(tmp_path / "nope.json")
        with pytest.raises(MissingFileError, match=r"nope\.h5"):
            Model.load_keras(f"{LENET}.json", tmp_path / "nope.h5")

    @pytest.mark.parametrize("size", [0, 100, 0.5])
    def test_truncated_hdf5(self, tmp_path, size):
        whole = Path(f"{LENET}.h5").read_bytes()
        (tmp_path / "w.h5").write_bytes(whole[: int(size * len(whole)) if isinstance(size, float) else size])
        with pytest.raises(FormatError, match=r"w\.h5"):
            Model.load_keras(f"{LENET}.json", tmp_path / "w.h5")

    @pytest.mark.parametrize("text", ["", "[1]", "{}", '{"class_name": "Sequential"}', "hello", '{"a": ', "null"])
    def test_json_that_is_no_model(self, tmp_path, text):
        (tmp_path / "m.json").write_text(text)
        with pytest.raises(FormatError, match=r"m\.json"):
            Model.load_keras(tmp_path / "m.json")

    def test_weights_alone_as_definition(self, tmp_path):
        shutil.copy(f"{LENET}.h5", tmp_path / "w.h5")
        with pytest.raises(FormatError, match="definition"):
            Model.load_keras(tmp_path / "w.h5")

    def test_weights_of_another_model_by_position(self, tmp_path):
        other = Sequential([Dense(3, input_dim=4, name="other")])
        other.save_weights(tmp_path / "w.h5")
        with pytest.raises(WeightMismatchError) as error:
            Model.load_keras(f"{LENET}.json", tmp_path / "w.h5")
        for part in ("w.h5", "1 layers", "4 layers", "other", "by_name"):
            assert part in str(error.value)

    def test_weights_of_another_shape_by_position_and_by_name(self, tmp_path):
        Sequential([Dense(3, input_dim=4, name="d")]).save_weights(tmp_path / "w.h5")
        (tmp_path / "m.json").write_text(Sequential([Dense(5, input_dim=4, name="d")]).to_json())
        for by_name in (False, True):
            with pytest.raises(WeightMismatchError) as error:
                Model.load_keras(tmp_path / "m.json", tmp_path / "w.h5", by_name)
            for part in ("'d'", "Dense", "w.h5", "(4, 5)", "(4, 3)"):
                assert part in str(error.value)
        model = Model.load_keras(tmp_path / "m.json", tmp_path / "w.h5", True, skip_mismatch=True)
        assert model.get_weights()[0].shape == (4, 5)

    def test_unknown_layer_is_named_with_its_class_and_the_remedy(self, tmp_path):
        config = {"class_name": "Sequential", "config": [{"class_name": "Densy", "config": {"name": "odd"}}]}
        (tmp_path / "m.json").write_text(json.dumps(config))
        with pytest.raises(UnsupportedLayerError) as error:
            Model.load_keras(tmp_path / "m.json")
        for part in ("'odd'", "'Densy'", "custom_objects", "register_layer"):
            assert part in str(error.value)

    def test_weights_that_do_not_fit_change_nothing(self, tmp_path):
        model = Sequential([Dense(2, input_dim=2), Dense(2)])
        before = model.get_weights()
        Sequential([Dense(2, input_dim=2), Dense(3)]).save_weights(tmp_path / "w.h5")
        with pytest.raises(WeightMismatchError):
            model.load_weights(tmp_path / "w.h5")
        with pytest.raises(WeightMismatchError):
            model.set_weights([np.ones((2, 2)), np.ones(2), np.ones((2, 2)), np.ones(3)])
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_a_disconnected_model(self):
        a, b = Input(shape=(2,)), Input(shape=(2,))
        with pytest.raises(BigDLError, match="not among its inputs"):
            Model(input=a, output=Dense(1)(b)).summary()
