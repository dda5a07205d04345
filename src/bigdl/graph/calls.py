"""What a layer can tell of its calls: the tensors, shapes and masks that went in and came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, ref

from bigdl.errors import LayerError
from bigdl.graph.tensor import Node, Shape

# The calls that take a layer's outputs. Kept beside the layers, so that a copy of one does not take them along.
_followers: WeakKeyDictionary[Called, list[ref[Node]]] = WeakKeyDictionary()


class Called:
    """The attributes by which Keras 1.2.2's layers tell of their calls.

    Those without a number (``input``, ``output_shape``, ...) are those of the only call; shapes also where all calls
    have the same ones.

    Attributes:
        name: The layer's name.
        inbound_nodes: The calls, in order.
    """

    name: str
    inbound_nodes: list[Node]

    @property
    def outbound_nodes(self) -> list[Node]:
        """The calls of other layers that take this one's outputs; may be set, for scripts that empty it."""
        return [node for follower in _followers.get(self, ()) if (node := follower()) is not None]

    @outbound_nodes.setter
    def outbound_nodes(self, nodes: list[Node]) -> None:
        _followers[self] = [ref(node) for node in nodes]

    def note_follower(self, node: Node) -> None:
        """Adds a call that takes this layer's outputs."""
        _followers.setdefault(self, []).append(ref(node))

    def get_input_at(self, node_index: int) -> Any:
        """Returns the tensor(s) that a call took."""
        return _single(self._call(node_index, "input").input_tensors)

    def get_output_at(self, node_index: int) -> Any:
        """Returns the tensor(s) that a call made."""
        return _single(self._call(node_index, "output").output_tensors)

    def get_input_shape_at(self, node_index: int) -> Any:
        """Returns the shape(s) of what a call took, batch axis first."""
        return _single(self._call(node_index, "input shape").input_shapes)

    def get_output_shape_at(self, node_index: int) -> Any:
        """Returns the shape(s) of what a call made, batch axis first."""
        return _single(self._call(node_index, "output shape").output_shapes)

    def get_input_mask_at(self, node_index: int) -> Any:
        """Returns the type(s) of the mask of what a call took, None without one."""
        return _single(self._call(node_index, "input mask").input_masks)

    def get_output_mask_at(self, node_index: int) -> Any:
        """Returns the type(s) of the mask of what a call made, None without one."""
        return _single(self._call(node_index, "output mask").output_masks)

    @property
    def input(self) -> Any:
        """The tensor(s) that the only call took."""
        return self._only("input", lambda node: node.input_tensors)

    @property
    def output(self) -> Any:
        """The tensor(s) that the only call made."""
        return self._only("output", lambda node: node.output_tensors)

    @property
    def input_mask(self) -> Any:
        """The type(s) of the mask of what the only call took."""
        return self._only("input_mask", lambda node: node.input_masks)

    @property
    def output_mask(self) -> Any:
        """The type(s) of the mask of what the only call made."""
        return self._only("output_mask", lambda node: node.output_masks)

    @property
    def input_shape(self) -> Any:
        """The shape(s) of what the calls took, batch axis first; the same for all of them."""
        return self._same_shapes("input_shape", lambda node: node.input_shapes)

    @property
    def output_shape(self) -> Any:
        """The shape(s) of what the calls made, batch axis first; the same for all of them."""
        return self._same_shapes("output_shape", lambda node: node.output_shapes)

    def _call(self, node_index: int, what: str) -> Node:
        if not -len(self.inbound_nodes) <= node_index < len(self.inbound_nodes):
            raise LayerError(
                f"Layer {self.name!r} has been called {len(self.inbound_nodes)} times. "
                f"Received: the {what} of call {node_index}."
            )
        return self.inbound_nodes[node_index]

    def _only(self, what: str, part: Callable[[Node], list[Any]]) -> Any:
        if len(self.inbound_nodes) != 1:
            raise self._ill_defined(what)
        return _single(part(self.inbound_nodes[0]))

    def _same_shapes(self, what: str, part: Callable[[Node], list[Shape]]) -> Any:
        if len({tuple(part(node)) for node in self.inbound_nodes}) != 1:
            raise self._ill_defined(what)
        return _single(part(self.inbound_nodes[0]))

    def _ill_defined(self, what: str) -> LayerError:
        return LayerError(
            f"Layer {self.name!r} has been called {len(self.inbound_nodes)} times, so that its {what} is not defined. "
            f"Use get_{what}_at(number of the call)."
        )


def _single(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items
