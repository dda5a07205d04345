"""What the real Keras 1.2.2 computed in training; see ``tests/goldens_training/README.md``."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.formats.keras_json import read_definition
from bigdl.graph import Container
from bigdl.models import Model
from bigdl.registry import build_graph

ROOT = Path(__file__).parent.parent / "goldens_training"
Array = NDArray[Any]


def read_json(name: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / name).read_text()))


def read_arrays(name: str) -> dict[str, Array]:
    with np.load(ROOT / name) as file:
        return {key: file[key] for key in file.files}


def build(definition: Any) -> Container:
    model = build_graph(read_definition(json.dumps(definition).encode(), "golden").graph)
    assert isinstance(model, Model)
    return model


def tensor(array: Array) -> Tensor:
    return torch.from_numpy(array.copy())


def assert_close(ours: Tensor | Array, theirs: Array, relative: float = 1e-5) -> None:
    """At most ``relative`` times the largest expected value apart."""
    received = ours.detach().numpy() if isinstance(ours, Tensor) else ours
    assert received.shape == theirs.shape
    error = np.abs(received.astype("float64") - theirs).max(initial=0)
    assert error <= relative * max(np.abs(theirs).max(initial=0), 1e-3), f"apart by {error}"
