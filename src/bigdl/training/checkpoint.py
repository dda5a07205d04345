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
from torch import Tensor

from bigdl import files
from bigdl.errors import DataError, FormatError, TrainingError
from bigdl.files import Uri
from bigdl.formats import read_weights
from bigdl.graph import Container
from bigdl.layers.recurrent.states import StatefulLayer
from bigdl.registry import load_by_position
from bigdl.training.diagnosis import non_finite_weights
from bigdl.training.optimizers import Optimizer, serialize
from bigdl.training.optimizers.stored import read_state, write_state

MARKER = "latest.json"
RANDOM = "random_state"
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
        others = {f"{_STATE}{i}": state for i, state in enumerate(_states(model))}
        others |= {_PROGRESS + key: value for key, value in progress.items() if isinstance(value, Tensor)}
        others[RANDOM] = torch.get_rng_state()
        rest = {key: value for key, value in progress.items() if not isinstance(value, Tensor)}
        header = {"progress": rest, "weights": checksum(model)}
        if isinstance(optimizer, Optimizer):
            header["optimizer"] = serialize(optimizer)
        write_state(self._path(names["optimizer"]), optimizer.state_dict(), others, header)
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
        files.remove_unfinished(self.folder)
        state, others, header = _read(self._path(entry["optimizer"]))
        with read_weights(self._path(entry["model"])) as weights:
            load_by_position(model, weights)
        if checksum(model) != header["weights"]:
            raise FormatError(
                f"{files.display(self._path(entry['model']))} is not the model that this checkpoint was written with: "
                "it was replaced. Load it with Model.load and start a new training, or remove the checkpoint."
            )
        optimizer.load_state_dict(state)
        for i, kept in enumerate(_states(model)):
            kept.copy_(others[f"{_STATE}{i}"])
        torch.set_rng_state(others[RANDOM])
        kept_tensors = {key.removeprefix(_PROGRESS): others[key] for key in others if key.startswith(_PROGRESS)}
        return {**header["progress"], **kept_tensors}

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


def _read(uri: str) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    state, others, header = read_state(uri)
    if RANDOM not in others or not {"progress", "weights"} <= header.keys():
        raise FormatError(f"{files.display(uri)} is no state of an optimizer of this library.")
    return state, others, header


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
