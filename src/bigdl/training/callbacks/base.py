"""What callbacks are: Keras 1.2.2's ``Callback`` and the list that calls several."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from bigdl.errors import DataError

Logs = dict[str, Any] | None


class Callback:
    """Something that is told what happens in training; each method does nothing until it is overridden.

    Attributes:
        params: ``batch_size``, ``nb_epoch``, ``nb_sample``, ``verbose``, ``do_validation`` and ``metrics`` (the names
            of all that is reported).
        model: The model that is trained; setting its ``stop_training`` ends training after the epoch.
    """

    params: dict[str, Any]
    model: Any

    @property
    def resumed_epoch(self) -> int | None:
        """The epoch, from 0, with which a stopped training goes on (``BackupAndRestore``); None for one that begins."""
        epoch: int | None = getattr(self, "params", {}).get("resumed_epoch")
        return epoch

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes the parameters of the training that is about to begin."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Takes the model that is about to be trained."""
        self.model = model

    def on_train_begin(self, logs: Logs = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Called after the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Called before an epoch.

        Args:
            epoch: Its number, from 0.
            logs: Nothing yet.
        """

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Called after an epoch.

        Args:
            epoch: Its number, from 0.
            logs: The means over the epoch by name, and those of the validation as ``val_NAME``.
        """

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Called before a batch.

        Args:
            batch: Its number in the epoch, from 0.
            logs: ``batch`` and ``size``, the number of its rows.
        """

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Called after a batch.

        Args:
            batch: Its number in the epoch, from 0.
            logs: ``batch``, ``size``, the loss and all metrics.
        """

    def state_dict(self) -> dict[str, Any]:
        """Returns what the callback remembers, of what JSON can hold, so that a stopped training can go on."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes what ``state_dict`` returned; called after ``on_train_begin``."""


class CallbackList:
    """Callbacks that are told the same, in order.

    Args:
        callbacks: The callbacks.
        queue_length: Kept for Keras's signature.

    Raises:
        DataError: Something else is among them.
    """

    def __init__(self, callbacks: Iterable[Callback] | None = None, queue_length: int = 10) -> None:
        self.callbacks = checked_callbacks(callbacks or ())

    def append(self, callback: Callback) -> None:
        """Adds a callback."""
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        """Gives all callbacks the parameters."""
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Gives all callbacks the model."""
        for callback in self.callbacks:
            callback.set_model(model)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Tells all callbacks."""
        for callback in self.callbacks:
            callback.on_train_begin({} if logs is None else logs)

    def on_train_end(self, logs: Logs = None) -> None:
        """Tells all callbacks."""
        for callback in self.callbacks:
            callback.on_train_end({} if logs is None else logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Tells all callbacks."""
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Tells all callbacks; they share the logs, so one may add to them for the next."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Tells all callbacks."""
        for callback in self.callbacks:
            callback.on_batch_begin(batch, {} if logs is None else logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Tells all callbacks."""
        for callback in self.callbacks:
            callback.on_batch_end(batch, {} if logs is None else logs)


class AttributesCallback(Callback):
    """A callback that remembers no more than some of its attributes.

    Attributes:
        remembered: Their names.
    """

    remembered: ClassVar[tuple[str, ...]] = ()

    def state_dict(self) -> dict[str, Any]:
        """Returns the attributes."""
        return {name: getattr(self, name) for name in self.remembered}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Sets the attributes."""
        for name in self.remembered:
            setattr(self, name, state[name])


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: Called with ``(epoch, logs)``.
        on_epoch_end: Called with ``(epoch, logs)``.
        on_batch_begin: Called with ``(batch, logs)``.
        on_batch_end: Called with ``(batch, logs)``.
        on_train_begin: Called with ``(logs)``.
        on_train_end: Called with ``(logs)``.
        kwargs: Become attributes.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Any], Any] | None = None,
        on_epoch_end: Callable[[int, Any], Any] | None = None,
        on_batch_begin: Callable[[int, Any], Any] | None = None,
        on_batch_end: Callable[[int, Any], Any] | None = None,
        on_train_begin: Callable[[Any], Any] | None = None,
        on_train_end: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_batch_begin": on_batch_begin,
            "on_batch_end": on_batch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
        }
        self.__dict__.update(kwargs)
        self.__dict__.update((name, function) for name, function in given.items() if function is not None)


def checked_callbacks(callbacks: Any) -> list[Callback]:
    """Returns callbacks as a list.

    Raises:
        DataError: They are no list, or something else is among them.
    """
    listed: list[Any] = list(callbacks) if isinstance(callbacks, Iterable) else [None]
    if any(isinstance(callback, type) or not hasattr(callback, "set_model") for callback in listed):
        raise DataError(f"callbacks must be a list of bigdl.keras.callbacks.Callback. Received: {callbacks!r}.")
    return listed
