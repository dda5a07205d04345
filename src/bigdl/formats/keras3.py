"""Writing the files that Keras 3 opens: a ZIP archive of the definition as JSON and the arrays as HDF5."""

import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bigdl import files
from bigdl.formats.keras_json import dumps
from bigdl.formats.spec import StoredArray

# The first version of Keras with files of this form.
_KERAS_VERSION = "3.0.0"


def write_keras3(
    uri: files.Uri, config: Mapping[str, Any], arrays: Iterable[tuple[str, Sequence[StoredArray]]]
) -> None:
    """Writes a model, atomically; one array at a time is in memory.

    Args:
        uri: Where to.
        config: The model as Keras 3 writes objects.
        arrays: The places of the file and the arrays there, those without arrays included. A place that comes up twice
            keeps the arrays that it has.

    Raises:
        StorageError: The file cannot be written there.
        FormatError: The configuration holds what JSON cannot.
    """
    definition = dumps(config)
    metadata = dumps({"keras_version": _KERAS_VERSION, "date_saved": datetime.now(UTC).strftime("%Y-%m-%d@%H:%M:%S")})
    with files.write_atomic(uri) as path, tempfile.TemporaryDirectory(prefix="bigdl-") as folder:
        weights = Path(folder) / "model.weights.h5"
        with h5py.File(weights, "w") as file:
            for place, stored in arrays:
                group = file.require_group(f"{place}/vars")
                for number, array in enumerate(stored):
                    group.create_dataset(str(number), data=np.asarray(array.read()))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", metadata)
            archive.writestr("config.json", definition)
            archive.write(weights, weights.name)
