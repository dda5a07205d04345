"""The command ``bigdl``: what it prints, what it writes, and its exit status."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bigdl.cli import main
from bigdl.models import Model

GOLDENS = Path(__file__).parents[1] / "goldens"
DOCS = Path(__file__).parents[2] / "docs"
LENET = GOLDENS / "nets" / "lenet"
MODEL, WEIGHTS = f"{LENET}.json", f"{LENET}.h5"
FULL = str(GOLDENS / "full" / "adam.h5")
RUN = "import sys; from bigdl.cli import main; sys.exit(main())"


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


@pytest.fixture
def data() -> dict[str, Any]:
    with np.load(f"{LENET}.npz") as file:
        return {name: file[name] for name in file.files}


@pytest.fixture
def x(tmp_path, data) -> str:
    path = tmp_path / "x.npy"
    np.save(path, data["x0"])
    return str(path)


def run(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Runs the command in a process of its own."""
    return subprocess.run([sys.executable, "-c", RUN, *arguments], input=data, capture_output=True, check=False)


def test_help_and_version_do_without_torch():
    code = "import sys; from bigdl.cli import main\ntry: main(sys.argv[1:])\nfinally: print('torch' in sys.modules)"
    for arguments in (["--version"], ["--help"], ["inspect", "--help"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert done.stdout.endswith("False\n")


@pytest.mark.parametrize(
    "arguments", [[], ["unheard-of"], ["inspect"], ["predict", MODEL], ["inspect", "--bad", MODEL]]
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: bigdl" in capsys.readouterr().err


def test_inspect_tells_what_loads(capsys):
    assert main(["inspect", MODEL, WEIGHTS]) == 0
    out = capsys.readouterr().out
    assert "Convolution2D" in out
    assert out.endswith("The model loads.\n")


def test_inspect_tells_what_does_not_load(capsys):
    assert main(["inspect", MODEL, FULL]) == 1
    printed = capsys.readouterr()
    assert "Are these weights of another model?" in printed.out
    assert printed.err == ""


def test_inspect_as_json(capsys):
    assert main(["inspect", "--json", FULL]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["loads"]
    assert found["layers"][0]["weights"][0]["found"] == found["layers"][0]["weights"][0]["expected"]


def test_options_of_loading(capsys):
    case = GOLDENS.parent / "goldens_theano" / "net_th"
    arguments = [f"{case}_as_tf.json", f"{case}.h5"]
    assert main(["inspect", *arguments]) == 1
    assert main(["inspect", "--original-backend", "theano", "--by-name", "--dim-ordering", "tf", *arguments]) == 0


def test_an_error_is_one_line(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "missing.json")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("bigdl: ")
    assert printed.err.count("\n") == 1
    assert "missing.json" in printed.err


def test_debug_shows_the_traceback(tmp_path):
    done = run("inspect", "--debug", str(tmp_path / "missing.json"))
    assert done.returncode == 1
    assert b"Traceback" in done.stderr
    assert b"MissingFileError" in done.stderr


def test_nobody_reads_on():
    with subprocess.Popen(
        [sys.executable, "-c", RUN, "inspect", MODEL],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


@pytest.mark.parametrize("name", ["m.h5", "m.hdf5", "M.BIGDL"])
def test_convert_to_one_file(name, tmp_path, data):
    path = str(tmp_path / name)
    assert main(["convert", MODEL, "--weights", WEIGHTS, path]) == 0
    close(Model.load_keras(path).predict(data["x0"]), data["y0"])


def test_convert_to_definition_and_weights(tmp_path, data, capsys):
    definition, weights = str(tmp_path / "m.json"), str(tmp_path / "m.weights.h5")
    assert main(["convert", MODEL, definition]) == 0
    assert main(["convert", MODEL, "--weights", WEIGHTS, weights]) == 0
    assert capsys.readouterr() == ("", "")
    with h5py.File(weights) as file:
        assert "layer_names" in file.attrs
        assert "model_config" not in file.attrs
    close(Model.load_keras(definition, weights).predict(data["x0"]), data["y0"])


def test_convert_to_standard_output(capsys):
    assert main(["convert", FULL, "-"]) == 0
    assert json.loads(capsys.readouterr().out)["class_name"] == "Sequential"


def test_convert_to_what_is_not_known(tmp_path, capsys):
    path = tmp_path / "m.tflite"
    assert main(["convert", FULL, str(path)]) == 1
    assert ".safetensors" in capsys.readouterr().err
    assert not path.exists()


def test_weights_that_nobody_gave_are_pointed_out(tmp_path, capsys):
    assert main(["convert", MODEL, str(tmp_path / "m.h5")]) == 0
    assert "holds no weights" in capsys.readouterr().err


def test_predict_to_a_file(x, tmp_path, data):
    for name in ("y.npy", "y.npz"):
        output = str(tmp_path / name)
        assert main(["predict", MODEL, "--weights", WEIGHTS, x, "-o", output, "--batch-size", "3"]) == 0
    close(np.load(tmp_path / "y.npy"), data["y0"])
    with np.load(tmp_path / "y.npz") as file:
        (name,) = file.files
        assert name == Model.load_keras(MODEL).output_names[0]
        close(file[name], data["y0"])


def test_predict_through_a_pipe(x, data):
    done = run("predict", MODEL, "--weights", WEIGHTS, "-", data=Path(x).read_bytes())
    assert done.stderr == b""
    assert done.returncode == 0
    close(np.load(io.BytesIO(done.stdout)), data["y0"])


def several() -> tuple[Path, Any]:
    """A golden with several inputs and several outputs."""
    for path in sorted((GOLDENS / "graphs").glob("*.npz")):
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        if {"x1", "y1"} <= arrays.keys() and "x2" not in arrays and "z0" not in arrays:
            return path.with_suffix(""), arrays
    raise AssertionError("there is no such golden")


@pytest.mark.parametrize("by_name", [False, True])
def test_predict_with_several_inputs_and_outputs(by_name, tmp_path):
    case, arrays = several()
    weights = ["--weights", f"{case}.h5"] if case.with_suffix(".h5").exists() else []
    model = Model.load_keras(f"{case}.json")
    names = model.input_names if by_name else ["first", "second"]
    given = {names[0]: arrays["x0"], names[1]: arrays["x1"]}
    np.savez(tmp_path / "x.npz", **(dict(reversed(given.items())) if by_name else given))
    x, y = str(tmp_path / "x.npz"), str(tmp_path / "y.npz")
    assert main(["predict", f"{case}.json", *weights, x, "-o", y, "--batch-size", "100"]) == 0
    with np.load(y) as file:
        assert len(file.files) == 2
        for i, name in enumerate(file.files):
            close(file[name], arrays[f"y{i}"])


def test_predict_with_several_outputs_to_npy(tmp_path, capsys):
    case, _ = several()
    output = str(tmp_path / "y.npy")
    assert main(["predict", f"{case}.json", "unused.npz", "-o", output]) == 1
    assert f"{output[:-4]}.npz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "No data left"),
        (b"not an array", "is no .npy or .npz file"),
        (b"PK\x03\x04 broken", "is no .npy or .npz file"),
    ],
)
def test_predict_of_what_is_no_array(content, said, tmp_path, capsys):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    assert main(["predict", FULL, str(path)]) == 1
    assert said in capsys.readouterr().err


def test_predict_of_objects_executes_nothing(tmp_path, capsys):
    path = tmp_path / "x.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    assert main(["predict", FULL, str(path)]) == 1
    assert "Object arrays cannot be loaded" in capsys.readouterr().err


def test_predict_of_wrong_shape(tmp_path, capsys):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((2, 7), "float32"))
    assert main(["predict", MODEL, "--weights", WEIGHTS, str(path)]) == 1
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "(2, 7)" in printed.err


@pytest.fixture
def training_data(tmp_path) -> tuple[str, str]:
    random = np.random.default_rng(0)
    x, y = str(tmp_path / "train_x.npy"), str(tmp_path / "train_y.npy")
    features = random.normal(size=(64, 4)).astype("float32")
    np.save(x, features)
    np.save(y, np.eye(3, dtype="float32")[(features @ random.normal(size=(4, 3))).argmax(1)])
    return x, y


def scores(capsys, *arguments: str) -> dict[str, float]:
    assert main(["evaluate", *arguments]) == 0
    lines = [line.split(": ") for line in capsys.readouterr().out.splitlines()]
    return {name: float(value) for name, value in lines}


def test_train_and_evaluate(training_data, tmp_path, capsys):
    definition = [{"class_name": "Dense", "config": {"output_dim": 3, "activation": "softmax", "input_dim": 4}}]
    model, trained = str(tmp_path / "m.json"), str(tmp_path / "m.h5")
    Path(model).write_text(json.dumps({"class_name": "Sequential", "config": definition}))
    compiled = ["--loss", "categorical_crossentropy", "--metric", "accuracy"]
    status = main(
        [
            "train",
            model,
            *training_data,
            *compiled,
            "--optimizer",
            "adam",
            "--epochs",
            "60",
            "--batch-size",
            "8",
            "-o",
            trained,
        ]
    )
    assert status == 0
    capsys.readouterr()
    before = scores(capsys, model, *training_data, *compiled)
    after = scores(capsys, trained, *training_data, *compiled)
    assert list(after) == ["loss", "acc"]
    assert after["loss"] < before["loss"]
    assert scores(capsys, trained, *training_data) == after  # it was saved compiled


def test_training_without_what_to_train_by(training_data, tmp_path, capsys):
    assert main(["train", MODEL, "--weights", WEIGHTS, *training_data, "-o", str(tmp_path / "m.h5")]) == 1
    assert "--loss" in capsys.readouterr().err
    assert main(["evaluate", MODEL, "--weights", WEIGHTS, *training_data]) == 1
    assert "--loss" in capsys.readouterr().err


def test_the_page_of_layers_is_that_of_the_layers():
    """docs/layers.md is made by `make docs`; in a process of its own, as tests register layers of their own."""
    done = run("layers")
    assert done.returncode == 0
    page = DOCS / "layers.md"
    assert page.read_text() == done.stdout.decode(), "run `make docs`"


def test_the_page_of_formats_ends_with_what_each_makes_of_each_layer():
    """The end of docs/exports.md is made by `make docs` as well."""
    done = run("formats")
    assert done.returncode == 0
    page = (DOCS / "exports.md").read_text()
    assert page[page.index("## Layers") :] == done.stdout.decode(), "run `make docs`"
