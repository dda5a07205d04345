"""What tests of programs share."""

import pytest
import torch

from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import programs

SETS = found.instruction_sets if (found := kernels()) else []


@pytest.fixture
def threads():
    """Sets the number of threads, and back again."""
    yield torch.set_num_threads
    torch.set_num_threads(1)


@pytest.fixture(params=[*SETS, "layers"])
def instructions(request, monkeypatch):
    """What predicts: the library with each of its instruction sets, or layers where there is none."""
    library = Library(LIBRARY, request.param) if request.param in SETS else None
    monkeypatch.setattr(programs, "kernels", lambda: library)
    return request.param
