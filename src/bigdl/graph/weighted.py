"""What a layer's weights are: their declaration, their order, who trains them, reading and writing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bigdl.errors import WeightMismatchError
from bigdl.graph.weight import SAME, Constraint, Initializer, Layout, Regularizer, Weight

Array = NDArray[Any]


_changes = [0]


def attribute_changes() -> int:
    """Returns how often an attribute of any layer was set: while it stays, no layer is another than it was."""
    return _changes[0]


class WeightedModule(nn.Module):
    """A torch module that declares its parameters as Keras's arrays.

    Args:
        trainable: Whether the weights are trained.

    Attributes:
        name: The name that messages use.
    """

    name: str

    def __init__(self, trainable: bool = True) -> None:
        super().__init__()
        self._trained: list[Weight] = []
        self._kept: list[Weight] = []
        self._trainable = bool(trainable)

    def __setattr__(self, name: str, value: Any) -> None:
        _changes[0] += 1
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Tensor | nn.Module:
        """Finds an array also by Keras's name of it: ``layer.W`` is a view of the parameter in Keras's layout."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            for weight in (*self.__dict__.get("_trained", ()), *self.__dict__.get("_kept", ())):
                if weight.name == name and weight.module is self:
                    value: Tensor = weight.value
                    return value
            raise

    def add_weight(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: Initializer,
        *,
        attribute: str,
        layout: Layout = SAME,
        trainable: bool = True,
        regularizer: Regularizer | None = None,
        constraint: Constraint | None = None,
    ) -> None:
        """Creates a parameter (a buffer when not trainable) for one array of Keras.

        Args:
            name: Keras's short name, e.g. ``"W"``.
            shape: The array's shape in Keras's layout.
            initializer: Gives the initial value for that shape.
            attribute: The parameter's name on this module, e.g. ``"weight"``.
            layout: How the array lies in torch.
            trainable: False for running statistics and the like.
            regularizer: A penalty of the array.
            constraint: Applied to the array after each step.
        """
        torch_shape = layout.to_torch(torch.empty(shape, device="meta")).shape
        self.add_parameter(attribute, tuple(torch_shape), trainable)
        self.add_view(name, attribute, layout.to_keras, initializer, trainable, regularizer, constraint)

    def add_parameter(self, attribute: str, shape: tuple[int, ...], trainable: bool = True) -> None:
        """Creates an uninitialized parameter (a buffer when not trainable) in torch's layout."""
        if trainable:
            self.register_parameter(attribute, nn.Parameter(torch.empty(shape)))
        else:
            self.register_buffer(attribute, torch.empty(shape))

    def add_view(
        self,
        name: str,
        attribute: str,
        view: Callable[[Tensor], Tensor],
        initializer: Initializer,
        trainable: bool = True,
        regularizer: Regularizer | None = None,
        constraint: Constraint | None = None,
    ) -> None:
        """Declares one array of Keras as a view of a parameter, and gives it its initial value."""
        weight = Weight(name, self, attribute, view, trainable, regularizer, constraint)
        (self._trained if trainable else self._kept).append(weight)
        weight.initialize(initializer)

    @property
    def trainable(self) -> bool:
        """Whether the layer's weights are trained; setting it sets ``requires_grad`` of its parameters."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        self._sync_requires_grad()

    def _sync_requires_grad(self, inherited: bool = True) -> None:
        for weight in self._trained:
            weight.parameter.requires_grad_(inherited and self._trainable)

    @property
    def trainable_weights(self) -> list[Weight]:
        """The arrays an optimizer moves; none when the layer is not trainable."""
        return list(self._trained) if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The arrays no optimizer moves."""
        return list(self._kept) if self._trainable else self._trained + self._kept

    @property
    def weights(self) -> list[Weight]:
        """All arrays, in Keras's order: the trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def listed_weights(self) -> list[Weight]:
        """The arrays in the order of ``get_weights``."""
        return self.weights

    def get_weights(self) -> list[Array]:
        """Returns copies of all arrays in Keras's order and layout."""
        return [weight.numpy() for weight in self.listed_weights]

    def set_weights(self, weights: Sequence[Array]) -> None:
        """Writes all arrays, in the order and layout of ``get_weights``.

        Raises:
            WeightMismatchError: Their number or a shape differs; nothing is written then.
        """
        assign_weights(self.listed_weights, weights, f"Layer {self.name!r} ({type(self).__name__})")

    def stored_shapes(self, shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Returns the shapes that a file's arrays must have, given those they have: the weights' own.

        A layer that can take arrays of other shapes returns those, and changes its weights in ``resize``.
        """
        return [weight.shape for weight in self.weights]

    def resize(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Prepares the weights for arrays of shapes that ``stored_shapes`` agreed to; called when all are checked."""

    def count_params(self) -> int:
        """Returns the number of values in the layer's arrays."""
        return sum(weight.value.numel() for weight in self.weights)


def assign_weights(targets: Sequence[Weight], arrays: Sequence[Array], owner: str) -> None:
    """Writes arrays into weights after checking all of them.

    Args:
        targets: The weights.
        arrays: As many arrays, of the same shapes.
        owner: Whose weights they are, for the message.

    Raises:
        WeightMismatchError: Their number or a shape differs; nothing is written then.
    """
    if len(targets) != len(arrays):
        names = ", ".join(f"{weight.name}{weight.shape}" for weight in targets) or "none"
        raise WeightMismatchError(f"{owner} expects {len(targets)} arrays ({names}). Received: {len(arrays)}.")
    for weight, array in zip(targets, arrays, strict=True):
        if weight.shape != tuple(array.shape):
            raise WeightMismatchError(
                f"{owner}: array '{weight.module.name}_{weight.name}' must have shape {weight.shape}. "
                f"Received: {tuple(array.shape)}."
            )
    for weight, array in zip(targets, arrays, strict=True):
        weight.assign(array)
