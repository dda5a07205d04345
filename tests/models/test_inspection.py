"""bigdl.inspect: what is in the files, and a verdict that is the one of load_keras."""

import json
from pathlib import Path
from typing import Any

import h5py
import pytest

import bigdl
from bigdl.errors import BigDLError, DataError, MissingFileError
from bigdl.graph import Layer
from bigdl.layers import settings
from bigdl.models import Inspection, Model
from tests.golden_cases import CASES, REFUSALS, Case, Refusal

GOLDENS = Path(__file__).parents[1] / "goldens"
LENET = GOLDENS / "nets" / "lenet"


def written(tmp_path: Path, definition: Any) -> Path:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(definition))
    return path


def changed(tmp_path: Path, case: Path, change: Any) -> Path:
    """Writes a golden's definition after a change of its list of layers."""
    definition = json.loads(case.with_suffix(".json").read_text())
    config = definition["config"]
    change(config if isinstance(config, list) else config["layers"])
    return written(tmp_path, definition)


def layer(inspection: Inspection, name: str) -> Any:
    return next(each for each in inspection.layers if each.name == name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_golden_is_said_to_load_with_the_shapes_of_its_file(case: Case):
    settings.set_image_dim_ordering(case.ordering)
    inspection = bigdl.inspect(case.definition, case.weights, by_name=bool(case.notes.get("by_name")))
    assert inspection.problems == ()
    assert inspection.loads
    assert str(inspection).endswith("The model loads.")
    if case.family != "weights":  # those hold layouts and layers that differ from the model's on purpose
        weights = [weight for each in inspection.layers for weight in each.weights]
        assert [weight.found for weight in weights] == [weight.expected for weight in weights]
        stored = [array for arrays in case.stored_weights() for array in arrays]
        assert inspection.params == sum(array.size for array in stored)
        assert inspection.unused == ()


@pytest.mark.parametrize("refusal", [r for r in REFUSALS if r.stage != "predict"], ids=lambda refusal: refusal.name)
def test_every_refusal_is_foreseen(refusal: Refusal, tmp_path):
    path = written(tmp_path, refusal.definition)
    inspection = bigdl.inspect(path, refusal.weights, refusal.by_name)
    assert not inspection.loads
    with pytest.raises(BigDLError) as raised:
        Model.load_keras(path, refusal.weights, refusal.by_name)
    assert type(raised.value).__name__ in ("LayerError", "FormatError", "UnsupportedLayerError", "WeightMismatchError")
    assert f"The model does not load: {len(inspection.problems)} problem" in str(inspection)


def test_what_is_known_of_lenet():
    inspection = bigdl.inspect(f"{LENET}.json", f"{LENET}.h5")
    assert (inspection.kind, inspection.keras_version, inspection.backend) == ("Sequential", "1.2.2", "tensorflow")
    dense = next(each for each in inspection.layers if each.class_name == "Dense")
    kernel, bias = dense.weights
    assert kernel.expected is not None
    assert dense.params == (kernel.expected[0] + 1) * kernel.expected[1]
    assert (kernel.name, kernel.stored_as) == ("W", f"{dense.name}_W:0")
    assert bias.expected == kernel.expected[1:]
    assert dense.output_shapes == ((None, kernel.expected[1]),)
    assert dense.supported
    assert dense.problem is None


def test_a_layer_that_is_not_known_does_not_hide_the_others(tmp_path):
    def change(layers: list[Any]) -> None:
        layers[1]["class_name"] = "MyAttention"
        layers[-1]["config"]["activation"] = "my_activation"

    path = changed(tmp_path, LENET, change)
    inspection = bigdl.inspect(path)
    first, unknown, *_, last = inspection.layers
    assert first.output_shapes
    assert first.problem is None
    assert not unknown.supported
    assert "'MyAttention'" in (unknown.problem or "")
    assert "my_activation" in (last.problem or "")
    assert len(inspection.problems) == 2
    assert inspection.layers[2].output_shapes == ()
    assert inspection.layers[2].problem is None
    assert "NOT SUPPORTED" in str(inspection)
    assert "not built" in str(inspection)


def test_branches_beside_a_layer_that_is_not_known_are_built(tmp_path):
    def node(name: str, class_name: str, sources: list[str], **config: Any) -> dict[str, Any]:
        inbound = [[[source, 0, 0] for source in sources]] if sources else []
        return {"name": name, "class_name": class_name, "config": {"name": name, **config}, "inbound_nodes": inbound}

    layers = [
        node("x", "InputLayer", [], batch_input_shape=[None, 4], input_dtype="float32"),
        node("a", "Unknown", ["x"]),
        node("b", "Dense", ["x"], output_dim=3),
        node("c", "Merge", ["a", "b"], mode="concat"),
    ]
    config = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["c", 0, 0]]}
    inspection = bigdl.inspect(written(tmp_path, {"class_name": "Model", "config": config}))
    assert layer(inspection, "b").output_shapes == ((None, 3),)
    assert layer(inspection, "c").output_shapes == ()
    assert len(inspection.problems) == 1


def test_a_layer_inside_a_model_is_shown_with_its_own_arrays():
    inspection = bigdl.inspect(GOLDENS / "nested/sequential_in_model.json", GOLDENS / "nested/sequential_in_model.h5")
    inner = [each for each in inspection.layers if each.depth == 1 and each.weights]
    assert inner
    assert all(weight.found == weight.expected for each in inner for weight in each.weights)
    assert all(weight.stored_as.startswith(each.name) for each in inner for weight in each.weights if weight.stored_as)


