"""Trainings that are stopped and go on from checkpoints in an S3 API and in memory."""

from typing import Any

import numpy as np
import pytest

from bigdl.keras.callbacks import BackupAndRestore
from bigdl.training.summaries import TrainSummary
from bigdl.training.triggers import SeveralIteration
from tests.remote.conftest import BUCKET
from tests.training import test_backup, test_checkpoint


@pytest.fixture(params=["s3", "memory"])
def folder(request, tmp_path) -> Any:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return f"s3://{BUCKET}/runs/one"
    return f"memory://{tmp_path.name}/runs/one"


def test_fit(folder):
    test_backup.fit(whole := test_backup.build())
    with pytest.raises(test_backup.StopError):
        test_backup.fit(test_backup.build(), BackupAndRestore(folder, 2), test_backup.stop_before(9))
    model = test_backup.build(seed=5)
    test_backup.fit(model, BackupAndRestore(folder, 2))
    test_backup.assert_same(model.get_weights(), whole.get_weights())


def test_optimize(folder):
    expected, _ = test_checkpoint.uninterrupted()
    stopped = test_checkpoint.optimizer_for(test_checkpoint.build(), 2)
    stopped.set_checkpoint(SeveralIteration(5), folder).optimize(verbose=0)
    resumed = test_checkpoint.optimizer_for(model := test_checkpoint.build(seed=9))
    assert resumed.resume(folder)
    resumed.optimize(verbose=0)
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_summaries(folder):
    summary = TrainSummary(folder, "app")
    optimizer = test_checkpoint.optimizer_for(test_checkpoint.build(), 1)
    optimizer.set_train_summary(summary).optimize(verbose=0)
    assert [row[0] for row in summary.read_scalar("Loss")] == list(range(1, 8))
