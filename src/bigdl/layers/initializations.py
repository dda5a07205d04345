"""Keras 1.2.2's weight initializations, drawn from torch's default generator.

Shapes are in Keras's layout. Sources: LeCun 98 (lecun), Glorot and Bengio 2010 (glorot), He et al. 2015 (he), Saxe et
al. 2014 (orthogonal). The argument ``name`` is Keras's and unused.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

from bigdl.errors import LayerError, UnsupportedLayerError
from bigdl.registry import NamedObjects

Initialization = Callable[..., Any]
F = TypeVar("F", bound=Initialization)
Shape = tuple[int, ...]

INITIALIZATIONS: NamedObjects[Initialization] = NamedObjects("initialization")


def _register(function: F) -> F:
    INITIALIZATIONS.register(function.__name__, function)
    return function


def get_fans(shape: Shape, dim_ordering: str = "th") -> tuple[float, float]:
    """Returns the number of inputs and outputs of one unit, as Keras 1.2.2 counts them.

    Args:
        shape: A weight's shape: ``(in, out)``, or a kernel's of rank 4 or 5 in the given ordering; others count as
            square.
        dim_ordering: ``"th"`` for kernels ``(out, in, *kernel)``, ``"tf"`` for ``(*kernel, in, out)``.
    """
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) in (4, 5) and dim_ordering == "th":
        field = math.prod(shape[2:])
        return shape[1] * field, shape[0] * field
    if len(shape) in (4, 5):
        # Two axes also for 3D kernels, which have three: Keras's own count.
        field = math.prod(shape[:2])
        return shape[-2] * field, shape[-1] * field
    root = math.sqrt(math.prod(shape))
    return root, root


@_register
def uniform(shape: Shape, scale: float = 0.05, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """U(-scale, scale)."""
    return torch.empty(shape).uniform_(-scale, scale)


@_register
def normal(shape: Shape, scale: float = 0.05, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """N(0, scale)."""
    return torch.empty(shape).normal_(0.0, scale)


@_register
def lecun_uniform(shape: Shape, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """Uniform with limit ``sqrt(3 / fan_in)``."""
    return uniform(shape, math.sqrt(3.0 / get_fans(shape, dim_ordering)[0]))


@_register
def glorot_normal(shape: Shape, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """Normal with deviation ``sqrt(2 / (fan_in + fan_out))``."""
    return normal(shape, math.sqrt(2.0 / sum(get_fans(shape, dim_ordering))))


@_register
def glorot_uniform(shape: Shape, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """Uniform with limit ``sqrt(6 / (fan_in + fan_out))``."""
    return uniform(shape, math.sqrt(6.0 / sum(get_fans(shape, dim_ordering))))


@_register
def he_normal(shape: Shape, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """Normal with deviation ``sqrt(2 / fan_in)``."""
    return normal(shape, math.sqrt(2.0 / get_fans(shape, dim_ordering)[0]))


@_register
def he_uniform(shape: Shape, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """Uniform with limit ``sqrt(6 / fan_in)``."""
    return uniform(shape, math.sqrt(6.0 / get_fans(shape, dim_ordering)[0]))


@_register
def orthogonal(shape: Shape, scale: float = 1.1, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """An orthogonal matrix (of the shape flattened to two axes) times ``scale``."""
    flat = torch.empty(shape[0], math.prod(shape[1:]))
    return scale * torch.nn.init.orthogonal_(flat).reshape(shape)


@_register
def identity(shape: Shape, scale: float = 1.0, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """The identity matrix times ``scale``.

    Raises:
        LayerError: The shape is not that of a square matrix.
    """
    if len(shape) != 2 or shape[0] != shape[1]:
        raise LayerError(f"The initialization 'identity' needs a square matrix. Received: shape {shape}.")
    return scale * torch.eye(shape[0])


@_register
def zero(shape: Shape, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """Zeros."""
    return torch.zeros(shape)


@_register
def one(shape: Shape, name: str | None = None, dim_ordering: str = "th") -> Tensor:
    """Ones."""
    return torch.ones(shape)


def get(identifier: str | Initialization, dim_ordering: str = "th") -> partial[Tensor]:
    """Returns a function from a shape to an initial value.

    A name that is not known is an error only when a value is asked for: files name functions of their authors, and
    their stored weights make those superfluous.

    Args:
        identifier: A name, or a function of a shape (and of ``dim_ordering``, if it takes that).
        dim_ordering: How the shapes of kernels are to be read.
    """
    made: partial[Tensor]
    if not isinstance(identifier, str):
        made = partial(_call, identifier, dim_ordering)
    else:
        try:
            made = partial(_call, INITIALIZATIONS.get(identifier), dim_ordering)
        except UnsupportedLayerError as error:
            made = partial(_refuse, str(error))
    made.__name__ = name_of(identifier)  # type: ignore[attr-defined] # layers of users write it into their configuration
    return made


def name_of(identifier: str | Initialization) -> str:
    """Returns the name a configuration has for an initialization."""
    return identifier if isinstance(identifier, str) else getattr(identifier, "__name__", type(identifier).__name__)


def _call(function: Initialization, dim_ordering: str, shape: Shape, name: str | None = None, **options: Any) -> Tensor:
    taken = inspect.signature(function).parameters
    offered = {"dim_ordering": dim_ordering, "name": name}
    value = function(shape, **{key: option for key, option in offered.items() if key in taken}, **options)
    return torch.as_tensor(value, dtype=torch.get_default_dtype())


def _refuse(message: str, shape: Shape, name: str | None = None) -> Tensor:
    raise UnsupportedLayerError(f"{message} (Needed for a weight of shape {shape}, which no file gave.)")
