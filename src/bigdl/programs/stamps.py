"""Whether weights have changed since something was made of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bigdl.programs.operations import Source

SAMPLED = 16
"""How many values of each weight are compared."""


class Stamps:
    """What weights looked like.

    Torch counts the changes of a tensor. Changes behind its back (``weight.data``, an array that shares the memory) are
    not counted, so some values are compared as well, spread evenly over each weight: what changes a weight as a whole
    is noticed, a change of single values in this way may not be.

    Args:
        sources: Where the weights are.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        places = {(id(source.owner), source.name): source for source in sources}  # each once
        self._places = [(source.owner, source.name) for source in places.values()]
        self._take()

    def _take(self) -> None:
        tensors = [owner[name] for owner, name in self._places]
        self._seen = [
            (owner, name, tensor, tensor._version, tensor.data_ptr())
            for (owner, name), tensor in zip(self._places, tensors, strict=True)
            if tensor is not None
        ]
        self._samples = [_sample(seen[2]) for seen in self._seen]
        self._values = self._sampled()

    def _sampled(self) -> Tensor | None:
        return torch.cat(self._samples) if self._samples else None

    def have_changed(self) -> bool:
        """Tells whether a weight has changed since this was last asked."""
        same = all(
            owner[name] is tensor and tensor._version == version and tensor.data_ptr() == place
            for owner, name, tensor, version, place in self._seen
        )
        if same and (self._values is None or torch.equal(self._values, torch.cat(self._samples))):
            return False
        self._take()
        return True


def _sample(tensor: Tensor) -> Tensor:
    """Returns a view of some of a tensor's values, in the order in which they lie; its memory has no gaps."""
    return tensor.detach().as_strided((min(SAMPLED, tensor.numel()),), (max(1, tensor.numel() // SAMPLED),))
