"""Activations with an argument or with weights of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.graph import Layer, Shape
from bigdl.layers import activations, initializations
from bigdl.registry import layer


def _float32(value: float) -> float:
    """Rounds to the precision Keras keeps, and writes into configurations."""
    return float(np.float32(value))


@layer()
class LeakyReLU(Layer):
    """``x`` where positive, ``alpha x`` elsewhere (Maas et al. 2013).

    Args:
        alpha: The slope below zero.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function."""
        return activations.relu(x, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "alpha": self.alpha}


@layer()
class ELU(Layer):
    """``x`` where positive, ``alpha (e^x - 1)`` elsewhere (Clevert et al. 2015).

    Args:
        alpha: The scale below zero.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = _float32(alpha)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function."""
        return F.elu(x, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "alpha": self.alpha}


@layer()
class ThresholdedReLU(Layer):
    """``x`` where above ``theta``, zero elsewhere (Konda et al. 2014).

    Args:
        theta: The threshold.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = _float32(theta)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function."""
        return x * (x > self.theta)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "theta": self.theta}


class _LearnedActivation(Layer):
    """An activation whose arguments are weights, one for each value of a sample.

    Keras 1.2.2 leaves ``shared_axes`` out of its configurations and then cannot load its own weights. Here the axes are
    found again from the shapes of the stored arrays, and written.

    Args:
        shared_axes: The axes (the batch is axis 0) along which one weight serves all values.
        kwargs: See ``Layer``.
    """

    supports_masking = True
    weight_names: ClassVar[tuple[str, ...]]

    def __init__(self, shared_axes: int | Sequence[int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes or ())
        self.shared_axes = [int(axis) for axis in axes if axis is not None]

    def initializers(self) -> list[Any]:
        """Returns the initialization of each weight."""
        raise NotImplementedError

    def build(self, input_shape: Shape) -> None:
        """Creates the weights; an axis of open length can only be a shared one."""
        rank = len(input_shape)
        if not all(0 < axis < rank for axis in self.shared_axes):
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}): shared_axes={self.shared_axes} must be among 1 to "
                f"{rank - 1} for an input of shape {input_shape}."
            )
        shape = [1 if i in self.shared_axes else length for i, length in enumerate(input_shape)][1:]
        sizes = tuple(1 if length is None else length for length in shape)
        self.shared_axes += [i + 1 for i, length in enumerate(shape) if length is None]
        for name, initializer in zip(self.weight_names, self.initializers(), strict=True):
            self.add_weight(name, sizes, initializations.get(initializer), attribute=name)

    def stored_shapes(self, shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Returns the shapes of a file's arrays if they are those of this layer with more axes shared."""
        own = self.weights[0].shape
        first = shapes[0] if shapes else own
        fits = len(first) == len(own) and all(size in (1, length) for size, length in zip(first, own, strict=True))
        return [first if fits else own] * len(self.weights)

    def resize(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Shares the axes that have length 1 in the shapes."""
        own = self.weights[0].shape
        if tuple(shapes[0]) == own:
            return
        self.shared_axes = [i + 1 for i, size in enumerate(shapes[0]) if size == 1]
        for weight in self.weights:
            weight.parameter.data = weight.parameter.new_empty(shapes[0])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them, and the shared axes, which it forgets."""
        config = super().get_config()
        return {**config, "shared_axes": self.shared_axes} if self.shared_axes else config


@layer()
class PReLU(_LearnedActivation):
    """``x`` where positive, ``alphas x`` elsewhere (He et al. 2015).

    Args:
        init: The initialization of the weights.
        shared_axes: See ``_LearnedActivation``.
        kwargs: See ``Layer``.
    """

    weight_names = ("alphas",)
    alphas: Tensor

    def __init__(
        self,
        init: Any = "zero",
        weights: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(shared_axes, weights=weights, **kwargs)
        self.init = init

    def initializers(self) -> list[Any]:
        """Returns the initialization of each weight."""
        return [self.init]

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function."""
        # Not F.prelu, which has another gradient at 0.
        return F.relu(x) + self.alphas * (x - x.abs()) * 0.5

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "init": initializations.name_of(self.init)}


@layer()
class ParametricSoftplus(_LearnedActivation):
    """``alphas log(1 + e^(betas x))`` (McFarland et al. 2013).

    Args:
        alpha_init: The initial value of all alphas.
        beta_init: The initial value of all betas.
        shared_axes: See ``_LearnedActivation``.
        kwargs: See ``Layer``.
    """

    weight_names = ("alphas", "betas")
    alphas: Tensor
    betas: Tensor

    def __init__(
        self,
        alpha_init: float = 0.2,
        beta_init: float = 5.0,
        weights: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(shared_axes, weights=weights, **kwargs)
        self.alpha_init = _float32(alpha_init)
        self.beta_init = _float32(beta_init)

    def initializers(self) -> list[Any]:
        """Returns the initialization of each weight."""
        return [lambda shape: torch.full(shape, self.alpha_init), lambda shape: torch.full(shape, self.beta_init)]

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function."""
        return activations.softplus(self.betas * x) * self.alphas

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "alpha_init": self.alpha_init, "beta_init": self.beta_init}


@layer()
class SReLU(_LearnedActivation):
    """``x`` between two thresholds, lines of their own slopes beyond them (Jin et al. 2015).

    With ``T = t_left + |t_right|``: below t_left ``t_left + a_left (x - t_left)``, above T ``T + a_right (x - T)``.

    Args:
        t_left_init: The initialization of the left threshold.
        a_left_init: The initialization of the left slope.
        t_right_init: The initialization of the right threshold's distance from the left.
        a_right_init: The initialization of the right slope.
        shared_axes: See ``_LearnedActivation``.
        kwargs: See ``Layer``.
    """

    weight_names = ("t_left", "a_left", "t_right", "a_right")
    t_left: Tensor
    a_left: Tensor
    t_right: Tensor
    a_right: Tensor

    def __init__(
        self,
        t_left_init: Any = "zero",
        a_left_init: Any = "glorot_uniform",
        t_right_init: Any = "glorot_uniform",
        a_right_init: Any = "one",
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(shared_axes, **kwargs)
        self.inits = {
            "t_left_init": t_left_init,
            "a_left_init": a_left_init,
            "t_right_init": t_right_init,
            "a_right_init": a_right_init,
        }

    def initializers(self) -> list[Any]:
        """Returns the initialization of each weight."""
        return list(self.inits.values())

    def forward(self, x: Tensor) -> Tensor:
        """Applies the function."""
        right = self.t_left + self.t_right.abs()
        between = torch.minimum(F.relu(x - self.t_left), right - self.t_left)
        below = self.a_left * F.relu(self.t_left - x)
        above = self.a_right * F.relu(x - right)
        return self.t_left + between - below + above

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), **{key: initializations.name_of(init) for key, init in self.inits.items()}}
