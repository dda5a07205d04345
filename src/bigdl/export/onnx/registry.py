"""How layers are written as ONNX nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bigdl.export.converters import Converters
from bigdl.export.onnx.graph import Graph, Value

Convert = Callable[[Graph, Any, Sequence[Value], Sequence[Value | None]], Value | list[Value]]
"""Takes the graph, a layer, its inputs and their masks; returns the layer's output, or a list of them."""

MaskConvert = Callable[[Graph, Any, Sequence[Value], Sequence[Value | None]], Value | None]
"""Takes the same; returns the mask of the layer's outputs."""

CONVERTERS: Converters[Convert] = Converters()
