"""Keras's ``fit`` on the data of a Spark session."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.spark.channel import Line
from bigdl.spark.cluster import Cluster
from bigdl.spark.job import submit
from bigdl.spark.keras_work import KerasWork
from bigdl.spark.options import Options
from bigdl.spark.placement import DataSet
from bigdl.spark.results import packed, restore, state_of, unpacked
from bigdl.training import Callback, Compiled, History
from bigdl.training.batches import Order
from bigdl.training.callback_hook import CallbackHook
from bigdl.training.checkpoint import checksum
from bigdl.training.inference import checked_batch_size
from bigdl.training.state import TrainingState

_MOST_MIRRORED = 1 << 28
"""Bytes of the largest model that comes to the driver after each epoch even if no callback needs it there."""


@dataclass
class KerasJob:
    """A ``fit`` on a cluster.

    The callbacks run on the driver. They are told of each batch as it happens; at the ends of epochs they find the
    model as it is then, and what they change of it, of the optimizer's numbers or ``stop_training`` holds for the
    workers from there on. Where a worker is lost, training goes on from the last of these moments.

    Attributes:
        model: The model.
        compiled: What it was compiled with.
        sets: The data to train on, and to validate on.
        batch_size: Rows for each step, over all workers.
        nb_epoch: The number of the last epoch.
        verbose: See ``fit``.
        callbacks: What is told of the progress.
        split: The share of the rows, from the end, to validate on.
        order: The order of the rows.
        class_weight: A weight for each class number.
        initial_epoch: The number of epochs that were trained before.
        options: How the job runs.
    """

    model: Container
    compiled: Compiled
    sets: Sequence[DataSet]
    batch_size: int
    nb_epoch: int
    verbose: int
    callbacks: Iterable[Callback] | None
    split: float
    order: Order
    class_weight: Any
    initial_epoch: int
    options: Options

    def run(self) -> History:
        """Trains the model, in place.

        Returns:
            The history: loss and metrics by epoch.

        Raises:
            DataError: What was asked for cannot be done on workers.
            BigDLError: See ``submit``.
            KeyboardInterrupt: Ctrl-C was pressed; the model is as it was after the last step.
        """
        self._check()
        cluster = Cluster(self.sets[0].frame.sparkSession)
        workers = cluster.workers(self.options.workers, self.batch_size)
        owner: Any = self.model
        owner.stop_training, owner.held_out = False, None
        told = list(self.callbacks or ())
        size = sum(tensor.nbytes for tensor in self.model.state_dict().values())
        state = TrainingState(epoch=self.initial_epoch + 1)
        work = KerasWork(
            compiled=self.compiled,
            fields=[data.fields for data in self.sets],
            batch_size=self.batch_size,
            order=self.order,
            state=state,
            seed=int(torch.randint(2**62, ())),
            nb_epoch=self.nb_epoch,
            class_weight=self.class_weight,
            split=self.split,
            mirrored=bool(told) or size <= _MOST_MIRRORED,
            answered=bool(told),
        )
        with contextlib.closing(_Mirror(work, told, self.verbose)) as mirror:
            resume = mirror.has_epoch if work.mirrored else None
            outcome, tensors = submit(self.sets, work.from_here, cluster, workers, self.options, mirror.follow, resume)
            restore(work, tensors)
            if outcome["interrupted"]:
                raise KeyboardInterrupt
            return mirror.finish(outcome)

    def _check(self) -> None:
        self.batch_size = checked_batch_size(self.batch_size)
        if self.model.stateful:
            raise DataError(
                f"Model {self.model.name!r} is stateful: its layers keep a state for each row of a batch, and rows are "
                "spread over workers. Train it on one machine."
            )
        if self.compiled.step.in_bf16 and self.options.sync_batch_norm:
            raise DataError(
                f"Model {self.model.name!r} is compiled with precision='bf16', which Options(sync_batch_norm=True) "
                "would leave out. Choose one of the two."
            )
        if self.split and not 0.0 < self.split < 1.0:
            raise DataError(f"validation_split must be from 0 to below 1. Received: {self.split}.")


class _Mirror:
    """What the driver knows of a training: its model and optimizer as they were at the end of the last epoch.

    Args:
        work: The work; it moves on with the training, so that an attempt that begins again begins here.
        callbacks: What is told.
        verbose: See ``fit``.
    """

    def __init__(self, work: KerasWork, callbacks: list[Callback], verbose: int) -> None:
        self._work = work
        self._callbacks = callbacks
        self._verbose = verbose
        self._hook: CallbackHook | None = None
        self._rows = 0
        self._told: set[tuple[str, int]] = set()
        self._iteration = 0
        self._held_out: list[float] = []
        self._last_epoch = 0

    def has_epoch(self) -> bool:
        """Tells whether an epoch is over, after which training can go on."""
        return self._last_epoch > 0

    def follow(self, content: dict[str, Any], data: bytes, line: Line) -> None:
        """Takes a message; see ``Watch``."""
        kind = content["kind"]
        if kind == "begin":
            self._begin(content["rows"])
            return
        state = TrainingState(**content["state"])
        if kind == "on_batch_end":
            if state.iteration > self._iteration:  # else it is told again, after a worker was lost
                assert self._hook is not None
                self._hook.note(content["lag"])
                self._batch(state, content["rows"], content["results"])
            return
        weights = b""
        if (kind, state.epoch) not in self._told:
            self._told.add((kind, state.epoch))
            weights = self._tell(kind, state, data, content.get("held_out"))
        if self._work.answered:
            line.send(self._answer(bool(weights)), weights)

    def _begin(self, rows: list[int]) -> None:
        if self._hook is not None:
            return
        self._rows = rows[0]
        work = self._work
        if self._verbose and len(rows) > 1:
            print(f"Train on {rows[0]} samples, validate on {rows[1]} samples")
        self._hook = CallbackHook(
            work.model,
            work.compiled,
            self._callbacks,
            {
                "batch_size": work.batch_size,
                "nb_epoch": work.nb_epoch,
                "nb_sample": rows[0],
                "verbose": self._verbose,
            },
            (lambda: self._held_out) if len(rows) > 1 else None,
        )

    def _batch(self, state: TrainingState, rows: int, results: list[float]) -> None:
        assert self._hook is not None
        self._iteration = state.iteration
        before = TrainingState(state.epoch, state.iteration - 1, state.batch - 1, state.records - rows)
        self._hook.on_batch_begin(before, rows)
        self._hook.on_batch_end(state, rows, results)

    def _tell(self, kind: str, state: TrainingState, data: bytes, held_out: list[float] | None) -> bytes:
        """Tells the callbacks; returns the model and the optimizer where the callbacks have changed the weights."""
        assert self._hook is not None
        work = self._work
        if data:
            restore(work, unpacked(data))
        self._held_out = held_out or []
        before = checksum(work.model) if work.answered else 0
        getattr(self._hook, kind)(state)
        if kind == "on_epoch_end":
            work.order.rows(state.epoch, self._rows, work.batch_size)  # draws what the workers have drawn
            work.state = state
            self._last_epoch = state.epoch
        return packed(state_of(work)) if work.answered and checksum(work.model) != before else b""

    def _answer(self, weights: bool) -> dict[str, Any]:
        model: Any = self._work.model
        numbers = {name: float(value) for name, value in self._work.optimizer.numbers.items()}
        return {"stop_training": bool(model.stop_training), "variables": numbers, "weights": weights}

    def finish(self, outcome: dict[str, Any]) -> History:
        """Tells the callbacks that training is over, and of what the workers could not tell in time."""
        missed = [report for report in outcome["epochs"] if report["state"]["epoch"] > self._last_epoch]
        if self._hook is None:
            self._begin(outcome["rows"])
        assert self._hook is not None
        if not self._told:
            self._hook.on_train_begin(TrainingState())
        for report in missed:
            state = TrainingState(**report["state"])
            self._hook.on_epoch_begin(state)
            self._batch(state, state.records, report["means"])
            self._tell("on_epoch_end", state, b"", report["held_out"])
        self._hook.on_train_end(TrainingState(**outcome["state"]))
        return self._hook.history

    def close(self) -> None:
        """Takes the bar away."""
        if self._hook is not None:
            self._hook.close()
