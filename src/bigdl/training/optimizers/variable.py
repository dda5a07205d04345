"""The numbers of an optimizer that may change between steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ONE = np.float32(1)


class Variable:
    """An attribute that holds a float32 scalar, as Keras 1.2.2's backend variables do.

    It reads as a 0-d array, which ``float`` and arithmetic take; setting it writes into that array, so that whoever
    holds the array sees the new value.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> NDArray[np.float32]:
        if instance is None:
            raise AttributeError(self.name)
        value: NDArray[np.float32] = instance.numbers[self.name]
        return value

    def __set__(self, instance: Any, value: float | NDArray[Any]) -> None:
        kept = instance.numbers.setdefault(self.name, np.zeros((), np.float32))
        kept[...] = value
