"""Layers around other layers: the same layer at every step, and a recurrent layer in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Layer, MaskKind, Shape, Weight
from bigdl.graph.tensor import Shapes
from bigdl.layers.affine import AffineLayer
from bigdl.layers.core import Activation, Flatten
from bigdl.layers.noise import Dropout
from bigdl.layers.normalization import BatchNormalization
from bigdl.layers.spatial import SpatialLayer
from bigdl.registry import layer, layer_from_config

# Layers that treat every sample by itself, so that all steps of a batch can be one large batch.
SAMPLE_BY_SAMPLE = (AffineLayer, SpatialLayer, Activation, Flatten, Dropout)


class Wrapper(Layer):
    """A layer whose weights are those of the layers inside.

    Args:
        layer: The layer to wrap.
        kwargs: See ``Layer``.

    Raises:
        LayerError: It is no layer.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise LayerError(f"Layer {self.name!r} ({type(self).__name__}) wraps a layer. Received: {layer!r}.")

    @property
    def inner_layers(self) -> list[Layer]:
        """The layers inside, in the order of their weights."""
        raise NotImplementedError(f"{type(self).__name__} defines no inner_layers")

    def _sync_requires_grad(self, inherited: bool = True) -> None:
        for inner in self.inner_layers:
            inner._sync_requires_grad(inherited and self._trainable)

    @property
    def trainable_weights(self) -> list[Weight]:
        """The arrays an optimizer moves; none when the wrapper is not trainable."""
        return [weight for inner in self.inner_layers for weight in inner.trainable_weights] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The arrays no optimizer moves."""
        kept = [weight for inner in self.inner_layers for weight in inner.non_trainable_weights]
        if self._trainable:
            return kept
        return [weight for inner in self.inner_layers for weight in inner.trainable_weights] + kept

    @property
    def listed_weights(self) -> list[Weight]:
        """The arrays of the layers inside, in the order of ``get_weights``."""
        return [weight for inner in self.inner_layers for weight in inner.listed_weights]

    def reset_states(self) -> None:
        """Forgets the states of the layers inside."""
        for inner in self.inner_layers:
            inner.reset_states()

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a wrapper, and the layer inside, from what ``get_config`` returned."""
        arguments = dict(config)
        return cls(layer_from_config(arguments.pop("layer", {})), **arguments)


