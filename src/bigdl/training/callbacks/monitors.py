"""Callbacks that watch whether a value becomes better, and act on it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from bigdl.errors import DataError
from bigdl.training.callbacks.base import Callback, Logs
from bigdl.training.callbacks.watching import Best, Watching


class ModelCheckpoint(Watching):
    """Saves the model after epochs.

    Args:
        filepath: Where to; ``{epoch}`` (from 0) and the names in the logs are filled in, as in
            ``"weights.{epoch:02d}-{val_loss:.2f}.hdf5"``.
        monitor: What decides which model is best.
        verbose: 1 prints a line for each save.
        save_best_only: Whether only models are saved that are better than all before.
        save_weights_only: Whether only the weights are saved.
        mode: See ``Best``.
        period: Epochs from one save to the next.
    """

    remembered = ("best", "epochs_since_last_save")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
    ) -> None:
        self.filepath = os.fspath(filepath)
        self.monitor = monitor
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.period = period
        self.epochs_since_last_save = 0
        self._best = Best(monitor, mode, 0.0, "ModelCheckpoint")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Saves the model if it is time to."""
        self.epochs_since_last_save += 1
        if self.epochs_since_last_save < self.period:
            return
        self.epochs_since_last_save = 0
        filepath = self.filepath.format(epoch=epoch, **(logs or {}))
        if not self.save_best_only:
            self._save(filepath, f"Epoch {epoch:05d}: saving model to {filepath}")
            return
        current = self._best.current(logs)
        if current is None:
            return
        if self._best.is_better(current):
            change = f"{self.monitor} improved from {self.best:.5f} to {current:.5f}"
            self._best.value = current
            self._save(filepath, f"Epoch {epoch:05d}: {change}, saving model to {filepath}")
        elif self.verbose > 0:
            print(f"Epoch {epoch:05d}: {self.monitor} did not improve")

    def _save(self, filepath: str, message: str) -> None:
        if self.verbose > 0:
            print(message)
        if self.save_weights_only:
            self.model.save_weights(filepath)
        else:
            self.model.save(filepath)


class EarlyStopping(Watching):
    """Ends training when a value has stopped getting better.

    Args:
        monitor: The value's name.
        min_delta: By how much it must be better.
        patience: Epochs to wait for that.
        verbose: 1 prints a line at the end.
        mode: See ``Best``.
    """

    remembered = ("best", "wait", "stopped_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
    ) -> None:
        self.monitor = monitor
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.wait = 0
        self.stopped_epoch = 0
        self._best = Best(monitor, mode, min_delta, "EarlyStopping")

    def on_train_begin(self, logs: Logs = None) -> None:
        """Starts anew."""
        self.wait = 0
        self.stopped_epoch = 0
        self._best.forget()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Looks at the value."""
        current = self._best.current(logs)
        if current is None:
            return
        if self._best.is_better(current):
            self._best.value = current
            self.wait = 0
            return
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
        self.wait += 1

    def on_train_end(self, logs: Logs = None) -> None:
        """Says that training was ended."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch:05d}: early stopping")


class ReduceLROnPlateau(Watching):
    """Lowers the learning rate when a value has stopped getting better, and reports it as ``lr``.

    Args:
        monitor: The value's name.
        factor: What the learning rate is multiplied by.
        patience: Epochs to wait.
        verbose: 1 prints a line for each change.
        mode: See ``Best``.
        epsilon: By how much the value must be better.
        cooldown: Epochs after a change in which nothing is counted.
        min_lr: The smallest learning rate.

    Raises:
        DataError: ``factor`` is 1 or more.
    """

    remembered = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        epsilon: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
    ) -> None:
        if factor >= 1.0:
            raise DataError(f"ReduceLROnPlateau: factor must be less than 1. Received: {factor}.")
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0
        self._best = Best(monitor, mode, epsilon, "ReduceLROnPlateau", plateau=True)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Starts anew."""
        self.cooldown_counter = self.wait = 0
        self._best.forget()

    def in_cooldown(self) -> bool:
        """Tells whether the last change is too recent for another."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Looks at the value, and lowers the learning rate if it is time to."""
        if logs is not None:
            logs["lr"] = float(self.model.optimizer.lr)
        current = self._best.current(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._best.is_better(current):
            self._best.value = current
            self.wait = 0
        elif not self.in_cooldown():
            if self.wait >= self.patience:
                self._lower(epoch)
            self.wait += 1

    def _lower(self, epoch: int) -> None:
        old = float(self.model.optimizer.lr)
        if old <= self.min_lr * (1 + 1e-4):
            return
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.lr = new
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose > 0:
            print(f"\nEpoch {epoch:05d}: reducing learning rate to {new}.")


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: Gives the learning rate of an epoch, from 0.
    """

    def __init__(self, schedule: Any) -> None:
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Sets the learning rate.

        Raises:
            DataError: The optimizer has none, or the schedule gives no float.
        """
        if not hasattr(self.model.optimizer, "lr"):
            raise DataError(f"LearningRateScheduler: {type(self.model.optimizer).__name__} has no learning rate, lr.")
        rate = self.schedule(epoch)
        if not isinstance(rate, float | np.floating):
            raise DataError(f"LearningRateScheduler: the schedule must give a float. Received: {rate!r}.")
        self.model.optimizer.lr = rate
