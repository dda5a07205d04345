"""Builds networks of plain JAX: one function of parameters, input and random key, for ``jax.jit``."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Op = Callable[..., Any]
_RANDOM = np.random.default_rng(0)
_ACTIVATIONS: dict[str | None, Op] = {
    None: lambda x: x,
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "softmax": jax.nn.softmax,
}


class JaxBuilder:
    """Records each layer as a function; a tensor is the number of the layer that makes it, with the rows' shape.

    Attributes:
        parameters: The weights of each layer that an optimizer moves.
        state: The running values of each layer.
    """

    def __init__(self) -> None:
        self.parameters: list[dict[str, Any]] = []
        self.state: list[dict[str, Any]] = []
        self._ops: list[tuple[Op, tuple[int, ...]]] = []
        self._shapes: list[tuple[int, ...]] = []

    def _add(self, op: Op, inputs: tuple[int, ...], weights: Any = (), state: Any = ()) -> int:
        """Adds a layer: ``op(parameters, state, key, training, *inputs)`` gives its output and new state."""
        self._ops.append((op, inputs))
        self.parameters.append({name: _initial(name, shape) for name, shape in dict(weights).items()})
        self.state.append(dict(state))
        rows = [jax.ShapeDtypeStruct((1, *self._shapes[i]), jnp.float32) for i in inputs]
        made = jax.eval_shape(lambda *x: op(self.parameters[-1], self.state[-1], jax.random.key(0), True, *x)[0], *rows)
        self._shapes.append(made.shape[1:])
        return len(self._ops) - 1

    def _pure(self, function: Op, x: int, **weights: tuple[int, ...]) -> int:
        return self._add(lambda p, s, key, training, value: (function(value, p), s), (x,), weights)

    def input(self, shape: tuple[int, ...], integers: int = 0) -> int:
        self._ops.append((lambda *_: None, ()))
        self.parameters.append({})
        self.state.append({})
        self._shapes.append(shape)
        return 0

    def convolution(
        self, x: int, filters: int, size: Any, stride: int = 1, same: bool = False, activation: str | None = None
    ) -> int:
        lengths = size if isinstance(size, tuple) else (size, size)

        def convolve(value: Any, p: Any) -> Any:
            y = lax.conv_general_dilated(
                value, p["W"], (stride, stride), "SAME" if same else "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            return _ACTIVATIONS[activation](y + p["b"])

        return self._pure(convolve, x, W=(*lengths, self._shapes[x][-1], filters), b=(filters,))

    def separable_convolution(self, x: int, filters: int, size: int) -> int:
        channels, names = self._shapes[x][-1], ("NHWC", "HWIO", "NHWC")

        def convolve(value: Any, p: Any) -> Any:
            return lax.conv_general_dilated(
                value, p["W"], (1, 1), "SAME", dimension_numbers=names, feature_group_count=channels
            )

        return self.convolution(self._pure(convolve, x, W=(size, size, 1, channels)), filters, 1)

    def sequence_convolution(self, x: int, filters: int, size: int, activation: str | None = None) -> int:
        def convolve(value: Any, p: Any) -> Any:
            y = lax.conv_general_dilated(value, p["W"], (1,), "VALID", dimension_numbers=("NWC", "WIO", "NWC"))
            return _ACTIVATIONS[activation](y + p["b"])

        return self._pure(convolve, x, W=(size, self._shapes[x][-1], filters), b=(filters,))

    def sequence_average(self, x: int) -> int:
        return self._pure(lambda value, p: value.mean(1), x)

    def global_max_pooling(self, x: int) -> int:
        return self._pure(lambda value, p: value.max(1), x)

    def max_pooling(self, x: int, size: int, stride: int | None = None, same: bool = False) -> int:
        return self._pure(lambda value, p: _windows(value, size, stride, same, -jnp.inf, lax.max), x)

    def average_pooling(self, x: int, size: int, stride: int | None = None, same: bool = False) -> int:
        def average(value: Any, p: Any) -> Any:
            cells = jnp.ones((1, *value.shape[1:3], 1))
            sums = [_windows(array, size, stride, same, 0.0, lax.add) for array in (value, cells)]
            return sums[0] / sums[1]

        return self._pure(average, x)

    def global_average_pooling(self, x: int) -> int:
        return self._pure(lambda value, p: value.mean((1, 2)), x)

    def up_sampling(self, x: int, times: int) -> int:
        return self._pure(lambda value, p: value.repeat(times, 1).repeat(times, 2), x)

    def concatenate(self, parts: list[int]) -> int:
        return self._add(lambda p, s, key, training, *values: (jnp.concatenate(values, -1), s), tuple(parts))

    def zero_padding(self, x: int, width: int) -> int:
        return self._pure(lambda value, p: jnp.pad(value, ((0, 0), (width, width), (width, width), (0, 0))), x)

    def batch_normalization(self, x: int) -> int:
        def normalize(p: Any, s: Any, key: Any, training: bool, value: Any) -> Any:
            mean, variance = s["mean"], s["variance"]
            if training:
                mean, variance = value.mean((0, 1, 2)), value.var((0, 1, 2))
                s = {"mean": 0.99 * s["mean"] + 0.01 * mean, "variance": 0.99 * s["variance"] + 0.01 * variance}
            factor = p["gamma"] * lax.rsqrt(variance + 1e-3)
            return value * factor + (p["beta"] - mean * factor), s

        width = self._shapes[x][-1]
        return self._add(
            normalize,
            (x,),
            {"gamma": (width,), "beta": (width,)},
            {"mean": jnp.zeros(width), "variance": jnp.ones(width)},
        )

    def activation(self, x: int, name: str) -> int:
        return self._pure(lambda value, p: _ACTIVATIONS[name](value), x)

    def add(self, x: int, y: int) -> int:
        return self._add(lambda p, s, key, training, a, b: (a + b, s), (x, y))

    def dropout(self, x: int, rate: float) -> int:
        return self._add(lambda p, s, key, training, value: (_dropped(value, key, rate, training), s), (x,))

    def flatten(self, x: int) -> int:
        return self._pure(lambda value, p: value.reshape(len(value), -1), x)

    def dense(self, x: int, units: int, activation: str | None = None) -> int:
        function = _ACTIVATIONS[activation]
        return self._pure(
            lambda value, p: function(value @ p["W"] + p["b"]), x, W=(self._shapes[x][-1], units), b=(units,)
        )

    def embedding(self, x: int, words: int, units: int) -> int:
        return self._pure(lambda value, p: p["W"][value.astype(jnp.int32)], x, W=(words, units))

    def _recurrent(
        self, x: int, units: int, cell: Op, gates: int, states: int, dropout: float, back: bool, every: bool
    ) -> int:
        def run(p: Any, s: Any, key: Any, training: bool, value: Any) -> Any:
            of_input, of_state = jax.random.split(key)
            value = _dropped(value, of_input, dropout, training, value[:, :1].shape)
            mask = _dropped(jnp.ones((len(value), units)), of_state, dropout, training)
            steps = (value @ p["W"] + p["b"]).swapaxes(0, 1)
            start = (jnp.zeros((len(value), units)),) * states

            def step(state: Any, now: Any) -> Any:
                state = cell(now, state, mask, p["U"])
                return state, state[0] if every else None

            final, outputs = lax.scan(step, start, steps, reverse=back)
            return outputs.swapaxes(0, 1) if every else final[0], s

        width = self._shapes[x][-1]
        return self._add(run, (x,), {"W": (width, gates * units), "U": (units, gates * units), "b": (gates * units,)})

    def lstm(self, x: int, units: int, dropout: float = 0.0, back: bool = False, sequences: bool = False) -> int:
        return self._recurrent(x, units, _lstm_cell, 4, 2, dropout, back, sequences)

    def gru(self, x: int, units: int) -> int:
        return self._recurrent(x, units, _gru_cell, 3, 1, 0.0, back=False, every=False)

    def bidirectional_lstm(self, x: int, units: int) -> int:
        ways = (self.lstm(x, units), self.lstm(x, units, back=True))
        return self._add(lambda p, s, key, training, *both: (jnp.concatenate(both, -1), s), ways)

    def model(self, x: int, y: int) -> Op:
        """Returns ``apply(parameters, state, key, x, training)``, which gives output and new state."""

        def apply(parameters: Any, state: Any, key: Any, x: Any, training: bool) -> Any:
            values, after = [x], [{}]
            for i, (op, inputs) in enumerate(self._ops[1:], start=1):
                given = [values[j] for j in inputs]
                value, new = op(parameters[i], state[i], jax.random.fold_in(key, i), training, *given)
                values.append(value)
                after.append(new)
            return values[y], after

        return apply


def _windows(value: Any, size: int, stride: int | None, same: bool, start: float, combine: Any) -> Any:
    window, steps = (1, size, size, 1), (1, stride or size, stride or size, 1)
    return lax.reduce_window(value, start, combine, window, steps, "SAME" if same else "VALID")


def _initial(name: str, shape: tuple[int, ...]) -> Any:
    if name == "gamma":
        return jnp.ones(shape)
    scale = (2.0 / max(1, int(np.prod(shape[:-1])))) ** 0.5 if len(shape) > 1 else 0.0
    return jnp.asarray(_RANDOM.normal(0.0, 1.0, shape) * scale, jnp.float32)


def _dropped(x: Any, key: Any, rate: float, training: bool, shape: Any = None) -> Any:
    if not training or not rate:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - rate, shape or x.shape), x / (1 - rate), 0.0)


def _hard_sigmoid(x: Any) -> Any:
    return jnp.clip(0.2 * x + 0.5, 0.0, 1.0)


def _lstm_cell(now: Any, state: Any, mask: Any, u: Any) -> Any:
    h, c = state
    i, f, o, g = jnp.split(now + (h * mask) @ u, [u.shape[0] * k for k in (1, 2, 3)], axis=-1)
    c = _hard_sigmoid(f) * c + _hard_sigmoid(i) * jnp.tanh(g)
    return _hard_sigmoid(o) * jnp.tanh(c), c


def _gru_cell(now: Any, state: Any, mask: Any, u: Any) -> Any:
    (h,) = state
    n = len(u)
    z, r = jnp.split(_hard_sigmoid(now[:, : 2 * n] + h @ u[:, : 2 * n]), 2, axis=-1)
    return (z * h + (1 - z) * jnp.tanh(now[:, 2 * n :] + (r * h) @ u[:, 2 * n :]),)
