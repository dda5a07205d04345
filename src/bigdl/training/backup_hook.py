"""From the loop to the backups of ``BackupAndRestore``."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from bigdl import files
from bigdl.graph import Container
from bigdl.training.batches import Source
from bigdl.training.callback_hook import CallbackHook
from bigdl.training.callbacks import BackupAndRestore, Callback
from bigdl.training.checkpoint import Checkpoints
from bigdl.training.compile import Compiled
from bigdl.training.loop import Hook
from bigdl.training.state import TrainingState

logger = logging.getLogger("bigdl")


class BackupHook(Hook):
    """Writes backups, and puts a training back to the newest; comes after the hook of the callbacks.

    Args:
        backup: Where and when.
        model: The model.
        compiled: What it is trained by.
        source: Where the batches come from.
        told: Tells the callbacks.

    Attributes:
        checkpoints: The backups.
    """

    def __init__(
        self, backup: BackupAndRestore, model: Container, compiled: Compiled, source: Source, told: CallbackHook
    ) -> None:
        self._backup = backup
        self.checkpoints = Checkpoints.at(backup.backup_dir)
        self._model: Any = model
        self._compiled = compiled
        self._source = source
        self._told = told
        self._restored: dict[str, Any] | None = None
        self._turn = 0

    @classmethod
    def among(cls, model: Container, compiled: Compiled, source: Source, told: CallbackHook) -> BackupHook | None:
        """Returns a hook for the ``BackupAndRestore`` among the callbacks, None where there is none."""
        found = (callback for callback in told.callbacks.callbacks if isinstance(callback, BackupAndRestore))
        backup = next(found, None)
        return None if backup is None else cls(backup, model, compiled, source, told)

    def restore(self) -> TrainingState | None:
        """Puts model, optimizer and data back to the newest backup.

        Returns:
            How far training had come, None where there is no backup.

        Raises:
            WeightMismatchError: It is the backup of another model or optimizer.
            FormatError: It is damaged.
        """
        if self.checkpoints.latest() is None:
            return None
        progress = self.checkpoints.load(self._model, self._compiled.optimizer)
        state = TrainingState(**progress["state"])
        self._source.order.load_state_dict(progress, state.epoch)
        self._model.stop_training = progress["stop_training"]
        self._told.goes_on(state)
        self._restored = progress
        self._turn = progress["turn"]
        logger.info("Training goes on after iteration %d, from %s", state.iteration, self._shown)
        return state

    def on_train_begin(self, state: TrainingState) -> None:
        """Gives the callbacks what they remembered; ends an epoch whose end they were not told of."""
        if self._restored is None:
            return
        self._remind(self._restored)
        if state.epoch_finished and not self._restored["told"]:
            self._told.on_epoch_end(state)
            self._save(state, told=True)

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Gives those who begin each epoch anew what they remembered of the one that goes on."""
        if self._restored is not None and state.records:
            self._remind(self._restored)
        self._restored = None

    def _remind(self, progress: dict[str, Any]) -> None:
        for name, callback in self._named_callbacks().items():
            if name in progress["callbacks"]:
                callback.load_state_dict(progress["callbacks"][name])
        _set_numpy_state(progress)

    def _named_callbacks(self) -> dict[str, Callback]:
        named: dict[str, Callback] = {}
        for callback in self._told.callbacks.callbacks:
            kind = type(callback).__name__
            named[f"{kind}.{sum(type(other).__name__ == kind for other in named.values())}"] = callback
        return named

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Writes a backup if it is time to; that of an epoch's end is written once the callbacks are told of it."""
        frequency = self._backup.save_freq
        if frequency != "epoch" and not state.epoch_finished and state.iteration % frequency == 0:
            self._save(state, told=True)

    def on_epoch_end(self, state: TrainingState) -> None:
        """Writes a backup."""
        self._save(state, told=True)

    def on_interrupt(self, state: TrainingState) -> None:
        """Writes a backup."""
        self._save(state, told=not state.epoch_finished)
        logger.warning("Interrupted after iteration %d; fit goes on from %s", state.iteration, self._shown)

    def on_train_end(self, state: TrainingState) -> None:
        """Makes the backups void."""
        if self._backup.delete_checkpoint:
            self.checkpoints.forget()

    @property
    def _shown(self) -> str:
        return files.display(self.checkpoints.folder)

    def _save(self, state: TrainingState, told: bool) -> None:
        self._turn = 1 - self._turn  # two pairs of files, so that the newest is never written over
        progress = {
            "state": asdict(state),
            "told": told,
            "turn": self._turn,
            "stop_training": bool(self._model.stop_training),
            "callbacks": {name: callback.state_dict() for name, callback in self._named_callbacks().items()},
            **self._source.order.state_dict(),
            **_numpy_state(),
        }
        self.checkpoints.save(self._model, self._compiled.optimizer, self._turn, progress)


def _numpy_state() -> dict[str, Any]:
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - Keras's generator
    return {"numpy": [kind, *rest], "numpy_keys": torch.from_numpy(np.asarray(keys).astype(np.int64))}


def _set_numpy_state(progress: dict[str, Any]) -> None:
    kind, *rest = progress["numpy"]
    np.random.set_state((kind, progress["numpy_keys"].numpy().astype(np.uint32), *rest))  # noqa: NPY002