def test_weights_of_another_model(tmp_path):
    inspection = bigdl.inspect(f"{LENET}.json", GOLDENS / "full" / "adam.h5")
    assert not inspection.loads
    assert len(inspection.problems) == 1
    assert "Are these weights of another model?" in inspection.problems[0]
    assert "NOT IN THE FILE" in str(inspection)


def test_an_array_of_another_shape_is_shown_beside_the_expected_one(tmp_path):
    def change(layers: list[Any]) -> None:
        layers[-2]["config"]["output_dim"] += 1

    path = changed(tmp_path, LENET, change)
    inspection = bigdl.inspect(path, f"{LENET}.h5")
    dense = [each for each in inspection.layers if each.class_name == "Dense"][-1]
    kernel = dense.weights[0]
    assert kernel.found is not None
    assert kernel.expected == (kernel.found[0], kernel.found[1] + 1)
    assert f"W {kernel.expected} IN THE FILE {kernel.found}" in str(inspection)
    assert not inspection.loads


def test_weights_by_name_that_no_layer_takes_are_listed(tmp_path):
    def change(layers: list[Any]) -> None:
        layers[-2]["config"]["name"] = "new_head"

    path = changed(tmp_path, LENET, change)
    inspection = bigdl.inspect(path, f"{LENET}.h5", by_name=True)
    assert inspection.loads
    assert len(inspection.unused) == 1
    assert "for no layer of the model" in str(inspection)


def test_a_file_of_weights_alone():
    inspection = bigdl.inspect(f"{LENET}.h5")
    assert not inspection.loads
    assert inspection.kind is None
    assert inspection.backend == "tensorflow"
    assert inspection.unused
    assert "holds no definition" in inspection.problems[0]


def test_damaged_weights_do_not_hide_the_definition(tmp_path):
    damaged = tmp_path / "weights.h5"
    damaged.write_bytes((LENET.with_suffix(".h5")).read_bytes()[:3000])
    inspection = bigdl.inspect(f"{LENET}.json", damaged)
    assert inspection.layers[0].output_shapes
    assert len(inspection.problems) == 1
    assert "weights.h5" in inspection.problems[0]


def test_a_damaged_part_of_a_full_save_does_not_hide_the_definition(tmp_path):
    path = tmp_path / "full.h5"
    path.write_bytes((GOLDENS / "full" / "adam.h5").read_bytes())
    with h5py.File(path, "a") as file:
        del file["model_weights"].attrs["layer_names"]
    inspection = bigdl.inspect(path)
    assert inspection.layers[0].output_shapes
    assert not inspection.loads


def test_a_full_save_shows_its_optimizer():
    assert bigdl.inspect(GOLDENS / "full" / "adam.h5").optimizer == "Adam"


def test_the_weights_path_alone_is_a_full_save():
    assert bigdl.inspect(None, GOLDENS / "full" / "adam.h5").loads


def test_no_file_at_all():
    with pytest.raises(DataError, match="needs a file"):
        bigdl.inspect()


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(MissingFileError):
        bigdl.inspect(tmp_path / "missing.json")
    with pytest.raises(MissingFileError):
        bigdl.inspect(f"{LENET}.json", tmp_path / "missing.h5")


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary")
    inspection = bigdl.inspect(path)
    assert not inspection.loads
    assert inspection.layers == ()
    assert "notes.txt" in str(inspection)


class Doubled(Layer):
    """A user's layer."""


def test_custom_objects_are_taken_into_account(tmp_path):
    def change(layers: list[Any]) -> None:
        layers[1] = {"class_name": "Doubled", "config": {"name": "mine"}}

    path = changed(tmp_path, LENET, change)
    assert not bigdl.inspect(path).loads
    assert bigdl.inspect(path, custom_objects={"Doubled": Doubled}).loads


def test_a_function_that_is_understood_is_shown():
    inspection = bigdl.inspect(GOLDENS / "lambdas" / "argument.json")
    assert inspection.loads
    (text,) = layer(inspection, "scaled").functions
    assert "BINARY_MULTIPLY" in text
    assert "never run" in str(inspection)


def test_a_function_that_is_not_understood_is_shown_once(tmp_path):
    def change(layers: list[Any]) -> None:
        code = next(each for each in layers if each["class_name"] == "Lambda")["config"]
        code["arguments"] = {"scale": {"not": "a number"}}

    path = changed(tmp_path, GOLDENS / "lambdas" / "argument", change)
    inspection = bigdl.inspect(path)
    assert not inspection.loads
    assert not layer(inspection, "scaled").supported
    assert str(inspection).count("BINARY_MULTIPLY") == 1


def test_names_cannot_send_control_characters_to_the_terminal(tmp_path):
    def change(layers: list[Any]) -> None:
        layers[0]["config"]["name"] = "\x1b[2Jgone"

    text = str(bigdl.inspect(changed(tmp_path, LENET, change)))
    assert "\x1b" not in text
    assert "\\x1b[2Jgone" in text


def test_no_memory_is_taken(tmp_path):
    size = 100_000  # 40 GB
    config = [{"class_name": "Dense", "config": {"name": "d", "output_dim": size, "batch_input_shape": [None, size]}}]
    inspection = bigdl.inspect(written(tmp_path, {"class_name": "Sequential", "config": config}))
    assert inspection.loads
    assert inspection.params == size * size + size
