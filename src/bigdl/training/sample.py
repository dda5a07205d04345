"""BigDL's ``Sample`` and ``JTensor``: one row of a data set with its label, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bigdl.errors import DataError

Array = NDArray[Any]


class JTensor:
    """An array of float32 values as BigDL passes it around: flat, with its shape.

    Args:
        storage: The values.
        shape: The shape.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, storage: Any, shape: Any, bigdl_type: str = "float") -> None:
        self.storage: NDArray[np.float32] = np.asarray(storage, dtype=np.float32).reshape(-1)
        self.shape = tuple(int(n) for n in np.atleast_1d(np.asarray(shape, dtype=np.int64)))
        self.bigdl_type = bigdl_type

    @classmethod
    def from_ndarray(cls, a_ndarray: Array | None, bigdl_type: str = "float") -> Self | None:
        """Makes a JTensor of an array; None stays None.

        Raises:
            DataError: It is no array.
        """
        if a_ndarray is None:
            return None
        if not isinstance(a_ndarray, np.ndarray):
            raise DataError(f"JTensor.from_ndarray needs a NumPy array. Received: {type(a_ndarray).__name__}.")
        return cls(a_ndarray, a_ndarray.shape or (1,), bigdl_type)

    def to_ndarray(self) -> NDArray[np.float32]:
        """Returns the array."""
        return self.storage.reshape(self.shape)

    def __repr__(self) -> str:
        return f"JTensor: storage: {self.storage}, shape: {list(self.shape)}, float"


class Sample:
    """One row of a data set: features and labels.

    Args:
        features: A JTensor for each input of the model.
        labels: A JTensor for each target.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, features: Sequence[JTensor], labels: Sequence[JTensor], bigdl_type: str = "float") -> None:
        self.features = list(features)
        self.labels = list(labels)
        self.bigdl_type = bigdl_type

    @property
    def feature(self) -> JTensor:
        """The first of the features."""
        return self.features[0]

    @property
    def label(self) -> JTensor:
        """The first of the labels."""
        return self.labels[0]

    @classmethod
    def from_ndarray(cls, features: Any, labels: Any, bigdl_type: str = "float") -> Self:
        """Makes a sample of arrays.

        Args:
            features: An array, or a list of arrays for a model of several inputs.
            labels: A number, an array, or a list of arrays.
            bigdl_type: Kept for BigDL's signature.

        Raises:
            DataError: One of them is no array.
        """
        return cls(_tensors(features, "features"), _tensors(labels, "labels"), bigdl_type)

    @classmethod
    def from_jtensor(cls, features: Any, labels: Any, bigdl_type: str = "float") -> Self:
        """Makes a sample of JTensors; a single one need not be in a list."""
        features = [features] if isinstance(features, JTensor) else features
        labels = [labels] if isinstance(labels, JTensor) else labels
        return cls(features, labels, bigdl_type)

    def __repr__(self) -> str:
        return f"Sample: features: {self.features}, labels: {self.labels}"


def _tensors(data: Any, what: str) -> list[JTensor]:
    items = data if isinstance(data, list | tuple) else [data]
    arrays = [
        np.array([item]) if isinstance(item, int | float | np.number) and what == "labels" else item for item in items
    ]
    wrong = [item for item in arrays if not isinstance(item, np.ndarray)]
    if wrong:
        raise DataError(f"Sample.from_ndarray: {what} must be NumPy arrays. Received: {type(wrong[0]).__name__}.")
    return [JTensor(array, array.shape or (1,)) for array in arrays]
