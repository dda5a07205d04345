"""The cases under ``tests/goldens``; its README says what each file holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parent / "goldens"
Array = NDArray[Any]


def _read(name: str) -> dict[str, dict[str, Any]]:
    path = ROOT / name
    return json.loads(path.read_text()) if path.exists() else {}


NOTES = _read("notes.json")


@dataclass(frozen=True, slots=True)
class Case:
    """One golden case.

    Attributes:
        name: ``family/case``.
        notes: What ``notes.json`` says of it.
    """

    name: str
    notes: Mapping[str, Any]

    @property
    def definition(self) -> Path:
        return ROOT / f"{self.name}.json"

    @property
    def weights(self) -> Path | None:
        """The file of weights; None where the model has none."""
        path = ROOT / f"{self.name}.h5"
        return path if path.exists() else None

    @property
    def ordering(self) -> Any:
        return self.notes.get("image_dim_ordering", "tf")

    def arrays(self, key: str) -> list[Array]:
        """The inputs (``x``), outputs (``y``) or second outputs (``z``); empty where there are none."""
        with np.load(ROOT / f"{self.name}.npz") as file:
            return [file[f"{key}{i}"] for i in range(sum(name[0] == key for name in file.files))]

    def stored_weights(self) -> list[tuple[str, Array]]:
        """Names and arrays of the file of weights, in its order."""
        if self.weights is None:
            return []
        with h5py.File(self.weights) as file:
            groups = [file[_text(layer)] for layer in file.attrs["layer_names"]]
            return [(_text(name), group[name][()]) for group in groups for name in group.attrs["weight_names"]]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


CASES = [
    Case(name, NOTES.get(name, {}))
    for name in sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.glob("*/*.json"))
]
