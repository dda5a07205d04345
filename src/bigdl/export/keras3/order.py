"""The order in which Keras 3 has the layers of a functional model, from which their places in its file follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bigdl.export.keras3.entries import Entry

if TYPE_CHECKING:
    from bigdl.export.keras3.network import Network

_Call = tuple[str, int]


def layer_order(network: Network) -> list[Entry]:
    """Returns the layers and operators of a network by their distance from the outputs, the farthest first.

    Keras 3 walks from the outputs to the inputs, depth first. A layer's depth is the longest distance of its calls; at
    one depth, layers stand in the order of the walk.

    Args:
        network: The network.
    """
    finished, first_seen = _walk(network)
    call_depths: dict[_Call, int] = {}
    depths: dict[str, int] = {}
    for call in reversed(finished):
        depth = max(call_depths.get(call, 0), depths.get(call[0], 0))
        call_depths[call] = depths[call[0]] = depth
        for source in _sources(network, call):
            call_depths[source] = max(depth + 1, call_depths.get(source, 0))
    for tensor in network.inputs:  # those that no output needs
        depths.setdefault(tensor.layer, 0)
        first_seen.setdefault(tensor.layer, -1)
    names = sorted(depths, key=lambda name: (-depths[name], first_seen[name]))
    return [network.entries[name] for name in names]


def _walk(network: Network) -> tuple[list[_Call], dict[str, int]]:
    """Returns the calls, each behind those that it depends on, and when each layer was met first."""
    finished: dict[_Call, None] = {}
    first_seen: dict[str, int] = {}
    stack = [((output.layer, output.call), False) for output in reversed(network.outputs)]
    while stack:
        call, done = stack.pop()
        if done:
            finished[call] = None
        elif call not in finished:
            first_seen.setdefault(call[0], len(first_seen))
            stack.append((call, True))
            stack.extend((source, False) for source in reversed(_sources(network, call)))
    return list(finished), first_seen


def _sources(network: Network, call: _Call) -> list[_Call]:
    calls = network.entries[call[0]].calls
    return [(tensor.layer, tensor.call) for tensor in calls[call[1]].tensors()] if calls else []
