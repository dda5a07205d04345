"""The LSTM whose products are convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from bigdl.graph import Shape
from bigdl.layers import activations, initializations, regularizers
from bigdl.layers.activations import Activation
from bigdl.layers.layouts import CONV_TF
from bigdl.layers.recurrent.cells import next_state
from bigdl.layers.recurrent.gates import gate_vector
from bigdl.layers.recurrent.sequence import State, run_sequence
from bigdl.layers.recurrent.states import StatefulLayer
from bigdl.layers.spatial import SpatialLayer, flat_padding, same_padding, window_output_lengths
from bigdl.programs.views import features_last
from bigdl.registry import layer

GATES = "ifco"
ARRAY_ORDER = "icfo"


class ConvLSTMCell:
    """One step of a convolutional LSTM over ``(batch, channels, rows, columns)``.

    Args:
        weight: U as ``(4 * filters, filters, rows, columns)``.
        masks: Dropout masks of h for the four gates, ``(batch, 4 * filters, rows, columns)``, or None.
        activation: The activation of the candidate and of the memory.
        inner_activation: The activation of the gates.
    """

    def __init__(
        self, weight: Tensor, masks: Tensor | None, activation: Activation, inner_activation: Activation
    ) -> None:
        self.weight = weight
        # What torch does for padding="same", without its warning of even kernels; the image's size plays no part here.
        self.padding = flat_padding(same_padding((1, 1), weight.shape[2:], (1, 1)))
        self.masks = masks
        self.activation = activation
        self.inner_activation = inner_activation

    def split(self, projected: Tensor) -> tuple[Tensor]:
        """Returns the projected input, whole: ``(time, batch, rows, columns, 4 * filters)``."""
        return (projected,)

    def step(self, inputs: Sequence[Tensor], state: State) -> State:
        """Returns the next state ``(h, c)``."""
        h, c = state
        groups = 1
        if self.masks is not None:
            groups = len(GATES)
            h = h.repeat(1, groups, 1, 1) * self.masks
        product = F.conv2d(F.pad(h, self.padding), self.weight, groups=groups)
        return next_state(inputs[0].permute(0, 3, 1, 2) + product, c, self.activation, self.inner_activation)


@layer()
class ConvLSTM2D(SpatialLayer, StatefulLayer):
    """A convolutional LSTM over ``(batch, time, *image)`` (Shi et al. 2015, without peepholes).

    The input's convolution has the bias, the border mode and the stride; the recurrent one is ``same``, with stride 1.

    Restrictions:
        The regularizers have no effect, as in Keras.

    Args:
        nb_filter: The number of filters.
        nb_row: The rows of both kernels.
        nb_col: The columns of both kernels.
        init: The initialization of W.
        inner_init: The initialization of U.
        forget_bias_init: The initialization of the forget gate's bias.
        activation: The activation of the candidate and of the memory, a name or a function.
        inner_activation: The activation of the gates.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``: the order of an image's axes; time comes before them.
        border_mode: ``"valid"`` or ``"same"``.
        subsample: The stride (rows, columns).
        W_regularizer: Without effect, as in Keras.
        U_regularizer: Without effect, as in Keras.
        b_regularizer: Without effect, as in Keras.
        dropout_W: The share of input values to drop in training, the same at every step.
        dropout_U: The share of recurrent values to drop in training, the same at every step.
        return_sequences: Whether the output holds all steps rather than the last one.
        go_backwards: Whether the last step is processed first; the outputs stay in the order of processing.
        kwargs: See ``StatefulLayer``.
    """

    rank = 2
    input_ndim = (5,)
    state_count = 2

    weight: Tensor
    recurrent_weight: Tensor
    bias: Tensor

    def __init__(
        self,
        nb_filter: int,
        nb_row: int,
        nb_col: int,
        init: Any = "glorot_uniform",
        inner_init: Any = "orthogonal",
        forget_bias_init: Any = "one",
        activation: Any = "tanh",
        inner_activation: Any = "hard_sigmoid",
        dim_ordering: str = "default",
        border_mode: str = "valid",
        subsample: Sequence[int] = (1, 1),
        W_regularizer: Any = None,
        U_regularizer: Any = None,
        b_regularizer: Any = None,
        dropout_W: float = 0.0,
        dropout_U: float = 0.0,
        *,
        return_sequences: bool = False,
        go_backwards: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(dim_ordering=dim_ordering, **kwargs)
        self.nb_filter = int(nb_filter)
        self.kernel_size = self.sizes("the kernel", (nb_row, nb_col))
        self.init = init
        self.inner_init = inner_init
        self.forget_bias_init = forget_bias_init
        self.activation = activations.get(activation)
        self.inner_activation = activations.get(inner_activation)
        self.border_mode = self.checked_border_mode(border_mode)
        self.subsample = self.sizes("subsample", subsample)
        self.W_regularizer = regularizers.get(W_regularizer)
        self.U_regularizer = regularizers.get(U_regularizer)
        self.b_regularizer = regularizers.get(b_regularizer)
        self.dropout_W = float(dropout_W)
        self.dropout_U = float(dropout_U)
        self.return_sequences = bool(return_sequences)
        self.go_backwards = bool(go_backwards)

    def build(self, input_shape: Shape) -> None:
        """Creates W, U, b and, for a stateful layer, the state.

        Raises:
            LayerError: The number of channels is not known, nor the batch and image size of a stateful layer.
        """
        channels = self.known_channels(_frame(input_shape))
        rows = len(GATES) * self.nb_filter
        self.add_parameter("weight", (rows, channels, *self.kernel_size))
        self.add_parameter("recurrent_weight", (rows, self.nb_filter, *self.kernel_size))
        self.add_parameter("bias", (rows,))
        # Without the ordering, as in Keras, which takes all kernels for channels first here.
        w_init, u_init = initializations.get(self.init), initializations.get(self.inner_init)
        for gate in ARRAY_ORDER:
            index = GATES.index(gate)
            kernel = partial(_gate_kernel_tf if self.channels_last else gate_vector, gate=index, units=self.nb_filter)
            self.add_view(f"W_{gate}", "weight", kernel, w_init)
            self.add_view(f"U_{gate}", "recurrent_weight", kernel, u_init)
            b_init = initializations.get(self.forget_bias_init if gate == "f" else "zero")
            self.add_view(f"b_{gate}", "bias", partial(gate_vector, gate=index, units=self.nb_filter), b_init)
        if self.stateful:
            lengths = [length for length in self.output_lengths(input_shape) if length is not None]
            if len(lengths) < self.rank:
                raise self.error(f"stateful=True needs images of fixed size. Received: shape {input_shape}.")
            self.create_states(input_shape, (self.nb_filter, *lengths))

    def output_lengths(self, input_shape: Shape) -> Sequence[int | None]:
        """Returns the rows and columns of the output's images.

        Raises:
            LayerError: The kernel does not fit into the images.
        """
        lengths = self.split_shape(_frame(input_shape))[1]
        return self.checked_lengths(
            window_output_lengths(lengths, self.kernel_size, self.border_mode, self.subsample), input_shape
        )

    def forward(self, x: Tensor) -> Tensor:
        """Processes a batch of sequences of images.

        Args:
            x: ``(batch, time, rows, columns, channels)``, or ``(batch, time, channels, rows, columns)``.

        Returns:
            Images of ``nb_filter`` channels in the same ordering; with the axis of time, in the order of processing, if
            ``return_sequences``.

        Raises:
            DataError: There are no steps, or the batch is not of a stateful layer's size.
        """
        projected = self._project(self.channels_first(x.flatten(0, 1)), x.shape[0])
        shape = (self.nb_filter, *projected.shape[2:4])
        masks = self._masks(self.dropout_U, projected, shape)
        outputs, state = run_sequence(
            ConvLSTMCell(self.recurrent_weight, masks, self.activation, self.inner_activation),
            projected.transpose(0, 1),
            tuple(map(features_last, self.initial_state(x, shape))),
            backwards=self.go_backwards,
            sequences=self.return_sequences,
        )
        self.keep(state)
        if outputs is None:
            return self.restore(state[0])
        images = self.restore(outputs.flatten(0, 1))
        return images.view(x.shape[0], x.shape[1], *images.shape[1:])

    def _project(self, frames: Tensor, batch: int) -> Tensor:
        """Convolves the frames of all steps.

        Args:
            frames: ``(batch * time, channels, rows, columns)``.
            batch: The number of sequences.

        Returns:
            ``(batch, time, rows, columns, 4 * nb_filter)``. Features are last in memory too: what steps are cut from,
            and their gradients are put together in, then needs no reordering.
        """
        groups, masks = 1, self._masks(self.dropout_W, frames[:batch], tuple(frames.shape[1:]))
        if masks is not None:
            groups, steps = len(GATES), frames.shape[0] // batch
            frames = frames.repeat(1, groups, 1, 1) * masks.repeat_interleave(steps, 0)
        if self.border_mode == "same":
            frames = F.pad(frames, flat_padding(same_padding(frames.shape[2:], self.kernel_size, self.subsample)))
        product = F.conv2d(features_last(frames), self.weight, self.bias, self.subsample, groups=groups)
        last = product.permute(0, 2, 3, 1)
        return last.reshape(batch, -1, *last.shape[1:])

    def _masks(self, p: float, like: Tensor, shape: tuple[int, ...]) -> Tensor | None:
        """Draws dropout masks of the four gates, ``(batch, 4 * channels, rows, columns)``."""
        if not self.training or not 0.0 < p < 1.0:
            return None
        return F.dropout(like.new_ones(like.shape[0], len(GATES) * shape[0], *shape[1:]), p)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The kernel does not fit into the images.
        """
        shape = self.join_shape(input_shape[0], self.nb_filter, self.output_lengths(input_shape))
        return (shape[0], input_shape[1], *shape[1:]) if self.return_sequences else shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them.

        Keras leaves the stride, dropout and penalties out, and reads its own files back without them. It takes these
        arguments all the same, so they are written here where they are not the defaults.
        """
        lost = {
            "subsample": (self.subsample, (1, 1)),
            "dropout_W": (self.dropout_W, 0.0),
            "dropout_U": (self.dropout_U, 0.0),
            "W_regularizer": (regularizers.serialize(self.W_regularizer), None),
            "U_regularizer": (regularizers.serialize(self.U_regularizer), None),
            "b_regularizer": (regularizers.serialize(self.b_regularizer), None),
        }
        return {
            **super().get_config(),
            "nb_filter": self.nb_filter,
            "nb_row": self.kernel_size[0],
            "nb_col": self.kernel_size[1],
            "init": initializations.name_of(self.init),
            "inner_init": initializations.name_of(self.inner_init),
            "forget_bias_init": initializations.name_of(self.forget_bias_init),
            "activation": activations.name_of(self.activation),
            "inner_activation": activations.name_of(self.inner_activation),
            "border_mode": self.border_mode,
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
            **{key: value for key, (value, default) in lost.items() if value != default},
        }


def _frame(shape: Shape) -> Shape:
    """Returns the shape of one step, batch axis first."""
    return (shape[0], *shape[2:])


def _gate_kernel_tf(parameter: Tensor, gate: int, units: int) -> Tensor:
    """Returns one gate's ``(rows, columns, in, out)``, a view of ``(gates * out, in, rows, columns)``."""
    return CONV_TF.to_keras(gate_vector(parameter, gate, units))
