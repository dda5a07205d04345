"""Recurrent layers that users wrote for Keras 1.2.2, by what happens in one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Shape
from bigdl.layers.backend import control
from bigdl.layers.custom import InputSpec, KerasLayer
from bigdl.layers.recurrent.base import CONSUME_LESS, Recurrent


class KerasRecurrent(KerasLayer):
    """Keras 1.2.2's ``Recurrent``, the base of recurrent layers that its users wrote.

    A subclass sets ``output_dim`` and defines ``build``, which sets ``states`` to a list of as many items as a step has
    states (``[None]``; tensors, in a stateful layer), and ``step(x, states)``. The latter gets the input of a step
    ``(batch, ...)`` and the states followed by the constants, and returns the output and the list of new states.

    Attributes:
        output_dim: The number of units.
        states: See above.

    Args:
        weights: Initial values of the weights.
        return_sequences: Whether the output holds all steps rather than the last one.
        go_backwards: Whether the last step is processed first.
        stateful: Whether the states are kept from batch to batch.
        unroll: See ``K.rnn``.
        consume_less: ``"cpu"``, ``"mem"`` or ``"gpu"``; for the subclass to look at.
        input_dim: The length of each step, for a first layer.
        input_length: The number of steps, for a first layer.
        kwargs: See ``KerasLayer``.
    """

    stands_for = Recurrent
    supports_masking = True

    output_dim: int
    states: Sequence[Tensor | None] = ()

    def __init__(
        self,
        weights: Any = None,
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        consume_less: str = "cpu",
        input_dim: int | None = None,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        if input_dim:
            kwargs["input_shape"] = (input_length, int(input_dim))
        super().__init__(weights=weights, **kwargs)
        if consume_less not in CONSUME_LESS:
            raise self._error(f"consume_less must be one of {', '.join(CONSUME_LESS)}. Received: {consume_less!r}.")
        self.return_sequences = return_sequences
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.consume_less = consume_less
        self.input_dim = input_dim
        self.input_length = input_length
        self.input_spec = self.input_spec or [InputSpec(ndim=3)]

    def _error(self, message: str) -> LayerError:
        return LayerError(f"Layer {self.name!r} ({type(self).__name__}): {message}")

    def step(self, x: Tensor, states: list[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        """Returns the output of a step and the new states; to be defined by a subclass.

        Args:
            x: The step's part of what ``preprocess_input`` returned.
            states: The states, and after them the constants.
        """
        raise self._error("a recurrent layer needs step(x, states), which returns the output and the new states.")

    def get_constants(self, x: Tensor) -> Sequence[Any]:
        """Returns what every step gets after the states, of the layer's input; nothing unless a subclass says so."""
        return []

    def get_initial_states(self, x: Tensor) -> Sequence[Tensor]:
        """Returns the states before the first step of a layer that is not stateful: zeros ``(batch, output_dim)``."""
        return [x.new_zeros(x.shape[0], self.output_dim) for _ in self.states]

    def preprocess_input(self, x: Tensor) -> Tensor:
        """Returns what is walked along, ``(batch, time, ...)``: the layer's input unless a subclass says otherwise."""
        return x

    def call(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Processes a batch of sequences.

        Args:
            x: ``(batch, time, input_dim)``.
            mask: True where a step counts, ``(batch, time)``.

        Returns:
            ``(batch, time, output_dim)`` in the order of processing, or ``(batch, output_dim)`` after the last step.
        """
        kept: Any = self.states
        last, outputs, states = control.rnn(
            self.step,
            self.preprocess_input(x),
            [state.clone() for state in kept] if self.stateful else self.get_initial_states(x),
            go_backwards=self.go_backwards,
            mask=mask,
            constants=self.get_constants(x),
            unroll=self.unroll,
        )
        if self.stateful:
            with torch.no_grad():
                for old, new in zip(kept, states, strict=True):
                    old.copy_(new)
        return outputs if self.return_sequences else last

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """Returns the input's mask, if all steps are returned."""
        return mask if self.return_sequences else None

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        steps = (input_shape[1],) if self.return_sequences else ()
        return (input_shape[0], *steps, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        config = {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "consume_less": self.consume_less,
        }
        spec = self.input_spec[0] if self.input_spec else None
        if self.stateful and spec is not None and spec.shape:
            return {**config, "batch_input_shape": tuple(spec.shape)}
        return {**config, "input_dim": self.input_dim, "input_length": self.input_length}
