"""Schedules by name and configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bigdl.errors import FormatError
from bigdl.training.schedules.base import Schedule


def serialize(schedule: Schedule) -> dict[str, Any]:
    """Returns ``{"class_name": ..., "config": ...}``, which ``get`` takes."""
    return {"class_name": type(schedule).__name__, "config": schedule.get_config()}


def get(described: Mapping[str, Any]) -> Schedule:
    """Returns the schedule that ``serialize`` described.

    Raises:
        FormatError: There is no schedule of this name, or its arguments are others.
    """
    classes = {each.__name__: each for each in Schedule.__subclasses__()}
    try:
        return classes[described["class_name"]].from_config(described["config"])
    except (KeyError, TypeError) as error:
        raise FormatError(f"This is no learning-rate schedule of this library: {dict(described)}.") from error
