"""The driver's end of the line: what workers tell is shown, and handed to whoever follows the training."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bigdl.spark.channel import CLOSED, Line, Message

logger = logging.getLogger("bigdl")

_NOTABLE_LAG = 0.1


@dataclass(frozen=True)
class _Pace:
    """The seconds of a step that a worker computes, and that it waits for the others."""

    computing: float
    waiting: float


@dataclass
class Watch:
    """What the driver knows of a job that is under way.

    Attributes:
        follow: Called with each message of the first worker about training; of a batch, with the ``lag`` as well.
        hosts: The workers' hosts, once they are known.
        checksums: Those of the workers' rows, once they are known.
        iteration: The number of steps done.
        line: The line to the first worker.
    """

    follow: Callable[[dict[str, Any], bytes, Line], None]
    hosts: list[str] = field(default_factory=list)
    checksums: list[int] | None = None
    iteration: int = 0
    line: Line | None = None
    _paces: dict[int, _Pace] = field(default_factory=dict)

    def take(self, message: Message) -> None:
        """Takes a message."""
        content = message.content
        kind = content["kind"]
        if kind == CLOSED:
            return
        if kind == "log":
            logging.getLogger(content["name"]).log(content["level"], "%s", content["text"])
        elif kind == "lag":
            steps = max(1, content["steps"])
            computed = content["seconds"] - content["waited"]
            self._paces[content["rank"]] = _Pace(computed / steps, content["waited"] / steps)
        else:
            if kind == "begin":
                self.hosts, self.line = content["hosts"], message.line
                self.checksums = self.checksums or content["checksums"]
                self._paces.clear()
            elif kind == "on_batch_end":
                self.iteration = content["state"]["iteration"]
                content["lag"] = self.lag()
            elif kind == "on_epoch_end" and self._paces:
                logger.info("[Epoch %d] Workers: %s.", content["state"]["epoch"], self._described())
            self.follow(content, message.data, message.line)

    def lag(self) -> str | None:
        """Returns which worker computes slower than the others, and by how much; None where none does."""
        if len(self._paces) < 2:
            return None
        seconds = {rank: pace.computing for rank, pace in self._paces.items()}
        slowest = max(seconds, key=seconds.__getitem__)
        middle = statistics.median_low(seconds.values())
        behind = seconds[slowest] - middle
        if behind <= _NOTABLE_LAG * middle:
            return None
        return f"worker {slowest} +{behind * 1000:.0f} ms a step"

    def _described(self) -> str:
        return ", ".join(
            f"{rank} on {self.hosts[rank]} {pace.computing * 1000:.1f} ms a step, {pace.waiting * 1000:.1f} ms waiting"
            for rank, pace in sorted(self._paces.items())
        )

    def stop(self) -> bool:
        """Asks the workers to end training after the step that is under way; returns whether they could be asked."""
        if self.line is None:
            return False
        try:
            self.line.send({"kind": "stop"})
        except OSError:
            return False
        return True
