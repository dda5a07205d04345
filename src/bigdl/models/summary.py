"""A model as a table of its layers."""

from __future__ import annotations

from collections.abc import Sequence

from bigdl.graph import Container, Layer

_HEAD = ("Layer (type)", "Output Shape", "Param #", "Connected to")


def summary_table(model: Container) -> str:
    """Returns the table that ``summary()`` prints.

    Args:
        model: A model with at least one layer.
    """
    return layer_table(model.layers, model)


def layer_table(layers: Sequence[Layer], model: Container | None = None) -> str:
    """Returns a table of layers.

    Args:
        layers: The layers, at least one.
        model: Their model: calls outside of it are left out, and its weights are counted; by default all.
    """
    rows = [_row(layer, model) for layer in layers]
    widths = [max(len(row[i]) for row in [_HEAD, *rows]) for i in range(len(_HEAD))]
    owners: Sequence[Layer] = layers if model is None else [model]
    trained = sum(weight.value.numel() for owner in owners for weight in owner.trainable_weights)
    kept = sum(weight.value.numel() for owner in owners for weight in owner.non_trainable_weights)
    line = "_" * (sum(widths) + 3 * (len(widths) - 1))
    body = [_format(row, widths) for row in rows]
    totals = [
        f"Total params: {trained + kept:,}",
        f"Trainable params: {trained:,}",
        f"Non-trainable params: {kept:,}",
    ]
    return "\n".join([line, _format(_HEAD, widths), "=" * len(line), *body, "=" * len(line), *totals, line])


def _row(layer: Layer, model: Container | None) -> tuple[str, str, str, str]:
    nodes = [node for node in layer.inbound_nodes if model is None or node in model.graph.nodes]
    nodes = nodes or layer.inbound_nodes[:1]
    shapes = dict.fromkeys(str(tensor.shape) for node in nodes for tensor in node.outputs)
    sources = dict.fromkeys(tensor.layer.name for node in nodes for tensor in node.inputs)
    name = f"{layer.name} ({type(layer).__name__})"
    return name, ", ".join(shapes), f"{layer.count_params():,}", ", ".join(sources)


def _format(row: Sequence[str], widths: Sequence[int]) -> str:
    return "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
