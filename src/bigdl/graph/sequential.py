"""A chain of layers, each applied to the output of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.errors import LayerError
from bigdl.graph.container import Container
from bigdl.graph.input import InputLayer
from bigdl.graph.layer import Layer
from bigdl.graph.names import unique_name
from bigdl.graph.tensor import Node, SymbolicTensor
from bigdl.graph.weight import Weight


class SequentialContainer(Container):
    """A chain of layers (Keras 1.2.2's ``Sequential``).

    The first layer knows the shape of its input (``input_shape``, ``batch_input_shape``, ``input_dim``), or is itself
    a model, or a ``Merge`` of models.

    Args:
        layers: The layers, in order.
        name: Its name; ``sequential_N`` by default.
    """

    def __init__(self, layers: Sequence[Layer] | None = None, name: str | None = None) -> None:
        Layer.__init__(self, name=name)
        self.inputs: list[SymbolicTensor] = []
        self.outputs = []
        self._chain: list[Layer] = []
        self._chain_outputs: list[SymbolicTensor] = []
        for layer in layers or ():
            self.add(layer)

    @property
    def model(self) -> SequentialContainer:
        """The chain itself; in Keras it holds a model of class ``Model`` here."""
        return self

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order in which they were added."""
        return self._chain

    @property
    def weight_layers(self) -> list[Layer]:
        """The layers in the order in which weight files hold them: those of a ``Merge``'s branches first."""
        if not self._chain:
            return []
        first = self._chain[0]
        branches: list[Layer] = getattr(first, "branches", [])
        flat: list[Layer] = []
        for branch in branches:
            flat.extend(branch.weight_layers if isinstance(branch, Container) else [branch])
        return list(dict.fromkeys([*(flat if branches else [first]), *self._chain[1:]]))

    @property
    def listed_weights(self) -> list[Weight]:
        """The arrays in the order of ``get_weights``: layer by layer, of a nested model in its own order."""
        return self._gather("listed_weights")

    def add(self, layer: Layer) -> None:
        """Puts a layer on top.

        Raises:
            LayerError: It is no layer, the first one does not know the shape of its input, or it does not fit.
        """
        if not isinstance(layer, Layer):
            raise LayerError(f"Model {self.name!r}: only layers can be added. Received: {layer!r}.")
        if self._chain:
            output = layer(self.outputs[0])
            inputs = self.inputs
        else:
            output = self._first_output(layer)
            inputs = source_inputs(output)
        if isinstance(output, list):
            raise LayerError(
                f"Model {self.name!r}: layer {layer.name!r} ({type(layer).__name__}) has {len(output)} outputs; "
                "the layers of a Sequential have one. Use Model(input, output)."
            )
        self._chain.append(layer)
        self._chain_outputs.append(output)
        self._register([layer])
        self._update(inputs)

    def pop(self) -> None:
        """Removes the last layer.

        Raises:
            LayerError: There is none.
        """
        if not self._chain:
            raise LayerError(f"Model {self.name!r} has no layers to remove.")
        layer, output = self._chain.pop(), self._chain_outputs.pop()
        del self._modules[layer.name.replace(".", "_")]
        if self._chain:
            layer.inbound_nodes.remove(output.node)
        self._update(self.inputs if self._chain else [])

    def _first_output(self, layer: Layer) -> Any:
        if not layer.inbound_nodes:
            if layer.batch_input_shape is None:
                raise LayerError(
                    f"Model {self.name!r}: its first layer, {layer.name!r} ({type(layer).__name__}), must be given "
                    "input_shape or batch_input_shape."
                )
            layer.writes_input_shape = True
            name = unique_name(f"{type(layer).__name__.lower()}_input")
            layer(InputLayer(None, layer.batch_input_shape, layer.input_dtype, name=name).output)
        outputs = layer.inbound_nodes[0].outputs
        return outputs[0] if len(outputs) == 1 else outputs

    def _update(self, inputs: list[SymbolicTensor]) -> None:
        self.inputs = inputs
        self.outputs = self._chain_outputs[-1:]
        self.inbound_nodes = [Node(self, [], self.outputs), *self.inbound_nodes[1:]] if self._chain else []
        self.stateful = any(layer.stateful for layer in self._chain)
        self.built = bool(self._chain)

    def get_config(self) -> Any:
        """Returns the list of layers as Keras 1.2.2 writes it."""
        config: list[dict[str, Any]] = [
            {"class_name": type(layer).__name__, "config": layer.get_config()} for layer in self._chain
        ]
        branches: list[Layer] = getattr(self._chain[0], "branches", []) if self._chain else []
        if branches:
            config[0]["config"]["layers"] = [
                {"class_name": type(branch).__name__, "config": branch.get_config()} for branch in branches
            ]
        return config


def source_inputs(output: SymbolicTensor | list[SymbolicTensor]) -> list[SymbolicTensor]:
    """Returns the inputs that tensors depend on, in the order in which Keras finds them.

    Args:
        output: The tensor(s).
    """
    found: dict[SymbolicTensor, None] = {}
    seen: set[SymbolicTensor] = set()
    stack = list(reversed(output)) if isinstance(output, list) else [output]
    while stack:
        tensor = stack.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        if tensor.node.inputs:
            stack.extend(reversed(tensor.node.inputs))
        else:
            found[tensor] = None
    return list(found)
