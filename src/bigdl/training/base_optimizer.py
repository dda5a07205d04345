"""What BigDL's optimizers share: model, data, criterion, optim method, and triggers that say what happens when."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import torch

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.training.batches import ArraySource, SeededOrder
from bigdl.training.checkpoint import RANDOM, naming_last_good
from bigdl.training.clipping import clipped
from bigdl.training.criterion_goal import CriterionGoal
from bigdl.training.engine import computing_threads
from bigdl.training.inference import check_divisible, checked_batch_size
from bigdl.training.labelled import check_labels, labelled_samples, score
from bigdl.training.layerwise import LayerwiseOptimizer
from bigdl.training.loop import Hook, train
from bigdl.training.optim_methods import SGD, OptimMethod
from bigdl.training.optimizer_hooks import CheckpointHook, ProgressHook, Record, ValidationHook
from bigdl.training.optimizer_settings import OptimizerSettings, checked_trigger
from bigdl.training.state import TrainingState
from bigdl.training.step import Step
from bigdl.training.summaries import Summary
from bigdl.training.summary_hook import SummaryHook
from bigdl.training.triggers import MaxEpoch, Trigger
from bigdl.training.validation import EvaluatedResult


class BaseOptimizer(OptimizerSettings):
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
        super().__init__()
        self.state = TrainingState()
        self.set_model(model)
        self.set_criterion(criterion)
        self.set_traindata(training_data, batch_size)
        self.set_end_when(end_trigger or MaxEpoch(1))
        self.optim_method = optim_method or SGD()
        self.cores = cores
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
        self._data = self._read(training_rdd)

    def _read(self, data: Any) -> Any:
        """Checks data against the model; here it becomes samples."""
        return labelled_samples(self.model, data)

    def set_end_when(self, end_when: Trigger) -> None:
        """Sets when to stop.

        Raises:
            DataError: It is no trigger.
        """
        self.end_trigger = checked_trigger(end_when, "end_trigger")

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
        self._train(self._prepared_step(), verbose)
        return self.model

    def _prepared_step(self) -> Step:
        """Returns what trains on a batch, after going back to a checkpoint if there is one to go on from."""
        optimizer = self._bound_optimizer()
        clip = functools.partial(clipped, dict(self._clips)) if self._clips else None
        step = Step(self.model, CriterionGoal(self.criterion), optimizer, self.model.trainable_weights, clip)
        if self._resume_from is not None:
            self._restore(self._resume_from.load(self.model, optimizer))
        elif isinstance(optimizer, OptimMethod) and optimizer.resumed is not None:
            torch.set_rng_state(optimizer.resumed[RANDOM])
            self._restore(optimizer.resumed["progress"])
            optimizer.resumed = None
        optimizer.progress = self.state
        if self._seed is None:
            self._seed = int(torch.randint(2**62, ()))
        if self._checkpoint is not None and self.state.iteration == 0:
            self._checkpoint[0].forget()
        return step

    def _train(self, step: Step, verbose: int) -> None:
        assert self._seed is not None
        source = ArraySource(self._data, self.batch_size, SeededOrder(self._seed))
        progress = ProgressHook(self._record, source.rows, verbose, self._epochs)
        hooks: list[Hook] = [progress]
        if self._train_summary is not None:
            assert isinstance(step.optimizer, OptimMethod | LayerwiseOptimizer)
            hooks.append(SummaryHook(self._train_summary, self.model, step.optimizer))
        if self._validation is not None:
            samples, batch_size, trigger, methods = self._validation

            def validate(rows: int | None) -> list[EvaluatedResult]:
                return score(self.model, samples, batch_size, methods, rows=rows)

            hooks.append(ValidationHook(validate, trigger, progress, self._val_summary, batch_size))
        if self._checkpoint is not None:
            hooks.append(CheckpointHook(*self._checkpoint, self.model, step.optimizer, self._progress))
        last_good = naming_last_good(None if self._checkpoint is None else self._checkpoint[0])
        with computing_threads(self.cores), contextlib.closing(progress), self._summaries_open(), last_good:
            train(step, source, self.end_trigger, hooks, self.state)

    @property
    def _epochs(self) -> int | None:
        """How many epochs there will be, None where nobody knows."""
        return self.end_trigger.max_epoch if isinstance(self.end_trigger, MaxEpoch) else None

    def _check(self) -> None:
        check_labels(self.criterion, self.model, self._data)
        check_divisible(self.model, len(self._data), self.batch_size)
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

    @contextlib.contextmanager
    def _summaries_open(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for summary in self._summaries:
                stack.enter_context(summary.writing(self.state.iteration + 1))
            yield

    @property
    def _summaries(self) -> list[Summary]:
        return [summary for summary in (self._train_summary, self._val_summary) if summary is not None]

    def _progress(self) -> dict[str, Any]:
        for summary in self._summaries:  # what is reported of steps that are not taken again
            summary.flush()
        return {"state": asdict(self.state), "record": asdict(self._record), "seed": self._seed}

    def _restore(self, progress: Mapping[str, Any]) -> None:
        self.state = TrainingState(**progress["state"])
        self._record = Record(**progress["record"])
        self._seed = int(progress["seed"])
        self._resume_from = None
