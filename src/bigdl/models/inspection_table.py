"""An inspection as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bigdl.models.inspection import Inspection, LayerInspection, WeightInspection

_HEAD = ("layer (class)", "output shape", "params", "weights")
_BACKENDS = {
    "tensorflow": "Keras on TensorFlow (names end in ':0')",
    "theano": "Keras on Theano (names lack TensorFlow's ':0')",
}


def table(inspection: Inspection) -> str:
    """Returns the text that ``bigdl inspect`` prints."""
    parts = [_summary(inspection), _layers(inspection), _unused(inspection), _functions(inspection)]
    return _printable("\n\n".join([*filter(None, parts), _verdict(inspection)]))


def _summary(inspection: Inspection) -> str:
    weights = inspection.weights_source
    rows = [("definition", inspection.source if inspection.kind else f"none in {inspection.source}")]
    if inspection.kind:
        name = f"{inspection.kind} {inspection.name!r}" if inspection.name else inspection.kind
        rows.append(("model", f"{name}, {_count(sum(not each.depth for each in inspection.layers), 'layer')}"))
        rows.append(("written by", f"Keras {inspection.keras_version or '1.x (the file does not say which)'}"))
    rows.append(("weights", weights or "none"))
    if inspection.backend:
        rows.append(("probably by", _BACKENDS[inspection.backend]))
    if inspection.optimizer:
        rows.append(("compiled", inspection.optimizer))
    return "\n".join(f"{key + ':':<13}{value}" for key, value in rows)


def _layers(inspection: Inspection) -> str:
    if not inspection.layers:
        return ""
    has_weights = inspection.weights_source is not None
    rows = [_row(layer, has_weights) for layer in inspection.layers]
    widths = [max(len(row[i]) for row in [_HEAD, *rows]) for i in range(len(_HEAD) - 1)]
    line = "-" * (sum(widths) + 3 * len(widths) + len(_HEAD[-1]))
    whole = all(layer.params is not None for layer in inspection.layers)
    total = f"{inspection.params:,} parameters{'' if whole else ' in the layers that can be built'}"
    return "\n".join([_joined(_HEAD, widths), line, *(_joined(row, widths) for row in rows), line, total])


def _row(layer: LayerInspection, has_weights: bool) -> tuple[str, str, str, str]:
    name = f"{'  ' * layer.depth}{layer.name} ({layer.class_name})"
    shapes = ", ".join(map(str, layer.output_shapes)) or "?"
    params = f"{layer.params:,}" if layer.params is not None else "?"
    notes = [_weight(weight, has_weights) for weight in layer.weights]
    if layer.problem is not None:
        notes.insert(0, "REFUSED" if layer.supported else "NOT SUPPORTED")
    elif not layer.output_shapes:
        notes.insert(0, "not built")
    return name, shapes, params, ", ".join(notes)


def _weight(weight: WeightInspection, has_weights: bool) -> str:
    if weight.expected is None:
        return f"in the file: {weight.name} {weight.found}"
    text = f"{weight.name} {weight.expected}"
    if weight.found is None:
        return f"{text} NOT IN THE FILE" if has_weights else text
    return text if weight.found == weight.expected else f"{text} IN THE FILE {weight.found}"


def _joined(row: Sequence[str], widths: Sequence[int]) -> str:
    name, shapes, params, weights = row
    return f"{name:<{widths[0]}}   {shapes:<{widths[1]}}   {params:>{widths[2]}}   {weights}".rstrip()


def _unused(inspection: Inspection) -> str:
    rows = [
        f"  {name}: {', '.join(f'{weight.name} {weight.found}' for weight in weights)}"
        for name, weights in inspection.unused
    ]
    title = "In the file of weights, for no layer of the model:" if inspection.kind else "In the file:"
    return "\n".join([title, *rows]) if rows else ""


def _functions(inspection: Inspection) -> str:
    texts = [
        f"  {layer.name} ({layer.class_name}), {textwrap.indent(text, '    ').lstrip()}"
        for layer in inspection.layers
        for text in layer.functions
        if layer.supported  # else the problem shows them
    ]
    return "\n".join(["Functions in the file (never run):", *texts]) if texts else ""


def _verdict(inspection: Inspection) -> str:
    notes = [f"Note: {note}" for note in inspection.notes]
    if inspection.loads:
        return "\n".join([*notes, "The model loads."])
    problems = list(_numbered(inspection.problems))
    return "\n".join([*notes, f"The model does not load: {_count(len(problems), 'problem')}.", *problems])


def _numbered(problems: Iterable[str]) -> Iterator[str]:
    for number, problem in enumerate(problems, start=1):
        yield f"{number:>3}. {textwrap.indent(problem, '     ').lstrip()}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _printable(text: str) -> str:
    """Shows control characters, which names from a file may contain, instead of sending them to the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
