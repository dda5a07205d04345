"""What users pass to ``fit`` and ``evaluate``, as samples that fit the model and what it was compiled with."""

from __future__ import annotations

from typing import Any

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.training.batches import Samples
from bigdl.training.compile import Compiled
from bigdl.training.data import Data, check_same_rows, input_columns
from bigdl.training.inference import check_divisible
from bigdl.training.targets import target_columns, weight_columns


def samples_for(
    model: Container, compiled: Compiled, x: Data, y: Data, sample_weight: Any = None, class_weight: Any = None
) -> Samples:
    """Returns data that fits the model and what it was compiled with; see ``fit``.

    Raises:
        DataError: It does not fit.
    """
    inputs = input_columns(model, x)
    targets = target_columns(model, y, compiled.functions)
    named = {f"input {name}": column for name, column in zip(model.input_names, inputs, strict=True)}
    named |= {f"targets of {name}": column for name, column in zip(model.output_names, targets, strict=True)}
    check_same_rows(named, f"Model {model.name!r}")
    return Samples(inputs, targets, weight_columns(model, targets, compiled.modes, sample_weight, class_weight))


def for_outputs(weights: list[Any], outputs: int) -> list[Any] | None:
    """Returns weights for each output: a single array is for all of them, none for none."""
    return weights * outputs if len(weights) == 1 else weights or None


def check_rows(model: Container, samples: Samples, batch_size: int | None = None) -> None:
    """Checks that there are rows, and for a stateful model that they fill all batches.

    Raises:
        DataError: They do not.
    """
    if len(samples) == 0:
        raise DataError(f"Model {model.name!r}: the data has no rows.")
    if batch_size is not None:
        check_divisible(model, len(samples), batch_size)


def checked_validation(data: Any) -> Any:
    """Returns ``(x, y)`` or ``(x, y, sample_weight)`` as it is.

    Raises:
        DataError: It is something else.
    """
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        size = f" of {len(data)}" if hasattr(data, "__len__") else ""
        raise DataError(
            f"validation_data must be (x, y) or (x, y, sample_weight). Received: {type(data).__name__}{size}."
        )
    return data


def split(samples: Samples, share: float) -> tuple[Samples, Samples]:
    """Returns the rows to train on and, from the end, the share to validate on.

    Raises:
        DataError: The share is not from 0 to below 1, or leaves no row on one of the sides.
    """
    if not 0.0 < share < 1.0:
        raise DataError(f"validation_split must be from 0 to below 1. Received: {share}.")
    at = int(len(samples) * (1.0 - share))
    if at in (0, len(samples)) and len(samples):
        raise DataError(
            f"validation_split={share} of {len(samples)} rows leaves {at} to train on and {len(samples) - at} to "
            "validate on; both need at least one."
        )
    return samples.part(0, at), samples.part(at, len(samples))
