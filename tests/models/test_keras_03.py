"""Models of Keras 0.3, whose weight files keep all branches of a ``Merge`` under one layer, against its own outputs."""

from pathlib import Path

import numpy as np
import pytest

from bigdl.errors import WeightMismatchError
from bigdl.models import Model

HERE = Path(__file__).parent / "keras_03"
LEGACY = HERE.parents[1] / "formats" / "data" / "0.3.3"


@pytest.mark.parametrize(("folder", "name"), [(LEGACY, "legacy_merge"), (HERE, "nested_merge")])
def test_merges(folder, name):
    model = Model.load_keras(folder / f"{name}.json", folder / f"{name}.h5")
    with np.load(HERE / f"{name}.npz") as stored:
        inputs = [stored[key] for key in stored.files if key != "output"]
        np.testing.assert_allclose(model.predict(inputs), stored["output"], rtol=1e-5, atol=1e-6)


def test_arrays_of_another_merge():
    with pytest.raises(WeightMismatchError, match=r"16 arrays in 2 layers without names, the 4 layers .* have 10\."):
        Model.load_keras(LEGACY / "legacy_merge.json", HERE / "nested_merge.h5")
