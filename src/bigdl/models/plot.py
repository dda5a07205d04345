"""A model as a picture: boxes for layers, arrows for what flows between them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigdl import files
from bigdl.errors import DataError
from bigdl.graph import Container, Layer
from bigdl.layers.wrappers import Wrapper

# The size of a picture drawn with Matplotlib, in inches for each layer, and in points.
_WIDTH, _HEIGHT, _FONT_SIZE = 3.2, 0.9, 8


def plot_model(
    model: Container,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_layer_names: bool = True,
) -> None:
    """Draws a model (Keras 1.2.2's ``plot``).

    Graphviz draws it if its program ``dot`` is there, else Matplotlib.

    Args:
        model: The model.
        to_file: Where to; ``.png``, ``.svg`` or ``.pdf`` for a picture, ``.dot`` for Graphviz's text.
        show_shapes: Whether boxes show the shapes of inputs and outputs.
        show_layer_names: Whether they show the layers' names.

    Raises:
        DataError: The suffix is none of a picture.
        ImportError: There is neither Graphviz nor Matplotlib.
    """
    model_to_dot(model, show_shapes, show_layer_names).write(to_file)


def model_to_dot(model: Container, show_shapes: bool = False, show_layer_names: bool = True) -> Dot:
    """Returns the drawing of a model, to be written to a file; see ``plot_model``."""
    labels = {layer: _label(layer, show_shapes, show_layer_names) for layer in model.layers}
    numbers = {layer: number for number, layer in enumerate(labels)}
    arrows = [
        (numbers[tensor.layer], numbers[layer])
        for layer in labels
        for node in layer.inbound_nodes
        if node in model.graph.nodes
        for tensor in node.inputs
        if tensor.layer in numbers
    ]
    return Dot(list(labels.values()), list(dict.fromkeys(arrows)))


@dataclass(frozen=True, slots=True)
class Dot:
    """A drawing of boxes and arrows.

    Attributes:
        labels: The lines of each box.
        arrows: Pairs of boxes, by number.
    """

    labels: list[list[str]]
    arrows: list[tuple[int, int]]

    def to_string(self) -> str:
        """Returns it in Graphviz's language."""
        boxes = [f'  {i} [label="{_escaped(lines)}"];' for i, lines in enumerate(self.labels)]
        lines = [f"  {start} -> {end};" for start, end in self.arrows]
        return "\n".join(["digraph model {", "  rankdir=TB;", "  node [shape=box];", *boxes, *lines, "}", ""])

    def create(self, prog: str = "dot", format: str = "svg") -> bytes:
        """Returns the picture that Graphviz draws.

        Args:
            prog: Graphviz's program.
            format: ``"svg"``, ``"png"``, ...

        Raises:
            ImportError: The program is not installed.
        """
        program = shutil.which(prog)
        if program is None:
            raise ImportError(f"Graphviz's program {prog!r} is not installed. write('model.svg') does without.")
        command = [program, f"-T{format}"]
        done = subprocess.run(command, input=self.to_string().encode(), capture_output=True, check=True)  # noqa: S603
        return done.stdout

    def write(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Writes it to a file.

        Args:
            path: The file.
            format: Its format; that of its suffix by default.

        Raises:
            DataError: The format is none of a picture.
            ImportError: There is neither Graphviz nor Matplotlib.
        """
        kind = (format or Path(path).suffix.removeprefix(".") or "png").lower()
        if kind == "dot":
            files.write_bytes(path, self.to_string().encode())
        elif kind not in ("png", "svg", "pdf"):
            raise DataError(f"A model can be drawn as png, svg, pdf or dot. Received: {kind!r}.")
        elif shutil.which("dot"):
            files.write_bytes(path, self.create(format=kind))
        else:
            with files.write_atomic(path) as local:
                self._draw(local, kind)

    def _draw(self, path: Path, kind: str) -> None:
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError(
                "Drawing a model needs Graphviz, or Matplotlib: pip install 'bigdl-torch[plot]'"
            ) from error
        places = _places(len(self.labels), self.arrows)
        columns = max((x for x, _ in places), default=0) + 1
        rows = max((y for _, y in places), default=0) + 1
        figure = Figure(figsize=(_WIDTH * columns, _HEIGHT * rows))
        axes: Any = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
        axes.axis("off")
        box = {"boxstyle": "square", "facecolor": "white"}
        for start, end in self.arrows:
            style = {"arrowstyle": "->", "shrinkA": 14, "shrinkB": 22}
            axes.annotate("", places[end], places[start], arrowprops=style, zorder=1)
        for (x, y), lines in zip(places, self.labels, strict=True):
            axes.text(x, y, "\n".join(lines), ha="center", va="center", fontsize=_FONT_SIZE, bbox=box, zorder=2)
        figure.savefig(path, format=kind)


def _label(layer: Layer, show_shapes: bool, show_layer_names: bool) -> list[str]:
    name, kind = layer.name, type(layer).__name__
    if isinstance(layer, Wrapper) and layer.inner_layers:
        inner = layer.inner_layers[0]
        name, kind = f"{name}({inner.name})", f"{kind}({type(inner).__name__})"
    lines = [f"{name}: {kind}" if show_layer_names else kind]
    if show_shapes and layer.inbound_nodes:
        calls = range(len(layer.inbound_nodes))
        lines += [
            f"{what}: {', '.join(dict.fromkeys(str(shape_at(call)) for call in calls))}"
            for what, shape_at in (("input", layer.get_input_shape_at), ("output", layer.get_output_shape_at))
        ]
    return lines


def _escaped(lines: list[str]) -> str:
    return "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)


def _places(count: int, arrows: list[tuple[int, int]]) -> list[tuple[float, int]]:
    """Returns a column and a row for each box: below all that points to it, and as far left as there is room."""
    rows = [0] * count
    for _ in range(count):
        lower = [(end, rows[start] + 1) for start, end in arrows if rows[end] <= rows[start]]
        if not lower:
            break
        for end, row in lower:
            rows[end] = max(rows[end], row)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for box, row in enumerate(rows):
        members[row].append(box)
    widest = max(map(len, members.values()), default=1)
    return [(members[row].index(box) + (widest - len(members[row])) / 2, row) for box, row in enumerate(rows)]
