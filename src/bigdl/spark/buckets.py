"""Gradients of large models in buckets, added up over workers while the backward pass is still under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Start = Callable[[Tensor], Any]
"""Begins to add a tensor up over all workers, in place; what it returns has ``wait()``."""


class Buckets:
    """The gradients of parameters, joined into buckets of some megabytes.

    Backward passes give the gradients of the last layers first, so buckets are filled from the last parameter on. Each
    is sent off when it is full and those before it are on their way: on all workers in the same order, also on one that
    has no gradients at all.

    Args:
        parameters: The parameters.
        size: The bytes of a bucket; a larger parameter has one for itself.
        dtype: What gradients are sent as; None for what they are.
    """

    def __init__(self, parameters: Sequence[Tensor], size: int, dtype: torch.dtype | None = None) -> None:
        self._parameters = list(parameters)
        self._members: list[list[int]] = []
        self._views: dict[int, Tensor] = {}
        self._flats: list[Tensor] = []
        room = 0
        for i in reversed(range(len(parameters))):
            if parameters[i].nbytes > room or parameters[i].dtype != parameters[self._members[-1][0]].dtype:
                self._members.append([])
                room = size
            self._members[-1].append(i)
            room -= parameters[i].nbytes
        for members in self._members:
            first = parameters[members[0]]
            flat = torch.empty(sum(parameters[i].numel() for i in members), dtype=first.dtype, device=first.device)
            pieces = torch.split(flat, [parameters[i].numel() for i in members])
            self._views.update((i, piece.view(parameters[i].shape)) for i, piece in zip(members, pieces, strict=True))
            self._flats.append(flat)
        self._dtype = dtype

    def sums(self, compute: Callable[[], list[Tensor]], start: Start) -> list[Tensor]:
        """Returns the sums of gradients over all workers.

        Args:
            compute: Computes this worker's gradients.
            start: Begins a sum.

        Returns:
            One for each parameter; they may be used until the next call.
        """
        passing = _Pass(self._members, self._views, self._flats, self._dtype, start)
        hooks: list[Any] = []
        for i, parameter in enumerate(self._parameters):
            hooked: Any = parameter  # torch has no types for hooks of tensors
            hooks.append(hooked.register_hook(lambda gradient, i=i: passing.take(i, gradient)))
        try:
            gradients = compute()
        finally:
            for hook in hooks:
                hook.remove()
        for i, gradient in enumerate(gradients):  # those that no hook was told of
            passing.take(i, gradient)
        passing.finish()
        return [self._views[i] for i in range(len(self._parameters))]


class _Pass:
    """One backward pass."""

    def __init__(
        self,
        members: list[list[int]],
        views: dict[int, Tensor],
        flats: list[Tensor],
        dtype: torch.dtype | None,
        start: Start,
    ) -> None:
        self._waiting = [set(bucket) for bucket in members]
        self._bucket_of = {i: n for n, bucket in enumerate(members) for i in bucket}
        self._views = views
        self._flats = flats
        self._dtype = dtype
        self._start = start
        self._works: list[tuple[Any, Tensor]] = []

    def take(self, i: int, gradient: Tensor) -> None:
        """Takes the gradient of a parameter, once."""
        waiting = self._waiting[self._bucket_of[i]]
        if i not in waiting:
            return
        waiting.remove(i)
        self._views[i].copy_(gradient)
        while len(self._works) < len(self._flats) and not self._waiting[len(self._works)]:
            flat = self._flats[len(self._works)]
            sent = flat if self._dtype is None else flat.to(self._dtype)
            self._works.append((self._start(sent), sent))

    def finish(self) -> None:
        """Waits for all sums."""
        for (work, sent), flat in zip(self._works, self._flats, strict=True):
            work.wait()
            if sent is not flat:
                flat.copy_(sent)
