import pytest
import torch
from xdist.scheduler import LoadScopeScheduling

from bigdl.graph import reset_names
from bigdl.layers import settings

# Small tensors, and several test processes at a time: threads would only wait for each other.
torch.set_num_threads(1)


class BySession(LoadScopeScheduling):
    """Spreads tests over processes one by one, but those that share a session of Spark as one."""

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.partition("::")[0].rpartition("/")[0]
        return folder if folder.startswith("tests/spark/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return BySession(config, log)


@pytest.fixture(autouse=True)
def fresh_process():
    """Starts every test from the same random state, Keras's defaults, and names that count from 1."""
    torch.manual_seed(0)
    reset_names()
    settings.set_image_dim_ordering("tf")
    settings.set_epsilon(1e-7)
