"""The order of a tensor's axes, and changes of it that copy nothing, put off until an operation needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class View:
    """An order of axes, after inserting an axis or before removing it.

    Attributes:
        order: The axes of the result, by their numbers in the tensor that is permuted.
        inserted: An axis of length 1 that is inserted before; None for none.
        removed: An axis of length 1 that is removed afterwards; None for none.
    """

    order: tuple[int, ...]
    inserted: int | None = None
    removed: int | None = None

    @classmethod
    def moving(cls, rank: int, source: int, target: int) -> View:
        """Returns the view that moves one axis, as ``torch.movedim`` does."""
        order = list(range(rank))
        order.insert(target % rank, order.pop(source % rank))
        return cls(tuple(order))

    def __call__(self, x: Tensor) -> Tensor:
        """Returns a tensor as it is seen."""
        if self.inserted is not None:
            x = x.unsqueeze(self.inserted)
        x = x.permute(self.order)
        return x if self.removed is None else x.squeeze(self.removed)

    @property
    def changes_nothing(self) -> bool:
        """Whether the result is the tensor itself."""
        return self.order == tuple(range(len(self.order))) and self.inserted is None and self.removed is None

    def origin(self, axis: int) -> int | None:
        """Returns the axis of the tensor that becomes one of the result; None for an inserted one, or beside one."""
        kept = [source for i, source in enumerate(self.order) if i != self.removed]
        return kept[axis] if self.inserted is None else None

    @property
    def inverse(self) -> View:
        """What gives the tensor back."""
        return View(tuple(self.order.index(axis) for axis in range(len(self.order))), self.removed, self.inserted)

    def undoes(self, other: View) -> bool:
        """Whether this view after another gives the tensor back."""
        return self == other.inverse


SEQUENCE_AS_IMAGE = View((0, 3, 1, 2), inserted=2)
"""(batch, length, channels) as an image of one column, channels first."""

IMAGE_AS_SEQUENCE = SEQUENCE_AS_IMAGE.inverse
"""And back."""

Views = tuple[View, ...]


def followed(views: Views, view: View) -> Views:
    """Returns views and one after them, as few as that takes."""
    if view.changes_nothing:
        return views
    if views and view.undoes(views[-1]):
        return views[:-1]
    return (*views, view)


def undone(views: Views) -> Views:
    """Returns the views that give back what views were applied to."""
    return tuple(view.inverse for view in reversed(views))


def applied(views: Sequence[View], x: Tensor) -> Tensor:
    """Returns a tensor as seen through views, the first one first."""
    for view in views:
        x = view(x)
    return x


def features_last(x: Tensor) -> Tensor:
    """Returns a tensor whose features are last in its memory, which has no gaps; copied only if it is not so."""
    return x.contiguous(memory_format=torch.channels_last if x.dim() == 4 else torch.contiguous_format)
