"""What BigDL's optimizers share: model, data, criterion, optim method, and triggers that say what happens when."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Self

import torch
from torch import Tensor

from bigdl import files
from bigdl.errors import DataError, TrainingError
from bigdl.files import Uri
from bigdl.graph import Container
from bigdl.training.batches import ArraySource, Samples, SeededOrder
from bigdl.training.checkpoint import Checkpoints
from bigdl.training.criterion_goal import CriterionGoal
from bigdl.training.engine import computing_threads
from bigdl.training.inference import check_divisible, checked_batch_size
from bigdl.training.labelled import check_labels, labelled_samples
from bigdl.training.layerwise import LayerwiseOptimizer
from bigdl.training.loop import Hook, train
from bigdl.training.optim_methods import SGD, OptimMethod
from bigdl.training.optimizer_hooks import CheckpointHook, ProgressHook, Record, ValidationHook
from bigdl.training.optimizers import clip_by_norm, clip_by_value
from bigdl.training.state import TrainingState
from bigdl.training.step import Step
from bigdl.training.triggers import MaxEpoch, Trigger
from bigdl.training.validation import Top1Accuracy, ValidationMethod

Gradients = list[Tensor]


class BaseOptimizer:
    """What BigDL's optimizers share.

    Training goes on where it stopped when ``optimize`` is called again, as the state is kept.

    Attributes:
        model: The model.
        state: How far training has come.
        history: For each epoch the mean ``loss``, and what validations found, ``val_top1accuracy`` and so on.

    Args:
        model: The model to train, in place.
        training_data: ``(X, Y)``, or a list of ``Sample``.
        criterion: The loss, a function of output and target.
        end_trigger: When to stop.
        batch_size: Rows for each step.
        optim_method: How the weights are moved, SGD by default; or one for each layer, by name.
        cores: How many threads to compute with; those of torch by default.
    """

    def __init__(
        self,
        model: Container,
        training_data: Any,
        criterion: Any,
        end_trigger: Trigger | None,
        batch_size: int,
        optim_method: OptimMethod | Mapping[str, OptimMethod] | None = None,
        cores: int | None = None,
    ) -> None:
        self.state = TrainingState()
        self.set_model(model)
        self.set_criterion(criterion)
        self.set_traindata(training_data, batch_size)
        self.set_end_when(end_trigger or MaxEpoch(1))
        self.optim_method = optim_method or SGD()
        self.cores = cores
        self._clips: dict[str, Callable[[Gradients], Gradients]] = {}
        self._validation: tuple[Samples, int, Trigger, list[ValidationMethod]] | None = None
        self._checkpoint: tuple[Checkpoints, Trigger] | None = None
        self._resume_from: Checkpoints | None = None
        self._record = Record()
        self._seed: int | None = None

    @property
    def history(self) -> dict[str, list[float]]:
        """What each epoch reported, by name."""
        return self._record.history

    # What to train.

    def set_model(self, model: Container) -> None:
        """Sets the model.

        Raises:
            DataError: It is no model.
        """
        if not isinstance(model, Container):
            raise DataError(f"model must be a model of this library. Received: {type(model).__name__}.")
        self.model = model

    def set_criterion(self, criterion: Any) -> None:
        """Sets the criterion.

        Raises:
            DataError: It cannot be called.
        """
        if not callable(criterion):
            raise DataError(
                f"criterion must be a criterion, or a function of output and target. Received: {criterion!r}."
            )
        self.criterion = criterion

    def set_traindata(self, training_rdd: Any, batch_size: int) -> None:
        """Sets the data to train on.

        Args:
            training_rdd: ``(X, Y)``, or a list of ``Sample``.
            batch_size: Rows for each step.

        Raises:
            DataError: It does not fit the model.
        """
        self.batch_size = checked_batch_size(batch_size)
        self._samples = labelled_samples(self.model, training_rdd)

    def set_end_when(self, end_when: Trigger) -> None:
        """Sets when to stop.

        Raises:
            DataError: It is no trigger.
        """
        self.end_trigger = _checked_trigger(end_when, "end_trigger")

    # What happens beside.

    def _validate_on(self, data: Any, batch_size: int, trigger: Trigger | None, methods: Any) -> Self:
        chosen = methods if isinstance(methods, list | tuple) else [methods or Top1Accuracy()]
        wrong = [method for method in chosen if not isinstance(method, ValidationMethod)]
        if wrong or not chosen:
            raise DataError(
                f"val_method must be a list of validation methods such as Top1Accuracy(). Received: {methods!r}."
            )
        samples = labelled_samples(self.model, data)
        self._validation = (samples, checked_batch_size(batch_size), _checked_trigger(trigger, "trigger"), list(chosen))
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
        self._checkpoint = (checkpoints, _checked_trigger(checkpoint_trigger, "checkpoint_trigger"))
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

    # Training.

    def prepare_input(self) -> None:
        """Does nothing: the data is ready."""

    def optimize(self, verbose: int = 1) -> Container:
        """Trains the model in place.

        Args:
            verbose: 0 shows nothing, 1 a progress bar on a terminal and a line for each epoch, 2 the lines only.

        Returns:
            The model.

        Raises:
            DataError: Labels do not fit the model.
            TrainingError: The loss is not finite; weights and checkpoints are those from before.
            KeyboardInterrupt: Ctrl-C was pressed; a checkpoint was written if there is a folder for them.
        """
        self._check()
        optimizer = self._bound_optimizer()
        step = Step(
            self.model,
            CriterionGoal(self.criterion),
            optimizer,
            self.model.trainable_weights,
            self._clip if self._clips else None,
        )
        if self._resume_from is not None:
            self._restore(self._resume_from.load(self.model, optimizer))
        optimizer.progress = self.state
        if self._seed is None:
            self._seed = int(torch.randint(2**62, ()))
        source = ArraySource(self._samples, self.batch_size, SeededOrder(self._seed))
        epochs = self.end_trigger.max_epoch if isinstance(self.end_trigger, MaxEpoch) else None
        progress = ProgressHook(self._record, source.rows, verbose, epochs)
        hooks: list[Hook] = [progress]
        if self._validation is not None:
            samples, batch_size, trigger, methods = self._validation
            hooks.append(ValidationHook(self.model, samples, batch_size, trigger, methods, progress))
        checkpoint = self._checkpoint_hook(optimizer)
        hooks += [checkpoint] if checkpoint is not None else []
        with computing_threads(self.cores), contextlib.closing(progress):
            try:
                train(step, source, self.end_trigger, hooks, self.state)
            except TrainingError as error:
                if checkpoint is not None and checkpoint.newest is not None:
                    error.add_note(f"The last good checkpoint is {files.display(checkpoint.newest)}.")
                raise
        return self.model

    def _check(self) -> None:
        check_labels(self.criterion, self.model, self._samples)
        check_divisible(self.model, len(self._samples), self.batch_size)
        if self._validation is not None:
            check_labels(self.criterion, self.model, self._validation[0])

    def _bound_optimizer(self) -> OptimMethod | LayerwiseOptimizer:
        if isinstance(self.optim_method, Mapping):
            return LayerwiseOptimizer(self.model, self.optim_method)
        if not isinstance(self.optim_method, OptimMethod):
            raise DataError(
                f"optim_method must be an optim method such as SGD(), or one for each layer by name. "
                f"Received: {self.optim_method!r}."
            )
        return self.optim_method

    def _clip(self, gradients: Gradients) -> Gradients:
        for name in ("const", "norm"):
            if name in self._clips:
                gradients = self._clips[name](gradients)
        return gradients

    def _checkpoint_hook(self, optimizer: Any) -> CheckpointHook | None:
        if self._checkpoint is None:
            return None
        checkpoints, trigger = self._checkpoint
        if self.state.iteration == 0:
            checkpoints.forget()
        return CheckpointHook(checkpoints, trigger, self.model, optimizer, self._progress)

    def _progress(self) -> dict[str, Any]:
        return {"state": asdict(self.state), "record": asdict(self._record), "seed": self._seed}

    def _restore(self, progress: Mapping[str, Any]) -> None:
        self.state = TrainingState(**progress["state"])
        self._record = Record(**progress["record"])
        self._seed = int(progress["seed"])
        self._resume_from = None


def _checked_trigger(trigger: Trigger | None, argument: str) -> Trigger:
    if trigger is None or not callable(trigger):
        raise DataError(f"{argument} must be a trigger such as MaxEpoch(10). Received: {trigger!r}.")
    return trigger
