"""The order of a graph's layers and calls, which decides how weight files are matched by position.

Keras 1.2.2 walks from the outputs to the inputs, depth first. A call's depth is its longest distance from an output; a
layer that is called several times takes the largest depth *seen so far*, so the order depends on the walk, and the walk
is repeated here as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bigdl.graph.layer import Layer
from bigdl.graph.tensor import Node, SymbolicTensor


def trace(outputs: Sequence[SymbolicTensor]) -> tuple[list[Layer], list[Node]]:
    """Returns the layers in Keras's order and the calls in an order in which they can run.

    Args:
        outputs: The outputs of the model.
    """
    node_depths: dict[Node, int] = {}
    layer_depths: dict[Layer, int] = {}
    for output in outputs:
        _walk(output.node, node_depths, layer_depths)
    # sorted() is stable: within a depth the order of the first visit stays.
    layers = sorted(layer_depths, key=lambda layer: -layer_depths[layer])
    nodes = sorted(node_depths, key=lambda node: -node_depths[node])
    return layers, nodes


def _walk(start: Node, node_depths: dict[Node, int], layer_depths: dict[Layer, int]) -> None:
    seen: set[tuple[Node, int]] = set()
    stack: list[tuple[Iterator[SymbolicTensor], int]] = []

    def enter(node: Node, depth: int) -> None:
        seen.add((node, depth))
        node_depths[node] = max(depth, node_depths.get(node, depth))
        layer_depths[node.layer] = max(depth, layer_depths.get(node.layer, depth))
        stack.append((iter(node.inputs), layer_depths[node.layer] + 1))

    enter(start, 0)
    while stack:
        inputs, depth = stack[-1]
        following = next((x.node for x in inputs if (x.node, depth) not in seen), None)
        if following is None:
            stack.pop()
        else:
            enter(following, depth)
