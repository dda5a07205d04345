"""The steps of a sequence that count: ONNX's recurrent nodes know no masks, but lengths."""

from __future__ import annotations

import numpy as np

from bigdl.export.onnx.graph import Graph, Value

# More than any number of steps.
_MANY = 2**30


class Steps:
    """The steps of a sequence that count, by its mask.

    Args:
        graph: The graph.
        mask: True where a step counts, ``(batch, time)``.

    Attributes:
        count: How many count, ``(batch,)``.
        any: Whether any does, ``(batch, 1)``.
        begun: Whether a step or one before it does, ``(batch, time, 1)``.
    """

    def __init__(self, graph: Graph, mask: Value) -> None:
        self.graph = graph
        numbers = graph.add("Cast", mask.name, to=np.dtype("int32"))
        time = graph.index(1)
        self._so_far = graph.add("CumSum", numbers, time)
        self.count = graph.add("ReduceSum", numbers, graph.whole(1), keepdims=0)
        self.any = graph.add("Cast", graph.add("Unsqueeze", self.count, graph.whole(1)), to=np.dtype("bool"))
        self.begun = graph.add("Cast", graph.add("Unsqueeze", self._so_far, graph.whole(2)), to=np.dtype("bool"))
        # Those that count in their order, then the others: largest first of numbers that fall with each that counts.
        falling = graph.add("Sub", graph.number(_MANY, "int32"), self._so_far)
        keys = graph.add("Mul", falling, numbers)
        length = graph.add("Shape", mask.name, start=1, end=2)
        self._order = graph.add("TopK", keys, length, axis=1, outputs=2)[1]

    def front(self, x: Value) -> Value:
        """Brings the steps that count to the front."""
        return self._taken(x, self._order)

    def back(self, y: Value, before: str | None) -> Value:
        """Brings outputs back to their places.

        Args:
            y: The outputs, those of the steps that count in front.
            before: What stands before the first of them, ``(batch, units)``; None for zeros.
        """
        graph = self.graph
        latest = graph.add("Max", graph.add("Sub", self._so_far, graph.number(1, "int32")), graph.number(0, "int32"))
        taken = self._taken(y, graph.add("Cast", latest, to=np.dtype("int64")))
        other = graph.number(0.0) if before is None else graph.add("Unsqueeze", before, graph.whole(1))
        return Value.plain(graph.add("Where", self.begun, graph.ordered(taken), other), y.shape)

    def _taken(self, x: Value, places: str) -> Value:
        graph = self.graph
        index = graph.add("Unsqueeze", places, graph.whole(2))
        return Value.plain(graph.add("GatherND", graph.ordered(x), index, batch_dims=1), x.shape)
