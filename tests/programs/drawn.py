"""Numbers drawn for tests of kernels, and how close to the exact ones results are to be."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

RNG = np.random.RandomState(0)


def random(*shape: int) -> Tensor:
    return torch.from_numpy(RNG.randn(*shape).astype("float32"))


def assert_close(ours: Any, expected: Any) -> None:
    """Of rounding, of sums that other sums went into, no more than 1e-5 of the largest value is left."""
    assert ours is not None
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5 * np.abs(np.asarray(expected)).max())
