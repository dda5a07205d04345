"""What SimpleRNN, GRU and LSTM share: arguments, weights, states, masks."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from bigdl.errors import DataError, LayerError
from bigdl.graph import SAME, MaskKind, Shape
from bigdl.graph.weight import Initializer
from bigdl.layers import activations, initializations, regularizers
from bigdl.layers.layouts import MATRIX
from bigdl.layers.recurrent.cells import GatedCell
from bigdl.layers.recurrent.gates import dropout_masks, gate_matrix, gate_vector
from bigdl.layers.recurrent.kernels import kernel_for, run_whole
from bigdl.layers.recurrent.sequence import SequenceContext
from bigdl.layers.recurrent.states import StatefulLayer
from bigdl.layers.recurrent.steps import run_steps

CONSUME_LESS = ("cpu", "mem", "gpu")
_METHODS_OF_STEPS = ("step", "get_constants", "preprocess_input", "get_initial_states")


class Recurrent(StatefulLayer):
    """A layer that carries a state from step to step of ``(batch, time, input_dim)``.

    The gates' weights lie side by side in three parameters: ``weight`` ``(gates * output_dim, input_dim)``,
    ``recurrent_weight`` ``(gates * output_dim, output_dim)`` and ``bias``. Keras's arrays are views of them: with
    ``consume_less="gpu"`` three that hold all gates, otherwise three for each gate.

    Masks:
        used; passed on with ``return_sequences``

    Restrictions:
        ``U_regularizer`` counts with ``consume_less="gpu"`` only, as in Keras.

    Attributes:
        gates: One letter for each gate, in the order of the parameters, which is that of Keras's joint arrays.
        array_order: The same letters in the order of Keras's separate arrays.

    Args:
        output_dim: The number of units.
        init: The initialization of W; in a layer with separate arrays also of U, as in Keras.
        inner_init: The initialization of U.
        activation: The activation of the output, a name or a function.
        W_regularizer: A penalty of W; in a layer with separate arrays also of U, as in Keras.
        U_regularizer: A penalty of U, without effect in a layer with separate arrays, as in Keras.
        b_regularizer: A penalty of b.
        dropout_W: The share of input units to drop in training, the same at every step.
        dropout_U: The share of recurrent units to drop in training, the same at every step.
        return_sequences: Whether the output holds all steps rather than the last one.
        go_backwards: Whether the last step is processed first; the outputs stay in the order of processing.
        unroll: Without effect, but for masked steps of a stateful layer (see ``forward``); needs a fixed length.
        consume_less: ``"cpu"``, ``"mem"`` or ``"gpu"``: the layout of Keras's arrays, and of dropout: with ``"gpu"``
            the gates share one mask.
        input_dim: The length of each step, for a first layer.
        input_length: The number of steps, for a first layer.
        kwargs: See ``StatefulLayer``.
    """

    input_ndim = (3,)
    supports_masking = True
    consumes_mask = True
    gates: ClassVar[str]
    array_order: ClassVar[str]

    weight: Tensor
    recurrent_weight: Tensor
    bias: Tensor

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if ignored := [name for name in _METHODS_OF_STEPS if name in vars(cls)]:
            raise LayerError(
                f"Class {cls.__name__!r} defines {', '.join(ignored)}, which {cls.__mro__[1].__name__} never calls: it "
                f"computes whole sequences. Derive from bigdl.keras.layers.Recurrent, which calls "
                f"{', '.join(_METHODS_OF_STEPS)}."
            )

    def __init__(
        self,
        output_dim: int,
        init: Any = "glorot_uniform",
        inner_init: Any = "orthogonal",
        activation: Any = "tanh",
        W_regularizer: Any = None,
        U_regularizer: Any = None,
        b_regularizer: Any = None,
        dropout_W: float = 0.0,
        dropout_U: float = 0.0,
        *,
        return_sequences: bool = False,
        go_backwards: bool = False,
        unroll: bool = False,
        consume_less: str = "cpu",
        input_dim: int | None = None,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        if input_dim:
            kwargs["input_shape"] = (input_length, int(input_dim))
        super().__init__(**kwargs)
        if consume_less not in CONSUME_LESS:
            raise self.error(f"consume_less must be one of {', '.join(CONSUME_LESS)}. Received: {consume_less!r}.")
        self.output_dim = int(output_dim)
        self.init = init
        self.inner_init = inner_init
        self.activation = activations.get(activation)
        self.W_regularizer = regularizers.get(W_regularizer)
        self.U_regularizer = regularizers.get(U_regularizer)
        self.b_regularizer = regularizers.get(b_regularizer)
        self.dropout_W = float(dropout_W)
        self.dropout_U = float(dropout_U)
        self.return_sequences = bool(return_sequences)
        self.go_backwards = bool(go_backwards)
        self.unroll = bool(unroll)
        self.consume_less = consume_less
        self.input_dim = input_dim
        self.input_length = input_length

    # Weights.

    @property
    def joint_arrays(self) -> bool:
        """Whether Keras's arrays hold all gates, and the gates share their dropout masks."""
        return self.consume_less == "gpu" or len(self.gates) == 1

    def build(self, input_shape: Shape) -> None:
        """Creates W, U, b and, for a stateful layer, the state.

        Raises:
            LayerError: The length of the steps is not known, nor the number of steps of an unrolled layer, nor the
                batch size of a stateful one.
        """
        _, steps, features = input_shape
        if features is None:
            raise self.error(f"the length of each step must be known. Received: shape {input_shape}.")
        if self.unroll and steps is None:
            raise self.error(
                f"unroll=True needs a fixed number of steps. Received: shape {input_shape}. Give the first layer a "
                "full input_shape (an Embedding: input_length)."
            )
        self.input_dim = features
        rows = len(self.gates) * self.output_dim
        self.add_parameter("weight", (rows, features))
        self.add_parameter("recurrent_weight", (rows, self.output_dim))
        self.add_parameter("bias", (rows,))
        if self.joint_arrays:
            self._declare_joint_arrays()
        else:
            self._declare_separate_arrays()
        if self.stateful:
            self.create_states(input_shape, (self.output_dim,))

    def _declare_joint_arrays(self) -> None:
        w_init, u_init = initializations.get(self.init), initializations.get(self.inner_init)
        self.add_view("W", "weight", MATRIX.to_keras, w_init, regularizer=self.W_regularizer)
        self.add_view("U", "recurrent_weight", MATRIX.to_keras, u_init, regularizer=self.U_regularizer)
        self.add_view("b", "bias", SAME.to_keras, self._joint_bias, regularizer=self.b_regularizer)

    def _declare_separate_arrays(self) -> None:
        init = initializations.get(self.init)
        for gate in self.array_order:
            index = self.gates.index(gate)
            matrix = partial(gate_matrix, gate=index, units=self.output_dim)
            vector = partial(gate_vector, gate=index, units=self.output_dim)
            self.add_view(f"W_{gate}", "weight", matrix, init, regularizer=self.W_regularizer)
            # Keras 1.2.2 gives U the initialization and the penalty of W here.
            self.add_view(f"U_{gate}", "recurrent_weight", matrix, init, regularizer=self.W_regularizer)
            self.add_view(f"b_{gate}", "bias", vector, self.bias_init(gate), regularizer=self.b_regularizer)

    def bias_init(self, gate: str) -> Initializer:
        """Returns the initialization of one gate's bias."""
        return initializations.zero

    def _joint_bias(self, shape: tuple[int, ...]) -> Tensor:
        return torch.cat([self.bias_init(gate)((self.output_dim,)) for gate in self.gates])

    # Running.

    def cell(self, weight: Tensor, masks: Tensor | None) -> GatedCell:
        """Returns the cell for one call.

        Args:
            weight: U as ``(gates * output_dim, output_dim)``.
            masks: Dropout masks of the recurrent units ``(1 or gates, batch, output_dim)``, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no cell")

    @property
    def input_dropout(self) -> float:
        """The share of input units that is dropped."""
        return self.dropout_W

    def _masks(self, p: float, x: Tensor, size: int) -> Tensor | None:
        return dropout_masks(p, 1 if self.joint_arrays else len(self.gates), x, size) if self.training else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Processes a batch of sequences.

        A masked step repeats the output before it, the kept state before the first valid step; in a layer that is
        unrolled and stateful, zeros stand there instead.

        Args:
            x: ``(batch, time, input_dim)``.
            mask: True where a step counts, ``(batch, time)``; None where all steps do.

        Returns:
            ``(batch, time, output_dim)`` in the order of processing, or ``(batch, output_dim)`` after the last step.

        Raises:
            DataError: The steps have not the length that the layer was built for, there are none, or the batch is not
                of a stateful layer's size.
        """
        if x.dim() != 3 or x.shape[2] != self.input_dim:
            raise DataError(
                f"Layer {self.name!r} ({type(self).__name__}) takes (batch, time, {self.input_dim}). "
                f"Received: shape {tuple(x.shape)}."
            )
        if torch.is_autocast_enabled("cpu") and x.device.type == "cpu":
            # A state of fewer digits would lose some at every step, and win no time.
            with torch.autocast("cpu", enabled=False):
                return self.forward(x.to(self.weight.dtype), mask)
        context = SequenceContext(
            input_masks=self._masks(self.input_dropout, x, x.shape[2]),
            state=self.initial_state(x, (self.output_dim,)),
            mask=mask,
            backwards=self.go_backwards,
            sequences=self.return_sequences,
        )
        cell = self.cell(self.recurrent_weight, self._masks(self.dropout_U, x, self.output_dim))
        kernel = kernel_for(cell, x, self.weight, cell.weight, self.bias, *context.state)
        if kernel is None:
            output, state = run_steps(cell, x, self.weight, self.bias, context)
        else:
            output, state = run_whole(kernel, cell, x, self.weight, self.bias, context)
        self.keep(state)
        if mask is not None and self.stateful and self.unroll:
            output = torch.where(self._begun(mask), output, 0.0)
        return output

    def _begun(self, mask: Tensor) -> Tensor:
        """Tells where a valid step has been met, broadcastable to the output."""
        if not self.return_sequences:
            return mask.any(1, keepdim=True)
        ordered = mask.flip(1) if self.go_backwards else mask
        return (ordered.cumsum(1) > 0).unsqueeze(-1)

    def mask_kind(self, kinds: list[MaskKind | None]) -> MaskKind | None:
        """Returns the input's, if all steps are returned."""
        return kinds[0] if self.return_sequences else None

    def compute_mask(self, x: Any, mask: Any) -> Any:
        """Returns the input's mask, if all steps are returned."""
        return mask if self.return_sequences else None

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The steps have not the length that the layer was built for.
        """
        if input_shape[2] != self.input_dim:
            raise self.error(f"it was built for steps of length {self.input_dim}. Received: shape {input_shape}.")
        if self.return_sequences:
            return (input_shape[0], input_shape[1], self.output_dim)
        return (input_shape[0], self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        config = {
            **super().get_config(),
            "output_dim": self.output_dim,
            "init": initializations.name_of(self.init),
            "inner_init": initializations.name_of(self.inner_init),
            "activation": activations.name_of(self.activation),
            "W_regularizer": regularizers.serialize(self.W_regularizer),
            "U_regularizer": regularizers.serialize(self.U_regularizer),
            "b_regularizer": regularizers.serialize(self.b_regularizer),
            "dropout_W": self.dropout_W,
            "dropout_U": self.dropout_U,
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
            "unroll": self.unroll,
            "consume_less": self.consume_less,
        }
        if self.stateful and self.built:
            return config
        return {**config, "input_dim": self.input_dim, "input_length": self.input_length}
