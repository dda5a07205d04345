"""A graph of layers that is a layer itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor

from bigdl.errors import DataError, LayerError
from bigdl.graph.input import InputLayer
from bigdl.graph.layer import Layer
from bigdl.graph.plan import Plan
from bigdl.graph.ports import Ports
from bigdl.graph.tensor import MaskKind, Node, Shape, Shapes, SymbolicTensor, as_list
from bigdl.graph.traversal import trace
from bigdl.graph.weight import Weight


@dataclass(frozen=True, slots=True)
class Graph:
    """What a container's outputs depend on.

    Attributes:
        layers: The layers in Keras's order.
        nodes: The calls.
        plan: The calls as a list of steps.
    """

    layers: list[Layer]
    nodes: set[Node]
    plan: Plan


class Container(Ports, Layer):
    """A directed acyclic graph of layers (Keras 1.2.2's ``Container``).

    Masks:
        as the layers inside treat it

    Args:
        input: The tensor(s) of ``Input`` that the graph starts from.
        output: The tensor(s) that it computes.
        name: Its name; ``classname_N`` by default.

    Raises:
        LayerError: An input is not an ``Input``, is given twice, or an output cannot be computed from the inputs; or
            two layers have the same name.
    """

    def __init__(
        self,
        input: SymbolicTensor | Sequence[SymbolicTensor],
        output: SymbolicTensor | Sequence[SymbolicTensor],
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.inputs = as_list(input)
        self.outputs = as_list(output)
        self._check_inputs()
        self.inbound_nodes.append(Node(self, [], self.outputs))
        self._register(self.layers)
        self.built = True

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The tensors that the model computes; scripts set them to cut layers off."""
        return self._outputs

    @outputs.setter
    def outputs(self, outputs: SymbolicTensor | Sequence[SymbolicTensor]) -> None:
        self._outputs = as_list(outputs)
        self._graph: Graph | None = None
        if self.inbound_nodes:
            self.inbound_nodes[0].outputs = self._outputs

    def build(self, input_shape: Any = None) -> None:
        """Does nothing: the layers were built when they were connected."""

    def _register(self, layers: Sequence[Layer]) -> None:
        for layer in layers:
            # Straight into _modules: torch's add_module refuses names such as "training" or "layers".
            self._modules[layer.name.replace(".", "_")] = layer

    @property
    def graph(self) -> Graph:
        """The graph's layers, calls and plan, made when first asked for and kept until the graph changes."""
        if self._graph is None:
            layers, nodes = trace(self.outputs)
            self._check_names(layers)
            self._graph = Graph(layers, set(nodes), Plan([x.source for x in self.inputs], self.outputs, nodes))
            self.stateful = any(layer.stateful for layer in layers)
        return self._graph

    def _check_inputs(self) -> None:
        for tensor in self.inputs:
            if not isinstance(tensor, SymbolicTensor) or not isinstance(tensor.source.layer, InputLayer):
                raise LayerError(f"Model {self.name!r}: its inputs must come from Input(). Received: {tensor}.")
        if len({tensor.source for tensor in self.inputs}) != len(self.inputs):
            raise LayerError(f"Model {self.name!r}: an input is given more than once.")

    def _check_names(self, layers: list[Layer]) -> None:
        twice = [name for name, count in Counter(layer.name for layer in layers).items() if count > 1]
        if twice:
            raise LayerError(f"Model {self.name!r}: the layer name {twice[0]!r} is used more than once.")

    @property
    def layers(self) -> list[Layer]:
        """The layers in Keras's order: by depth, then in the order of the walk from the outputs."""
        return self.graph.layers

    @property
    def weight_layers(self) -> list[Layer]:
        """The layers in the order in which weight files hold them."""
        return self.layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns a layer by its name or by its position in ``layers``.

        Raises:
            LayerError: There is none, or neither argument is given.
        """
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise LayerError(f"Model {self.name!r} has {len(self.layers)} layers. Received: index={index}.")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers)
        raise LayerError(f"Model {self.name!r} has no layer named {name!r}. Its layers: {known}.")

    # As a layer.

    def connect(
        self, inputs: list[SymbolicTensor], unmasked: frozenset[int] = frozenset()
    ) -> SymbolicTensor | list[SymbolicTensor]:
        """Applies the whole graph to other symbolic tensors, sharing its weights."""
        shapes = self._output_shapes([tensor.shape for tensor in inputs])
        masks = _mask_rule(self, [tensor.mask for tensor in inputs])
        return self.add_node(inputs, shapes, self.output_dtype(inputs), masks)

    def get_output_shape_for(self, input_shape: Shapes) -> Shapes:
        """Returns the shape(s) of the output(s) for the shape(s) of the input(s)."""
        return cast(Shapes, _single(self._output_shapes(input_shape)))

    def _output_shapes(self, input_shape: Shapes) -> list[Shape]:
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        if len(shapes) != len(self.inputs):
            raise LayerError(f"Model {self.name!r} takes {len(self.inputs)} inputs. Received: {len(shapes)}.")
        return self.graph.plan.infer(shapes, _shape_rule)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """Returns the types of the outputs' masks for those of the inputs, None without one."""
        kinds = [None] * len(self.inputs) if mask is None else as_list(mask)
        return _single(self.graph.plan.infer(kinds, _mask_rule))

    def run(self, x: Any, mask: Any = None, masked: bool = False) -> tuple[Any, Any]:
        """Computes the outputs and their masks.

        Args:
            x: The input tensor, or a list of them.
            mask: Its mask or None; a list for several inputs. Inside another graph several inputs always have one.
            masked: Whether any input has a mask.
        """
        inputs = as_list(x)
        masks = as_list(mask) if masked else [None] * len(inputs)
        values, value_masks = self.graph.plan.run(inputs, masks, applied=mask is not None)
        return _single(values), _single(value_masks)

    def forward(self, *inputs: Tensor | Sequence[Tensor]) -> Any:
        """Computes the output(s).

        Args:
            inputs: The input tensors, one by one or as one list.

        Returns:
            The output tensor; a list where the model has several.

        Raises:
            DataError: There are more or fewer tensors than inputs.
        """
        given = as_list(inputs[0]) if len(inputs) == 1 else list(inputs)
        if len(given) != len(self.inputs):
            raise DataError(
                f"Model {self.name!r} takes {len(self.inputs)} inputs ({', '.join(self.input_names)}). "
                f"Received: {len(given)}."
            )
        return self.run(given)[0]

    def reset_states(self) -> None:
        """Forgets the states of all stateful layers."""
        for layer in self.graph.layers:
            if layer.stateful:
                layer.reset_states()

    # Weights.

    def _sync_requires_grad(self, inherited: bool = True) -> None:
        for layer in self.weight_layers:
            layer._sync_requires_grad(inherited and self._trainable)

    @property
    def trainable_weights(self) -> list[Weight]:
        """The arrays an optimizer moves, layer by layer; none when the model is not trainable."""
        return self._gather("trainable_weights") if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The arrays no optimizer moves."""
        kept = self._gather("non_trainable_weights")
        return kept if self._trainable else self._gather("trainable_weights") + kept

    def _gather(self, kind: str) -> list[Weight]:
        return [weight for layer in self.weight_layers for weight in getattr(layer, kind)]

    @property
    def listed_weights(self) -> list[Weight]:
        """The arrays in the order of ``get_weights``: layer by layer, of a nested model the trainable ones first."""
        return self._gather("weights")

    @property
    def losses(self) -> list[Any]:
        """The penalties of all layers; see ``Layer``."""
        return [loss for layer in self.weight_layers for loss in layer.losses]

    # Configuration.

    def get_config(self) -> dict[str, Any]:
        """Returns the graph as Keras 1.2.2 writes it: layers, their calls, inputs and outputs."""
        index = self._node_indices()
        return {
            "name": self.name,
            "layers": [
                {
                    "name": layer.name,
                    "class_name": type(layer).__name__,
                    "config": layer.get_config(),
                    "inbound_nodes": [
                        [_reference(tensor, index) for tensor in node.inputs]
                        for node in layer.inbound_nodes
                        if node in self.graph.nodes and node.inputs
                    ],
                }
                for layer in self.layers
            ],
            "input_layers": [_reference(tensor, index) for tensor in self.inputs],
            "output_layers": [_reference(tensor, index) for tensor in self.outputs],
        }

    def _node_indices(self) -> dict[Node, int]:
        """Numbers each layer's calls within this graph; a nested model's own graph is number 0."""
        indices: dict[Node, int] = {}
        for layer in self.layers:
            nodes = [node for node in layer.inbound_nodes if node in self.graph.nodes]
            indices.update((node, i) for i, node in enumerate(nodes, start=isinstance(layer, Container)))
        return indices


def _reference(tensor: SymbolicTensor, index: dict[Node, int]) -> list[str | int]:
    return [tensor.layer.name, index[tensor.node], tensor.tensor_index]


def _single(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items


def _shape_rule(layer: Layer, shapes: list[Shape]) -> list[Shape]:
    layer._check_ndim(_single(shapes))
    return layer._output_shapes(_single(shapes))


def _mask_rule(layer: Layer, kinds: list[MaskKind | None]) -> list[MaskKind | None]:
    if isinstance(layer, Container):
        if any(kinds):
            raise LayerError(
                f"Model {layer.name!r} does not support masking, but is applied to an input with a mask. Keras 1.2.2 "
                "refuses this too: its InputLayer takes no masks. Put the Masking layer, or the Embedding with "
                "mask_zero=True, inside the model."
            )
        return layer.graph.plan.infer(kinds, _mask_rule)
    return [layer.mask_kind(kinds)] * len(layer.inbound_nodes[0].outputs)
