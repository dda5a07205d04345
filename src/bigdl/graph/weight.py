"""The arrays of a layer as Keras sees them: named views, in Keras's layout, on torch parameters.

A parameter is kept in the layout torch's kernels want, gates of a recurrent layer side by side in one. What Keras calls
``W`` or ``U_i`` is a view of it, so that reading, writing, regularizing and constraining need one function each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.graph.user_functions import call_user

if TYPE_CHECKING:
    from bigdl.graph.weighted import WeightedModule

Regularizer = Callable[[Tensor], Tensor]
Constraint = Callable[[Tensor], Tensor]
Initializer = Callable[[tuple[int, ...]], Tensor]

_initialize: ContextVar[bool] = ContextVar("initialize", default=True)


@contextlib.contextmanager
def without_initialization() -> Iterator[None]:
    """Leaves the weights of layers built inside uninitialized: for models whose every array is about to be loaded."""
    token = _initialize.set(False)
    try:
        yield
    finally:
        _initialize.reset(token)


@dataclass(frozen=True, slots=True)
class Layout:
    """How an array of Keras lies in torch: two functions, each the other's inverse.

    Attributes:
        to_torch: Keras's layout to torch's; used on shapes only.
        to_keras: A view of the torch tensor in Keras's layout, never a copy.
    """

    to_torch: Callable[[Tensor], Tensor]
    to_keras: Callable[[Tensor], Tensor]


def _to_tensor(array: NDArray[Any]) -> Tensor:
    """Shares the array's memory where torch can: native byte order, contiguous, writable."""
    native = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
    return torch.from_numpy(native if native.flags.writeable else native.copy())


def _same(x: Tensor) -> Tensor:
    return x


SAME = Layout(_same, _same)


@dataclass(frozen=True, eq=False, slots=True)
class Weight:
    """One array of a layer, in Keras's layout.

    Attributes:
        name: Keras's short name, e.g. ``"W"``; in files it stands behind the layer's name.
        module: The layer that holds the parameter.
        attribute: The parameter's or buffer's name on that layer.
        view: Gives the Keras-layout view of the parameter.
        trainable: Whether an optimizer may move it (if its layer is trainable).
        regularizer: A penalty of this array, added to the loss.
        constraint: Maps the array's new value to an allowed one after each step.
    """

    name: str
    module: WeightedModule
    attribute: str
    view: Callable[[Tensor], Tensor]
    trainable: bool
    regularizer: Regularizer | None = None
    constraint: Constraint | None = None

    @property
    def parameter(self) -> Tensor:
        """The torch parameter or buffer behind this array."""
        tensor = getattr(self.module, self.attribute)
        assert isinstance(tensor, Tensor)
        return tensor

    @property
    def value(self) -> Tensor:
        """The array as a view, in Keras's layout; gradients flow through it."""
        return self.view(self.parameter)

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape in Keras's layout."""
        return tuple(self.value.shape)

    def numpy(self) -> NDArray[Any]:
        """A copy of the array."""
        return np.array(self.value.detach().cpu().numpy(), order="C")

    def assign(self, array: NDArray[Any] | Tensor) -> None:
        """Writes the array, which must have this weight's shape."""
        with torch.no_grad():
            self.value.copy_(array if isinstance(array, Tensor) else _to_tensor(array))

    def assign_pieces(self, pieces: Iterable[NDArray[Any]]) -> None:
        """Writes the array from pieces along its first axis, which together must have this weight's shape."""
        start = 0
        with torch.no_grad():
            rows = self.value if self.shape else self.value.unsqueeze(0)
            for piece in map(np.atleast_1d, pieces):
                rows[start : start + len(piece)].copy_(_to_tensor(piece))
                start += len(piece)

    def penalty(self) -> Tensor:
        """Returns what the regularizer, which there must be, adds to the loss."""
        assert self.regularizer is not None
        return cast(Tensor, call_user(self.regularizer, self.value))

    def constrain(self) -> None:
        """Writes what the constraint, which there must be, makes of the array."""
        assert self.constraint is not None
        self.assign(call_user(self.constraint, self.value))

    def initialize(self, initializer: Initializer) -> None:
        """Writes the initial value, unless initialization is switched off."""
        if _initialize.get():
            self.assign(initializer(self.shape))
