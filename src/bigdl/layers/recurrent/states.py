"""Layers whose state may be kept from batch to batch."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from bigdl.errors import DataError, LayerError
from bigdl.graph import Layer, Shape
from bigdl.layers.recurrent.sequence import State


class StatefulLayer(Layer):
    """A layer that starts from zeros, or from where the last batch ended.

    Attributes:
        state_count: The number of tensors in the state.

    Args:
        stateful: Whether the state is kept from batch to batch, in prediction too; needs a fixed batch size.
        kwargs: See ``Layer``.
    """

    state_count: ClassVar[int] = 1

    def __init__(self, *, stateful: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stateful = bool(stateful)
        self._built_shape: Shape | None = None

    def error(self, message: str) -> LayerError:
        """Returns an error that names this layer."""
        return LayerError(f"Layer {self.name!r} ({type(self).__name__}): {message}")

    def create_states(self, input_shape: Shape, shape: tuple[int, ...]) -> None:
        """Creates the kept state, zeros.

        Args:
            input_shape: The shape of the layer's input.
            shape: The shape of a state without the batch axis.

        Raises:
            LayerError: The batch size is not known.
        """
        if input_shape[0] is None:
            raise self.error(
                "stateful=True needs a fixed batch size. Give the first layer batch_input_shape, or Input batch_shape. "
                f"Received: shape {input_shape}."
            )
        self._built_shape = input_shape
        for i in range(self.state_count):
            self.register_buffer(f"state_{i}", torch.zeros(input_shape[0], *shape), persistent=False)

    @property
    def states(self) -> State:
        """The kept state; empty unless the layer is stateful and built."""
        return tuple(self.get_buffer(f"state_{i}") for i in range(self.state_count if self._built_shape else 0))

    def reset_states(self) -> None:
        """Sets the kept state to zeros."""
        for state in self.states:
            state.zero_()

    def initial_state(self, x: Tensor, shape: tuple[int, ...]) -> State:
        """Returns the state that a batch starts from.

        Args:
            x: The batch, ``(batch, time, ...)``.
            shape: The shape of a state without the batch axis.

        Raises:
            DataError: There are no steps, or the batch is not of the size that the state was created for.
        """
        if x.shape[1] == 0:
            raise DataError(f"Layer {self.name!r} ({type(self).__name__}): the sequences have no steps.")
        if not self.stateful:
            return (x.new_zeros(x.shape[0], *shape),) * self.state_count
        expected = self.states[0].shape[0]
        if x.shape[0] != expected:
            raise DataError(
                f"Layer {self.name!r} ({type(self).__name__}) is stateful and was built for batches of {expected} "
                f"samples. Received: a batch of {x.shape[0]}. Give it whole batches of that size."
            )
        # Copies: the kept ones are overwritten before gradients are computed.
        return tuple(state.clone() for state in self.states)

    def keep(self, state: State) -> None:
        """Keeps the last state for the next batch, if the layer is stateful; no gradient flows through it."""
        if self.stateful:
            for kept, last in zip(self.states, state, strict=True):
                kept.copy_(last.detach())

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        config = {**super().get_config(), "stateful": self.stateful}
        return config if self._built_shape is None else {**config, "batch_input_shape": self._built_shape}