@layer()
class TimeDistributed(Wrapper):
    """Applies a layer or model to every step of ``(batch, time, ...)``, without the mask, which is passed on.

    All steps are computed as one large batch. Where the batch size is fixed, Keras computes step by step; so does this
    layer, unless the layer inside is known to treat every sample by itself. As in Keras, training never moves the
    running values of a ``BatchNormalization`` that is the layer inside.

    Masks:
        passed on; the layer inside does not see it

    Args:
        layer: The layer or model; it has one output.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.layer = layer
        self.stateful = layer.stateful
        self.activity_regularizer = layer.activity_regularizer
        self.by_step = False
        if isinstance(layer, BatchNormalization):
            layer.moves_running_values = False

    @property
    def inner_layers(self) -> list[Layer]:
        """The layer inside."""
        return [self.layer]

    def build(self, input_shape: Shapes) -> None:
        """Builds the layer inside for one step.

        Raises:
            LayerError: The input has no axis behind that of time.
        """
        step = self._step_shape(input_shape)
        self.layer.ensure_built(step)
        by_sample = isinstance(self.layer, SAMPLE_BY_SAMPLE) and not self.stateful
        self.by_step = step[0] is not None and not by_sample

    def _step_shape(self, input_shape: Shapes) -> Shape:
        if isinstance(input_shape, list) or len(input_shape) < 3:
            raise LayerError(
                f"Layer {self.name!r} (TimeDistributed) expects one input of rank 3 or more, (batch, time, ...). "
                f"Received: shape {input_shape}."
            )
        return (input_shape[0], *input_shape[2:])

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(batch, time, ...)`` to ``(batch, time, *output of the layer inside)``."""
        if self.by_step:
            return torch.stack([self.layer(step) for step in x.unbind(1)], 1)
        y = self.layer(x.flatten(0, 1))
        return y.reshape(*x.shape[:2], *y.shape[1:])  # type: ignore[no-any-return]

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The layer inside has several outputs, or refuses the shape of a step.
        """
        shape: Shapes = self.layer.get_output_shape_for(self._step_shape(input_shape))
        if isinstance(shape, list):
            raise LayerError(
                f"Layer {self.name!r} (TimeDistributed): the layer inside, {self.layer.name!r} "
                f"({type(self.layer).__name__}), must have one output. Received: {len(shape)}."
            )
        return (shape[0], input_shape[1], *shape[1:])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        inner = {"class_name": type(self.layer).__name__, "config": self.layer.get_config()}
        return {**super().get_config(), "layer": inner}


@layer()
class Bidirectional(Wrapper):
    """A recurrent layer in both directions (Schuster and Paliwal 1997).

    The layers inside are two new ones of the given layer's configuration, named ``forward_...`` and ``backward_...``.

    Masks:
        used; passed on with ``return_sequences``

    Args:
        layer: The recurrent layer.
        merge_mode: How the outputs become one: ``"concat"``, ``"sum"``, ``"mul"``, ``"ave"``; None for two outputs.
        weights: Initial values, the forward layer's first.
        kwargs: See ``Layer``. Other than in Keras 1.2.2, ``trainable=False`` freezes the layers inside.

    Raises:
        LayerError: The layer is not recurrent, or the mode is not known.
    """

    supports_masking = True
    consumes_mask = True

    def __init__(self, layer: Layer, merge_mode: str | None = "concat", weights: Any = None, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if merge_mode not in MERGE and merge_mode is not None:
            raise LayerError(
                f"Layer {self.name!r} (Bidirectional): merge_mode must be one of {', '.join(MERGE)} or None. "
                f"Received: {merge_mode!r}."
            )
        config: dict[str, Any] = layer.get_config()
        if not {"go_backwards", "return_sequences", "stateful"} <= config.keys():
            raise LayerError(
                f"Layer {self.name!r} (Bidirectional): the layer inside must be recurrent. Received: {layer.name!r} "
                f"({type(layer).__name__})."
            )
        self.merge_mode = merge_mode
        self.stateful = bool(config["stateful"])
        self.return_sequences = bool(config["return_sequences"])
        self._layer_class = type(layer).__name__
        self._layer_config = config
        self.forward_layer = layer.from_config({**config, "name": f"forward_{layer.name}"})
        self.backward_layer = layer.from_config(
            {**config, "name": f"backward_{layer.name}", "go_backwards": not config["go_backwards"]}
        )
        self.forward_layer.initial_weights = layer.initial_weights
        if weights is not None:
            half = len(weights) // 2
            self.forward_layer.initial_weights = weights[:half]
            self.backward_layer.initial_weights = weights[half:]

    @property
    def inner_layers(self) -> list[Layer]:
        """The forward layer and the backward layer."""
        return [self.forward_layer, self.backward_layer]

    def build(self, input_shape: Shape) -> None:
        """Builds the layers inside.

        Raises:
            LayerError: Two last outputs are asked for, which Keras refuses: it finds no masks for them.
        """
        if self.merge_mode is None and not self.return_sequences:
            raise LayerError(
                f"Layer {self.name!r} (Bidirectional): merge_mode=None needs a layer with return_sequences=True. "
                "Keras 1.2.2 refuses this too."
            )
        for inner in self.inner_layers:
            inner.ensure_built(input_shape)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor | list[Tensor]:
        """Processes a batch of sequences in both directions.

        Args:
            x: ``(batch, time, ...)``.
            mask: True where a step counts, ``(batch, time)``; None where all steps do.

        Returns:
            The merged outputs, in the order of the forward layer; a list of both where ``merge_mode`` is None.
        """
        y: Tensor = self.forward_layer.run(x, mask, mask is not None)[0]
        backward: Tensor = self.backward_layer.run(x, mask, mask is not None)[0]
        if self.return_sequences:
            backward = backward.flip(1)
        return [y, backward] if self.merge_mode is None else MERGE[self.merge_mode](y, backward)

    def mask_kind(self, kinds: list[MaskKind | None]) -> MaskKind | None:
        """Returns the type of the recurrent layer's mask."""
        return self.forward_layer.mask_kind(kinds)

    def compute_mask(self, x: Any, mask: Any) -> Any:
        """Returns the input's mask for each output, if all steps are returned."""
        own = mask if self.return_sequences else None
        return [own, own] if self.merge_mode is None else own

    def get_output_shape_for(self, input_shape: Shape) -> Shapes:
        """Returns the output's shape; a list of two where ``merge_mode`` is None."""
        shape: Shape = self.forward_layer.get_output_shape_for(input_shape)
        if self.merge_mode is None:
            return [shape, shape]
        if self.merge_mode == "concat" and shape[-1] is not None:
            return (*shape[:-1], 2 * shape[-1])
        return shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them: the layer inside as it was given."""
        config = {**self._layer_config, "trainable": self.forward_layer.trainable}
        layer = {"class_name": self._layer_class, "config": config}
        return {**super().get_config(), "layer": layer, "merge_mode": self.merge_mode}


def _concat(y: Tensor, backward: Tensor) -> Tensor:
    return torch.cat([y, backward], -1)


def _average(y: Tensor, backward: Tensor) -> Tensor:
    return (y + backward) / 2


MERGE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": _concat,
    "sum": torch.add,
    "mul": torch.mul,
    "ave": _average,
}
"""How ``Bidirectional`` makes the outputs of both directions one."""
