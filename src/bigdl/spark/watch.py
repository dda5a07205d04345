"""The driver's end of the line: what workers tell is shown, and handed to whoever follows the training."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bigdl.spark.channel import CLOSED, Line, Message

_NOTABLE_LAG = 0.1


@dataclass
class Watch:
    """What the driver knows of a job that is under way.

    Attributes:
        follow: Called with each message of the first worker about training.
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
    _seconds_of_a_step: dict[int, float] = field(default_factory=dict)

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
            self._seconds_of_a_step[content["rank"]] = (content["seconds"] - content["waited"]) / steps
        else:
            if kind == "begin":
                self.hosts, self.line = content["hosts"], message.line
                self.checksums = self.checksums or content["checksums"]
            if kind == "on_batch_end":
                self.iteration = content["state"]["iteration"]
            self.follow(content, message.data, message.line)

    def lag(self) -> str | None:
        """Returns which worker computes slower than the others, and by how much; None where none does."""
        if len(self._seconds_of_a_step) < 2:
            return None
        slowest = max(self._seconds_of_a_step, key=self._seconds_of_a_step.__getitem__)
        middle = statistics.median_low(self._seconds_of_a_step.values())
        behind = self._seconds_of_a_step[slowest] - middle
        if behind <= _NOTABLE_LAG * middle:
            return None
        return f"worker {slowest} +{behind * 1000:.0f} ms a step"

    def stop(self) -> bool:
        """Asks the workers to end training after the step that is under way; returns whether they could be asked."""
        if self.line is None:
            return False
        try:
            self.line.send({"kind": "stop"})
        except OSError:
            return False
        return True
