from typing import Any

import pytest
import torch
from xdist.scheduler import LoadScopeScheduling

from bigdl.graph import reset_names
from bigdl.layers import settings

# Small tensors, and several test processes at a time: threads would only wait for each other.
torch.set_num_threads(1)


class BySession(LoadScopeScheduling):
    """Spreads tests over processes one by one, but those that share a session of Spark as one.

    Where a process dies, xdist as it is waits forever: it hands out again what the process had done, of which no end is
    ever told, and gives the process that replaces it one test, which begins only when the next one is known.
    """

    def _split_scope(self, nodeid: str) -> str:
        folder = nodeid.partition("::")[0].rpartition("/")[0]
        return folder if folder.startswith("tests/spark/") else nodeid

    def remove_node(self, node: Any) -> str | None:
        units = self.assigned_work.pop(node).items()
        left = [(scope, test) for scope, unit in units for test, done in unit.items() if not done]
        for scope, test in left[1:]:
            self.workqueue.setdefault(scope, {})[test] = False
        for other in self.assigned_work:
            self._reschedule(other)
        return left[0][1] if left else None

    def _reschedule(self, node: Any) -> None:
        super()._reschedule(node)
        if not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


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
