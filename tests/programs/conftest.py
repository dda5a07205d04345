"""What tests of programs share."""

import pytest
import torch


@pytest.fixture
def threads():
    """Sets the number of threads, and back again."""
    yield torch.set_num_threads
    torch.set_num_threads(1)
