"""What a model can be written as, by the ending of the file's name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bigdl.errors import DataError

Write = Callable[[Any, Any], None]


@dataclass(frozen=True, slots=True)
class Conversion:
    """One format.

    Attributes:
        endings: How the names of its files end.
        text: What it is.
        write: Writes a ``Model`` to a path or a URI.
        holds_weights: Whether the model's weights are written.
    """

    endings: tuple[str, ...]
    text: str
    write: Write
    holds_weights: bool = True


def _write_definition(model: Any, output: Any) -> None:
    from bigdl import files

    if output == "-":
        print(model.to_json(), file=sys.stdout)
    else:
        files.write_bytes(output, model.to_json().encode())


def _write_weights(model: Any, output: Any) -> None:
    model.save_weights(output)


def _write_both(model: Any, output: Any) -> None:
    model.save(output)


def _write_state_dict(model: Any, output: Any) -> None:
    from bigdl.export.state_dict import write_state_dict

    write_state_dict(model, output)


def _write_program(model: Any, output: Any) -> None:
    from bigdl.export.program import write_program

    write_program(model, output)


def _write_onnx(model: Any, output: Any) -> None:
    from bigdl.export.onnx import write_onnx

    write_onnx(model, output)


def _write_keras3(model: Any, output: Any) -> None:
    from bigdl.export.keras3 import write_keras3

    write_keras3(model, output)


# The first that fits is taken.
CONVERSIONS = (
    Conversion((".json",), "the definition as Keras 1.2.2's to_json; - for standard output", _write_definition, False),
    Conversion((".weights.h5", ".weights.hdf5"), "the weights as Keras 1.2.2's save_weights", _write_weights),
    Conversion((".h5", ".hdf5"), "definition and weights as Keras 1.2.2's save", _write_both),
    Conversion((".bigdl",), "definition and weights in this library's own format", _write_both),
    Conversion((".keras",), "definition, weights and training for Keras 3", _write_keras3),
    Conversion((".onnx",), "the computation for ONNX's runtimes", _write_onnx),
    Conversion((".pt2",), "the computation as a program of torch.export", _write_program),
    Conversion((".safetensors",), "the weights as a state dict of torch", _write_state_dict),
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
