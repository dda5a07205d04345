"""Means over all positions: their gradient is torch's own."""

import pytest
import torch

from bigdl.programs.averages import means


@pytest.mark.parametrize("shape", [(3, 5, 7, 1), (2, 4, 3, 6), (2, 3, 4, 2, 5)], ids=str)
@pytest.mark.parametrize("last", [True, False], ids=["features last", "features first"])
def test_gradient_is_that_of_torch_and_lies_features_last(shape, last):
    x = torch.randn(shape, dtype=torch.float64)
    if last and len(shape) == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    y = means(x)
    torch.testing.assert_close(y, x.mean(tuple(range(2, x.dim()))))
    slope = torch.randn_like(y)
    (expected,) = torch.autograd.grad(x.mean(tuple(range(2, x.dim()))), x, slope)
    (gradient,) = torch.autograd.grad(y, x, slope)
    torch.testing.assert_close(gradient, expected)
    if len(shape) == 4:
        assert gradient.is_contiguous(memory_format=torch.channels_last)
