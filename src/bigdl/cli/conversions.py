"""What ``bigdl convert`` writes, by the ending of the file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigdl.errors import DataError

if TYPE_CHECKING:
    from bigdl.models import Model


@dataclass(frozen=True, slots=True)
class Conversion:
    """One format.

    Attributes:
        endings: How its files end.
        text: What it is.
        write: Writes a model to a path or a URI.
        holds_weights: Whether the model's weights are written.
    """

    endings: tuple[str, ...]
    text: str
    write: Callable[[Model, str], None]
    holds_weights: bool = True


def _write_definition(model: Model, output: str) -> None:
    from bigdl import files

    if output == "-":
        print(model.to_json(), file=sys.stdout)
    else:
        files.write_bytes(output, model.to_json().encode())


def _write_weights(model: Model, output: str) -> None:
    model.save_weights(output)


def _write_both(model: Model, output: str) -> None:
    model.save(output)


# The first that fits is taken.
CONVERSIONS = (
    Conversion((".json",), "the definition as Keras 1.2.2's to_json; - for standard output", _write_definition, False),
    Conversion((".weights.h5", ".weights.hdf5"), "the weights as Keras 1.2.2's save_weights", _write_weights),
    Conversion((".h5", ".hdf5"), "definition and weights as Keras 1.2.2's save", _write_both),
    Conversion((".bigdl", ".safetensors"), "definition and weights in this library's own format", _write_both),
)


def conversion_for(output: str) -> Conversion:
    """Returns the format of a file.

    Args:
        output: Its path or URI; ``-`` for standard output.

    Raises:
        DataError: Its ending says nothing.
    """
    name = ".json" if output == "-" else output.lower()
    for conversion in CONVERSIONS:
        if name.endswith(conversion.endings):
            return conversion
    known = ", ".join(ending for conversion in CONVERSIONS for ending in conversion.endings)
    raise DataError(f"What to write to {output} cannot be told from its name. Expected it to end in one of: {known}.")
