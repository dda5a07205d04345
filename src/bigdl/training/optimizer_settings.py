"""What happens beside training, as BigDL's optimizers are told: validation, checkpoints, clipping, summaries."""

from __future__ import annotations

import functools
from typing import Any, Self, TypeVar

from bigdl import files
from bigdl.errors import DataError
from bigdl.files import Uri
from bigdl.graph import Container
from bigdl.training.checkpoint import Checkpoints
from bigdl.training.clipping import Clip
from bigdl.training.inference import checked_batch_size
from bigdl.training.labelled import labelled_samples
from bigdl.training.optimizers import clip_by_norm, clip_by_value
from bigdl.training.summaries import TrainSummary, ValidationSummary
from bigdl.training.triggers import Trigger
from bigdl.training.validation import Top1Accuracy, ValidationMethod

S = TypeVar("S")


class OptimizerSettings:
    """The settings of BigDL's optimizers that are there to be changed before ``optimize``."""

    model: Container

    def __init__(self) -> None:
        self._clips: dict[str, Clip] = {}
        self._validation: tuple[Any, int, Trigger, list[ValidationMethod]] | None = None
        self._checkpoint: tuple[Checkpoints, Trigger] | None = None
        self._resume_from: Checkpoints | None = None
        self._train_summary: TrainSummary | None = None
        self._val_summary: ValidationSummary | None = None

    def _read_validation(self, data: Any) -> Any:
        """Checks data to validate on against the model; it becomes what the data to train on is."""
        return labelled_samples(self.model, data)

    def _validate_on(self, data: Any, batch_size: int, trigger: Trigger | None, methods: Any) -> Self:
        chosen = methods if isinstance(methods, list | tuple) else [methods or Top1Accuracy()]
        wrong = [method for method in chosen if not isinstance(method, ValidationMethod)]
        if wrong or not chosen:
            raise DataError(
                f"val_method must be a list of validation methods such as Top1Accuracy(). Received: {methods!r}."
            )
        trigger = checked_trigger(trigger, "trigger")
        self._validation = (self._read_validation(data), checked_batch_size(batch_size), trigger, list(chosen))
        return self

    def set_checkpoint(self, checkpoint_trigger: Trigger, checkpoint_path: Uri, isOverWrite: bool = True) -> Self:
        """Writes checkpoints, from which ``resume`` goes on; one is also written when Ctrl-C ends training.

        Args:
            checkpoint_trigger: When.
            checkpoint_path: The folder; a path or a URI.
            isOverWrite: Whether checkpoints of another training that are in the folder may be written over.

        Raises:
            DataError: The model cannot be saved, or there are checkpoints that may not be written over.
        """
        if not hasattr(self.model, "save"):
            raise DataError(f"Model {self.model.name!r} has no save(): checkpoints need a Model or a Sequential.")
        checkpoints = Checkpoints.at(checkpoint_path)
        if not isOverWrite and checkpoints != self._resume_from and checkpoints.latest() is not None:
            raise DataError(
                f"{files.display(checkpoint_path)} holds checkpoints of another training. Go on from them with "
                "resume(path) before set_checkpoint, choose another folder, or say isOverWrite=True."
            )
        self._checkpoint = (checkpoints, checked_trigger(checkpoint_trigger, "checkpoint_trigger"))
        return self

    def resume(self, path: Uri) -> bool:
        """Makes ``optimize`` go on from the newest checkpoint of a folder, if there is one.

        The run then ends with the weights that it would have had without a stop: shuffling, dropout and the
        optimizer's state are where they were.

        Args:
            path: The folder that ``set_checkpoint`` was given.

        Returns:
            Whether there is a checkpoint.
        """
        checkpoints = Checkpoints.at(path)
        found = checkpoints.latest() is not None
        self._resume_from = checkpoints if found else None
        return found

    def set_gradclip_const(self, min_value: float, max_value: float) -> Self:
        """Limits each value of the gradients to ``[min_value, max_value]``."""
        self._clips["const"] = functools.partial(clip_by_value, low=float(min_value), high=float(max_value))
        return self

    def set_gradclip_l2norm(self, clip_norm: float) -> Self:
        """Scales the gradients so that their norm, over all of them together, is at most ``clip_norm``."""
        self._clips["norm"] = functools.partial(clip_by_norm, limit=float(clip_norm))
        return self

    def disable_gradclip(self) -> Self:
        """Leaves gradients as they are."""
        self._clips.clear()
        return self

    def set_train_summary(self, summary: TrainSummary) -> Self:
        """Writes what training reports to event files of TensorBoard.

        Raises:
            DataError: It is no summary of training.
        """
        self._train_summary = _checked_summary(summary, TrainSummary)
        return self

    def set_val_summary(self, summary: ValidationSummary) -> Self:
        """Writes what validations find to event files of TensorBoard.

        Raises:
            DataError: It is no summary of validation.
        """
        self._val_summary = _checked_summary(summary, ValidationSummary)
        return self


def checked_trigger(trigger: Trigger | None, argument: str) -> Trigger:
    """Returns a trigger as it is.

    Raises:
        DataError: It is none.
    """
    if trigger is None or not callable(trigger):
        raise DataError(f"{argument} must be a trigger such as MaxEpoch(10). Received: {trigger!r}.")
    return trigger


def _checked_summary(summary: S, expected: type[S]) -> S:
    if not isinstance(summary, expected):
        raise DataError(f"Expected a {expected.__name__}(log_dir, app_name). Received: {summary!r}.")
    return summary
