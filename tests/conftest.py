import pytest
import torch

from bigdl.graph import reset_names
from bigdl.layers import settings

# Small tensors, and several test processes at a time: threads would only wait for each other.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def fresh_process():
    """Starts every test from the same random state, Keras's defaults, and names that count from 1."""
    torch.manual_seed(0)
    reset_names()
    settings.set_image_dim_ordering("tf")
    settings.set_epsilon(1e-7)
