"""The cases of ``cases.json``; the README says what each file holds."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.graph import without_initialization
from bigdl.models import Model
from tests.applications import seeded

HERE = Path(__file__).parent
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        name: ``folder/case``.
        notes: What ``cases.json`` says of it.
    """

    name: str
    notes: Mapping[str, Any]

    @property
    def definition(self) -> str:
        return gzip.decompress((HERE / f"{self.name}.json.gz").read_bytes()).decode()

    @property
    def ordering(self) -> Any:
        return self.notes.get("image_dim_ordering", "tf")

    def inputs(self) -> list[Array]:
        return seeded.inputs(self.name, self.notes["inputs"])

    def model(self, folder: Path, custom_objects: Mapping[str, Any] | None = None) -> Model:
        """The model, with the case's weights."""
        path = folder / "model.json"
        path.write_text(self.definition)
        with without_initialization():
            model = Model.load_keras(path, custom_objects=custom_objects)
        weights, ranges = model.listed_weights, self._golden()["ranges"]
        assert len(weights) == len(ranges)
        arrays = seeded.weights(self.name, [weight.shape for weight in weights], ranges)
        for weight, array in zip(weights, arrays, strict=True):
            weight.assign(array)
        return model

    def outputs(self, key: str) -> list[Array]:
        """Samples of the outputs (``y``) or of a stateful model's second outputs (``z``)."""
        golden = self._golden()
        return [golden[name] for name in sorted(golden) if name[0] == key]

    def _golden(self) -> dict[str, Array]:
        with np.load(HERE / f"{self.name}.npz") as file:
            return dict(file)


CASES = [Case(name, notes) for name, notes in json.loads((HERE / "cases.json").read_text()).items()]


def assert_outputs(case: Case, outputs: Array | list[Array], key: str = "y") -> None:
    """Compares what a model computed with Keras, at 1e-4 of each value or 1e-5 of the largest."""
    expected = case.outputs(key)
    received = [seeded.sample(y) for y in (outputs if isinstance(outputs, list) else [outputs])]
    assert [y.shape for y in received] == [y.shape for y in expected]
    for ours, theirs in zip(received, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * np.abs(theirs).max())


def predict(model: Model, arrays: list[Array]) -> Any:
    """The outputs of a model, in one batch."""
    return model.predict(arrays if len(arrays) > 1 else arrays[0], batch_size=len(arrays[0]))
