"""BigDL's summaries: what training and validation report, as event files for TensorBoard."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, ClassVar, Self

from bigdl.errors import DataError
from bigdl.files import Uri
from bigdl.training.events import EventWriter, check_tensorboard, read_scalars
from bigdl.training.triggers import Progress, Trigger

TAGS = ("Loss", "Throughput", "LearningRate", "Parameters")


class Summary:
    """The event files of one kind of report, in ``log_dir/app_name/KIND``.

    Args:
        log_dir: The folder that TensorBoard is started on; a path or a URI.
        app_name: The name of the training.
        bigdl_type: Kept for BigDL's signature.

    Attributes:
        folder: Where the event files are.

    Raises:
        DataError: The package ``tensorboard`` is not installed.
    """

    kind: ClassVar[str]

    def __init__(self, log_dir: Uri, app_name: str, bigdl_type: str = "float") -> None:
        check_tensorboard()
        self.folder = "/".join([os.fspath(log_dir).rstrip("/"), app_name, self.kind])
        self._writer: EventWriter | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leaves the open file out."""
        return {**vars(self), "_writer": None}

    def read_scalar(self, tag: str) -> list[list[float]]:
        """Returns what was reported under a tag.

        Args:
            tag: Such as ``"Loss"``.

        Returns:
            For each report ``[iteration, value, seconds since 1970]``; nothing where there is no such tag.
        """
        self.flush()
        return read_scalars(self.folder, tag)

    @contextlib.contextmanager
    def writing(self, first_step: int) -> Iterator[None]:
        """Opens an event file for the time of the ``with`` block.

        Args:
            first_step: The first iteration that will be reported; earlier reports of it and what follows are void.
        """
        self._writer = EventWriter(self.folder, first_step)
        try:
            yield
        finally:
            self._writer.close()
            self._writer = None

    @property
    def writer(self) -> EventWriter:
        """Writes to the open file."""
        assert self._writer is not None
        return self._writer

    def flush(self) -> None:
        """Writes out what waits in memory."""
        if self._writer is not None:
            self._writer.flush()


class TrainSummary(Summary):
    """What training reports, by iteration; see ``Summary`` for the arguments.

    ``Loss`` and ``Throughput`` (records per second) are written for every iteration. ``LearningRate``, and under
    ``Parameters`` histograms of all weights and gradients, are written once ``set_summary_trigger`` asks for them.
    """

    kind = "train"

    def __init__(self, log_dir: Uri, app_name: str, bigdl_type: str = "float") -> None:
        super().__init__(log_dir, app_name, bigdl_type)
        self._triggers: dict[str, Trigger | None] = {"Loss": None, "Throughput": None}

    def set_summary_trigger(self, name: str, trigger: Trigger) -> Self:
        """Says when something is written.

        Args:
            name: ``"Loss"``, ``"Throughput"``, ``"LearningRate"`` or ``"Parameters"``.
            trigger: When.

        Raises:
            DataError: There is nothing of that name, or no trigger is given.
        """
        if name not in TAGS or not callable(trigger):
            raise DataError(
                f"set_summary_trigger expects one of {', '.join(TAGS)}, and a trigger such as SeveralIteration(20). "
                f"Received: {name!r}, {trigger!r}."
            )
        self._triggers[name] = trigger
        return self

    def reports(self, name: str) -> bool:
        """Tells whether something is written at all."""
        return name in self._triggers

    def is_due(self, name: str, state: Progress) -> bool:
        """Tells whether something is to be written now."""
        if name not in self._triggers:
            return False
        trigger = self._triggers[name]
        return trigger is None or trigger(state)


class ValidationSummary(Summary):
    """What validations find, a tag for each validation method; see ``Summary`` for the arguments."""

    kind = "validation"
