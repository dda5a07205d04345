"""What each format makes of each layer: ``bigdl formats``, the end of ``docs/exports.md``."""

from __future__ import annotations

from collections.abc import Iterator

from bigdl.export.keras3.registry import CONVERTERS as KERAS3
from bigdl.export.onnx.registry import CONVERTERS as ONNX
from bigdl.export.program import RESTRICTIONS
from bigdl.graph import Container, Layer
from bigdl.registry import supported_layers
from bigdl.registry.classes import entry_for

_SECTION = """\
## Layers

What each format makes of each layer; inside wrappers and models the layers inside count. This section is made from the
code, by `make docs`.

| layer | `.pt2` | `.onnx` | `.keras` |
|---|---|---|---|
{rows}
"""


def layers_section() -> str:
    """Returns the section, in Markdown."""
    return _SECTION.format(rows="\n".join(_rows()))


def _rows() -> Iterator[str]:
    for name in supported_layers():
        entry = entry_for(name)
        cls = None if entry is None else entry.layer_class
        if cls is None:
            continue
        if issubclass(cls, Container):
            cells = ["yes", "its layers", "a model; its layers where a mask comes out of it"]
        else:
            cells = [RESTRICTIONS.get(cls, "yes"), _onnx(cls), _keras3(cls)]
        yield f"| {' | '.join([name, *cells])} |"


def _onnx(cls: type[Layer]) -> str:
    told = ONNX.told(cls)
    return "followed by torch's exporter" if told is None else told[1] or "yes"


def _keras3(cls: type[Layer]) -> str:
    told = KERAS3.told(cls)
    return "refused" if told is None else " ".join(told).strip()
