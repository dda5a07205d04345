"""A plugin for pytest that runs Keras 1.2.2's own tests on bigdl.keras; see ``suite``."""

import functools
import os
from pathlib import Path

import pytest
import torch

from tests.keras import alias, made_data, not_applicable

SOURCE = Path(os.environ["KERAS122_SOURCE"])

torch.set_num_threads(1)
alias.install(SOURCE)


def pytest_configure() -> None:
    from bigdl.keras.datasets import mnist

    made = functools.partial(made_data.mnist, train=60000, test=10000)
    vars(mnist)["load_data"] = made


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    left_out = {SOURCE / "tests" / name for name in not_applicable.TESTS}
    return True if collection_path in left_out else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        path = Path(str(item.path)).relative_to(SOURCE / "tests").as_posix()
        reason = not_applicable.reason(f"{path}::{item.name}")
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
