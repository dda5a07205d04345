"""Checkpoints from which training goes on as if it had never stopped.

In the folder stand, as in BigDL, ``model.N`` (a saved model, which ``Model.load`` opens) and ``optimMethod-NAME.N``
(the optimizer's state, the random state, how far training has come), N being the iteration that comes next. Each is
written as a whole, and only then ``latest.json`` begins to point to them; so a run that is killed at any moment leaves
a complete checkpoint, or none.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bigdl import files
from bigdl.errors import DataError, FormatError, TrainingError
from bigdl.files import Uri
from bigdl.formats import read_weights
from bigdl.graph import Container
from bigdl.layers.recurrent.states import StatefulLayer
from bigdl.registry import load_by_position
from bigdl.training.diagnosis import non_finite_weights

MARKER = "latest.json"
_METADATA = "bigdl"
_RANDOM = "random_state"
_OPTIMIZER = "optimizer."
_PROGRESS = "progress."
_STATE = "state."


class Stateful(Protocol):
    """An optimizer, as far as checkpoints are concerned."""

    def state_dict(self) -> Mapping[str, Tensor]:
        """Returns all that the next steps depend on."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Writes what ``state_dict`` returned."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of one folder.

    Args:
        folder: A path or a URI.
    """

    folder: str

    @classmethod
    def at(cls, folder: Uri) -> Checkpoints:
        """Returns the checkpoints of a folder."""
        return cls(os.fspath(folder).rstrip("/"))

    def latest(self) -> str | None:
        """Returns the address of the newest complete checkpoint's model, None where there is none.

        Raises:
            FormatError: The file that points to it is damaged.
        """
        entry = self._marker()
        return None if entry is None else self._path(entry["model"])

    def forget(self) -> None:
        """Makes the folder one without a complete checkpoint; files that are there are written over later."""
        if files.exists(self._path(MARKER)):
            files.write_bytes(self._path(MARKER), b"{}")

    def save(self, model: Container, optimizer: Stateful, number: int, progress: Mapping[str, Any]) -> str:
        """Writes a checkpoint.

        Args:
            model: The model; it must be one that has ``save``.
            optimizer: The optimizer.
            number: The iteration that comes next, for the names of the files.
            progress: What else to keep: tensors, and what JSON can hold.

        Returns:
            Where its model is.

        Raises:
            TrainingError: A weight is not finite; the checkpoint before stays the newest.
            StorageError: It cannot be written.
        """
        wrong = next(non_finite_weights(model), None)
        if wrong is not None:
            raise TrainingError(f"No checkpoint was written, as the model is not finite any more: {wrong}.")
        files.make_folder(self.folder)
        names = {"model": f"model.{number}", "optimizer": f"optimMethod-{model.name.replace('/', '_')}.{number}"}
        saved: Any = model
        saved.save(self._path(names["model"]))
        tensors = {_OPTIMIZER + key: tensor.cpu() for key, tensor in optimizer.state_dict().items()}
        tensors |= {f"{_STATE}{i}": state for i, state in enumerate(_states(model))}
        tensors |= {_PROGRESS + key: value for key, value in progress.items() if isinstance(value, Tensor)}
        tensors[_RANDOM] = torch.get_rng_state()
        rest = {key: value for key, value in progress.items() if not isinstance(value, Tensor)}
        header = {"progress": rest, "weights": checksum(model)}
        with files.write_atomic(self._path(names["optimizer"])) as path:
            save_file(tensors, path, metadata={_METADATA: json.dumps(header, default=_plain)})
        files.write_bytes(self._path(MARKER), json.dumps({**names, "number": number}).encode())
        return self._path(names["model"])

    def load(self, model: Container, optimizer: Stateful) -> dict[str, Any]:
        """Puts model, optimizer and random state back to where the newest checkpoint was written.

        Args:
            model: A model of the same layers.
            optimizer: An optimizer of the same kind, with the same weights bound.

        Returns:
            The ``progress`` that was saved.

        Raises:
            DataError: There is no complete checkpoint.
            FormatError: A file is damaged.
            WeightMismatchError: Model or optimizer are others.
        """
        entry = self._marker()
        if entry is None:
            raise DataError(f"There is no complete checkpoint in {files.display(self.folder)}.")
        tensors, header = _read(self._path(entry["optimizer"]))
        with read_weights(self._path(entry["model"])) as weights:
            load_by_position(model, weights)
        if checksum(model) != header["weights"]:
            raise FormatError(
                f"{files.display(self._path(entry['model']))} is not the model that this checkpoint was written with: "
                "it was replaced. Load it with Model.load and start a new training, or remove the checkpoint."
            )
        optimizer.load_state_dict(_under(_OPTIMIZER, tensors))
        for i, state in enumerate(_states(model)):
            state.copy_(tensors[f"{_STATE}{i}"])
        torch.set_rng_state(tensors[_RANDOM])
        return {**header["progress"], **_under(_PROGRESS, tensors)}

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def _marker(self) -> dict[str, str] | None:
        path = self._path(MARKER)
        if not files.exists(path):
            return None
        try:
            entry = json.loads(files.read_bytes(path, limit=1 << 16))
            return {key: str(entry[key]) for key in ("model", "optimizer")} if entry else None
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{files.display(path)} is damaged; it should name the newest checkpoint.") from error


def _read(uri: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with files.local_copy(uri) as path:
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no dict
                header = json.loads((file.metadata() or {})[_METADATA])
        except (SafetensorError, ValueError, KeyError) as error:
            raise FormatError(f"{files.display(uri)} is no state of an optimizer, or is damaged: {error}") from error
    if _RANDOM not in tensors or not {"progress", "weights"} <= header.keys():
        raise FormatError(f"{files.display(uri)} is no state of an optimizer of this library.")
    return tensors, header


@contextlib.contextmanager
def naming_last_good(checkpoints: Checkpoints | None) -> Iterator[None]:
    """Lets the error of a training that fails inside the block say which checkpoint is the last good one."""
    try:
        yield
    except TrainingError as error:
        newest = None if checkpoints is None else checkpoints.latest()
        if newest is not None:
            error.add_note(f"The last good checkpoint is {files.display(newest)}.")
        raise


def _plain(value: Any) -> Any:
    """Returns NumPy's and torch's values as Python's, for JSON."""
    return value.tolist()


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _states(model: Container) -> list[Tensor]:
    """Returns what stateful layers keep from batch to batch."""
    return [state for layer in model.modules() if isinstance(layer, StatefulLayer) for state in layer.states]


def checksum(model: Container) -> int:
    """Returns a CRC-32 over all arrays of a model."""
    total = 0
    for layer in model.weight_layers:
        for weight in layer.weights:
            total = zlib.crc32(np.ascontiguousarray(weight.value.detach().cpu().numpy()).data, total)
    return total
