"""Models of Keras up to 1.0.6, whose running_std is a standard deviation, against what that Keras computes."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

import bigdl
from bigdl.errors import DataError
from bigdl.models import Model

HERE = Path(__file__).parent / "running_deviations"


def error(version: str, model: Model) -> float:
    with np.load(HERE / f"{version}.npz") as file:
        return float(np.abs(model.predict(file["x"]) - file["y"]).max() / np.abs(file["y"]).max())


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("version", ["0.3.3", "1.0.6"])
def test_the_definition_tells(version, caplog):
    assert error(version, Model.load_keras(HERE / f"{version}.json", HERE / f"{version}.h5")) <= 1e-6
    assert warnings(caplog) == []


def test_the_argument_tells(caplog):
    files = HERE / "1.0.0.json", HERE / "1.0.0.h5"
    assert error("1.0.0", Model.load_keras(*files, keras_version="1.0.0")) <= 1e-6
    model = Model.load_keras(*files)
    assert error("1.0.0", model) > 1e-2
    model.load_weights(files[1], keras_version="1.0.0")
    assert error("1.0.0", model) <= 1e-6
    assert warnings(caplog) == []  # its epsilon was not the default of that time


def test_versions_that_may_be_so_old(tmp_path, caplog):
    path = tmp_path / "model.json"
    path.write_text((HERE / "1.0.0.json").read_text().replace("0.01", "1e-06"))
    Model.load_keras(path, HERE / "1.0.0.h5")
    (warning,) = warnings(caplog)
    assert "running_std of a BatchNormalization (batchnormalization_1)" in warning
    assert warning in bigdl.inspect(path, HERE / "1.0.0.h5").notes
    caplog.clear()
    Model.load_keras(path, HERE / "1.0.0.h5", keras_version="1.2.2")
    path.write_text(json.dumps({**json.loads(path.read_text()), "keras_version": "1.0.8"}))
    Model.load_keras(path, HERE / "1.0.0.h5")
    assert warnings(caplog) == []


@pytest.mark.parametrize("version", ["2.0.0", "new", ""])
def test_other_versions(version):
    with pytest.raises(DataError, match=r"such as '1\.0\.3'"):
        Model.load_keras(HERE / "1.0.0.json", HERE / "1.0.0.h5", keras_version=version)
