"""The examples of docs/custom.md, run on files such as they speak of."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import UnsafeModelError
from bigdl.formats import write_weights
from bigdl.formats.spec import LayerArrays, StoredArray
from bigdl.models import Model
from bigdl.registry import classes
from tests.lambda_functions import stored

PAGE = Path(__file__).parents[2] / "docs" / "custom.md"
KERNEL = np.arange(6, dtype="float32").reshape(3, 2)


def definition(class_name: str, **config: Any) -> str:
    config = {"name": "mine", "trainable": True, "batch_input_shape": [None, 2], "input_dtype": "float32", **config}
    entries = [{"class_name": class_name, "config": config}]
    return json.dumps({"class_name": "Sequential", "config": entries, "keras_version": "1.2.2"})


def vae() -> str:
    """Two inputs and a Lambda whose function depends on what its file does not hold."""
    code, defaults, _ = stored("sum of neighbours")
    shapes: dict[str, Any] = {"batch_input_shape": [None, 2], "input_dtype": "float32", "sparse": False}
    inputs: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "name": name, "config": {**shapes, "name": name}, "inbound_nodes": []}
        for name in ("mean", "variance")
    ]
    config = {"name": "sampling", "trainable": True, "arguments": {}, "output_shape": None, "output_shape_type": "raw"}
    sampling = {
        "class_name": "Lambda",
        "name": "sampling",
        "config": {**config, "function": [code, defaults, None], "function_type": "lambda"},
        "inbound_nodes": [[["mean", 0, 0], ["variance", 0, 0]]],
    }
    graph = {
        "name": "encoder",
        "layers": [*inputs, sampling],
        "input_layers": [["mean", 0, 0], ["variance", 0, 0]],
        "output_layers": [["sampling", 0, 0]],
    }
    return json.dumps({"class_name": "Model", "config": graph, "keras_version": "1.2.2"})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the page speaks of."""
    (tmp_path / "scale.json").write_text(definition("Scale", start=0.5))
    (tmp_path / "connected.json").write_text(definition("FullyConnected", units=3))
    (tmp_path / "swish.json").write_text(definition("Activation", activation="swish"))
    (tmp_path / "encoder.json").write_text(vae())
    files: dict[str, list[Any]] = {
        "scale": [np.array([2, 3], "float32")],
        "connected": [np.ones(3, "float32"), KERNEL],
    }
    for name, arrays in files.items():
        layer = LayerArrays("mine", tuple(StoredArray.of(f"mine_{i}:0", array) for i, array in enumerate(arrays)))
        write_weights(tmp_path / f"{name}.h5", [layer])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(classes, "_entries", dict(classes._entries))
    return tmp_path


def test_the_examples(folder):
    with pytest.raises(UnsafeModelError, match=r"custom_objects=\{'sampling': function\}"):
        Model.load_keras("encoder.json")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    x = torch.tensor([[1.0, -1.0]])
    assert names["model"](x).tolist() == [[2, -3]]
    assert names["connected"](x).tolist() == (np.array([1, -1]) @ KERNEL.T + 1)[None].tolist()
    torch.testing.assert_close(names["swishing"](x), x * torch.sigmoid(x))
    assert names["encoder"](x, 2 * x).tolist() == x.tolist()
    names["model"].train_on_batch(x.numpy(), np.zeros((1, 2)))  # the gradient is (2, 3), a tenth of it the average
    np.testing.assert_allclose(names["model"].get_weights()[0], [1.98, 2.97], rtol=1e-6)


def test_the_class_can_be_registered_too(folder):
    names: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0], names)
    names["register_layer"]("Scale", names["Scale"])
    assert Model.load_keras("scale.json").get_weights()[0].tolist() == [0.5, 0.5]
