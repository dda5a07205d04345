"""Penalties of weights and activations in the loss, counted as Keras 1.2.2 counts them.

Its rules, for a model and the layers it calls:

- a layer pays for its weights once, however often it is called, and for its activity at every call;
- a nested model pays for its weights at every call, and for no activity. At each call Keras adds all that the models
  inside it have gathered so far to what it has gathered itself, so deeper nesting counts more often;
- a wrapper that is called more than once, or inside a nested model that is called, pays nothing;
- a nested model that is first in a ``Sequential`` is not called: its layers count as the model's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from torch import Tensor, nn

from bigdl.graph import Container, Layer, Weight
from bigdl.layers.wrappers import Wrapper


class Regularization:
    """The penalties of one model; to be made anew when its graph changes.

    Attributes:
        penalties: The weights that have one, with how often each counts.

    Args:
        model: The model.
    """

    def __init__(self, model: Container) -> None:
        self._paying: list[Layer] = []
        self.penalties: Counter[Weight] = Counter()
        self._count(model, _NestedPenalties(model))
        paying = set(self._paying)
        self._silent = [layer for layer in model.modules() if isinstance(layer, Layer) and layer not in paying]

    def _count(self, model: Container, nested: _NestedPenalties) -> None:
        for layer in model.layers:
            called_once = len(layer.inbound_nodes) == 1
            if isinstance(layer, Container):
                if called_once:
                    self._count(layer, nested)
                else:
                    self.penalties += nested.gathered[layer]
            elif called_once or not isinstance(layer, Wrapper):
                self.penalties += _own_penalties(layer)
                self._paying.append(layer)

    def __call__(self) -> Tensor | float:
        """Returns all penalties.

        Returns:
            A scalar through which gradients flow; 0 where there are no penalties.
        """
        return self.weights() + self.activities()

    def weights(self) -> Tensor | float:
        """Returns the penalties of the weights as they are."""
        total: Tensor | float = 0.0
        for weight, times in self.penalties.items():
            total = total + weight.penalty() * times
        return total

    def activities(self) -> Tensor | float:
        """Returns the penalties of the activations since the last call."""
        total: Tensor | float = 0.0
        for layer in self._paying:
            for loss in layer.activity_losses:
                total = total + loss
            layer.activity_losses.clear()
        for layer in self._silent:
            layer.activity_losses.clear()
        return total


class _NestedPenalties:
    """What nested models have gathered once a model's graph has been built, call by call."""

    def __init__(self, model: Container) -> None:
        self.gathered: defaultdict[Container, Counter[Weight]] = defaultdict(Counter)
        self._built: set[Container] = set()
        self._build(model)

    def _build(self, model: Container) -> None:
        """Calls what is nested in the model, after building it in turn."""
        self._built.add(model)
        for layer in model.layers:
            if isinstance(layer, Container) and layer not in self._built:
                self._build(layer)
        for step in model.graph.plan.steps:
            if isinstance(step.layer, Container):
                self._call(step.layer)

    def _call(self, model: Container) -> None:
        for step in model.graph.plan.steps:
            if isinstance(step.layer, Container):
                self._call(step.layer)
                self.gathered[model] += self.gathered[step.layer]
            elif not isinstance(step.layer, Wrapper):
                self.gathered[model] += _own_penalties(step.layer)


def _own_penalties(layer: Layer) -> Counter[Weight]:
    return Counter(weight for weight in layer.weights if weight.regularizer is not None)


def regularization_loss(model: Container) -> Tensor | float:
    """Returns a model's penalties; in a loop, keep one ``Regularization`` instead.

    Args:
        model: The model, after it has run on a batch.
    """
    return Regularization(model)()


def penalised_layers(model: nn.Module) -> list[Layer]:
    """Returns the layers that pay for their activations, and gather what they owe whenever they run."""
    layers = (module for module in model.modules() if isinstance(module, Layer))
    return [layer for layer in layers if layer.activity_regularizer is not None or layer.adds_losses]


def forget_activity(layers: list[Layer]) -> None:
    """Drops what layers owe for their activations so far, so that no later loss counts it."""
    for layer in layers:
        layer.activity_losses.clear()
