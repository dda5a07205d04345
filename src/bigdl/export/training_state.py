"""What a model is trained by, in formats that are for prediction."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bigdl import files
from bigdl.graph import Container

if TYPE_CHECKING:
    from bigdl.training import Compiled

logger = logging.getLogger("bigdl")


def compiled_of(model: Container) -> Compiled | None:
    """Returns what a model was compiled with; None where it was not."""
    compiled: Compiled | None = getattr(model, "_compiled", None)
    return compiled


def warn_of_training(model: Container, path: files.Uri) -> None:
    """Says in the log that a compiled model is written without what it is trained by."""
    if compiled_of(model) is not None:
        logger.warning(
            "%s is for prediction: loss, metrics and optimizer of model %r are not in it.",
            files.display(path),
            model.name,
        )
