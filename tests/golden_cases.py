"""The cases under ``tests/goldens``; its README says what each file holds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parent / "goldens"
Array = NDArray[Any]

_NOTES = json.loads((ROOT / "notes.json").read_text())


def read_arrays(path: Path, key: str) -> list[Array]:
    """The arrays ``key0``, ``key1``, ... of an npz file."""
    with np.load(path) as file:
        return [file[f"{key}{i}"] for i in range(sum(name[0] == key for name in file.files))]


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
    def family(self) -> str:
        return self.name.split("/")[0]

    def path(self, suffix: str) -> Path:
        return ROOT / f"{self.name}{suffix}"

    @property
    def definition(self) -> Path:
        """The definition; a full save for the cases that have nothing else."""
        return next(path for path in map(self.path, (".json", ".yaml", ".h5")) if path.exists())

    @property
    def weights(self) -> Path | None:
        """The file of weights; None where the model has none."""
        return self.path(".h5") if self.path(".h5").exists() else None

    @property
    def ordering(self) -> Any:
        return self.notes.get("image_dim_ordering", "tf")

    @property
    def keras_json(self) -> Any:
        """The definition as Keras wrote it."""
        if self.definition.suffix == ".json":
            return json.loads(self.definition.read_text())
        with h5py.File(self.definition) as file:
            return json.loads(file.attrs["model_config"])

    def arrays(self, key: str) -> list[Array]:
        """The inputs (``x``), outputs (``y``), second outputs of a stateful model (``z``), ..."""
        return read_arrays(self.path(".npz"), key)

    def stored_weights(self) -> list[list[Array]]:
        """The arrays of the file of weights, in its order, by layer; those without arrays are left out."""
        if self.weights is None:
            return []
        with h5py.File(self.weights) as file:
            top = file.get("model_weights", file)
            groups = [top[_text(layer)] for layer in top.attrs["layer_names"]]
            return [[group[_text(name)][()] for name in names] for group in groups if len(names := _names(group))]


def _names(group: h5py.Group) -> Any:
    return group.attrs["weight_names"]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _cases() -> Iterator[Case]:
    for path in sorted(ROOT.glob("*/*.npz")):
        name = path.relative_to(ROOT).with_suffix("").as_posix()
        if not name.startswith("refusals/"):
            yield Case(name, _NOTES.get(name, {}))


CASES = list(_cases())


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Keras refuses.

    Attributes:
        name: Its name.
        definition: The definition.
        weights: A file of weights, or None.
        inputs: The data that is predicted, where that is refused.
        by_name: Whether the weights are loaded by name.
        stage: What is refused: the ``definition``, the ``weights`` or to ``predict``.
    """

    name: str
    definition: Any
    weights: Path | None
    inputs: list[Array]
    by_name: bool
    stage: str

    def names(self) -> set[str]:
        """The names of which a message must have one: a layer, the file, or a model or input that has no name here."""
        layers = set(_layer_names(self.definition))
        inputs = {f"{name.rsplit('_', 1)[0]}_input" for name in layers} if self.stage == "predict" else set()
        return {*layers, *inputs, "sequential_", *([self.weights.name] if self.weights else [])}


def _layer_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("name"), str):
            yield value["name"]
        for inner in value.values():
            yield from _layer_names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _layer_names(inner)


def _refusals() -> Iterator[Refusal]:
    for entry in json.loads((ROOT / "refusals.json").read_text()):
        weights = ROOT / "refusals" / entry["weights"] if entry["weights"] else None
        inputs = read_arrays(ROOT / "refusals" / entry["inputs"], "x") if entry["inputs"] else []
        yield Refusal(entry["name"], entry["definition"], weights, inputs, entry["by_name"], entry["stage"])


REFUSALS = list(_refusals())
