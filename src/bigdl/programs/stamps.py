"""Whether weights have changed since something was made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from bigdl.native import kernels
from bigdl.programs.operations import Source
from bigdl.programs.structures import Sample

SAMPLED = 8
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
        self._are_equal: Callable[[], int]
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
        self._values = torch.cat(self._samples) if self._samples else torch.empty(0)
        library = kernels()
        if library is not None and all(seen[2].dtype == torch.float32 and seen[2].is_cpu for seen in self._seen):
            places = [Sample(sample.data_ptr(), sample.stride(0), len(sample)) for sample in self._samples]
            compared = (Sample * len(places))(*places)
            self._are_equal = library.comparison(compared, self._values)
        else:
            self._are_equal = self._equal

    def _equal(self) -> bool:
        return not self._samples or torch.equal(self._values, torch.cat(self._samples))

    def have_changed(self) -> bool:
        """Tells whether a weight has changed since this was last asked."""
        for owner, name, tensor, version, place in self._seen:  # a loop, as it runs before every prediction
            if owner[name] is not tensor or tensor._version != version or tensor.data_ptr() != place:
                break
        else:
            if self._are_equal():
                return False
        self._take()
        return True


def _sample(tensor: Tensor) -> Tensor:
    """Returns a view of some of a tensor's values, in the order in which they lie; its memory has no gaps."""
    return tensor.detach().as_strided((min(SAMPLED, tensor.numel()),), (max(1, tensor.numel() // SAMPLED),))
