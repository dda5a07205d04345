"""From model files to files of other formats."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from bigdl.export import conversion_for
from bigdl.files import Uri
from bigdl.models import loading, saving

if TYPE_CHECKING:
    from bigdl.models.model import Model


def convert(model: Uri, output: Uri, weights: Uri | None = None, **options: Any) -> None:
    """Writes a model of files in another format, as ``bigdl convert`` does.

    Args:
        model: The definition, a full save, or a model saved by this library. A path or a URI.
        output: Where to; the ending says what is written, see ``Model.export``.
        weights: A file of weights.
        options: See ``load_keras``.

    Raises:
        BigDLError: See ``load_keras`` and ``Model.export``; nothing is written then.
    """
    conversion_for(os.fspath(output))  # before a large model is loaded for nothing
    export(loading.load_keras(model, weights, **options), output)


def export(model: Model, path: Uri, over_write: bool = True) -> None:
    """Writes a model in the format that the path's ending says; see ``Model.export``."""
    conversion = conversion_for(os.fspath(path))
    saving.check_free(path, over_write)
    conversion.write(model, path)
