"""What a job leaves behind, shows on the way, and does when it is interrupted."""

import contextlib
import json
import logging
import os
import re
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark import TaskContext

from bigdl.errors import DistributedError, TrainingError
from bigdl.optim.optimizer import EveryEpoch, MaxEpoch, SeveralIteration, Top1Accuracy
from bigdl.spark.options import Options
from tests.spark.models import arrays, assert_same_weights, frame, network, nll, optimizer

COUNTING = "bigdl: counting rows"


def left_behind() -> dict[str, Any]:
    """What this process holds, and what lies in the folder for temporary files."""
    fds = Path("/proc/self/fd")
    sockets = 0
    for fd in fds.iterdir():
        with contextlib.suppress(OSError):
            sockets += os.readlink(fd).startswith("socket:")
    return {
        "threads": [t.name for t in threading.enumerate() if t.name.startswith("bigdl")],
        "files": sorted(path.name for path in Path(tempfile.gettempdir()).glob("bigdl-*") if "test" not in path.name),
        "sockets": sockets,
    }


def python_workers(spark: Any) -> set[str]:
    def pid(rows: Any) -> Any:
        yield str(os.getpid())

    return set(spark.sparkContext.parallelize(range(3), 3).mapPartitions(pid).collect())


def test_two_fits_leave_nothing_behind(spark):
    data = frame(spark, *arrays())
    first = optimizer(data)
    first.optimize(verbose=0)
    before = left_behind()
    second = optimizer(data)
    second.optimize(verbose=0)
    after = left_behind()
    assert_same_weights(second.model, first.model, 0)
    assert after["threads"] == before["threads"] == []
    assert after["files"] == before["files"]
    assert after["sockets"] <= before["sockets"]


def test_rows_beyond_the_limit_go_to_a_file(spark):
    x, y = arrays()
    data = frame(spark, x, y)
    expected = optimizer(data, options=Options(workers=2))
    spilled = optimizer(data, options=Options(workers=2, memory_limit=500))
    expected.optimize(verbose=0)
    spilled.optimize(verbose=0)
    assert_same_weights(spilled.model, expected.model, 0)


def test_progress_is_shown_and_logged(spark, capsys, caplog):
    x, y = arrays()
    ours = optimizer(frame(spark, x, y), epochs=2)
    ours.set_validation(50, frame(spark, x, y), EveryEpoch(), [Top1Accuracy()])
    with caplog.at_level(logging.INFO, "bigdl"):
        ours.optimize(verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" - ")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    assert "records/s - loss: " in lines[0]
    assert "val_top1accuracy: " in lines[0]
    messages = [record.message for record in caplog.records if record.name == "bigdl"]
    assert any("[Epoch 2 203/203][Iteration 14]" in m and "Trained 11.0 records in" in m for m in messages)
    assert any("Top1Accuracy is" in m and "(of 203)" in m for m in messages)


def test_jobs_say_what_they_do(spark):
    context = spark.sparkContext
    context.setJobDescription("the user's")
    try:
        ours = optimizer(frame(spark, *arrays()), epochs=1)
        ours.optimize(verbose=0)
        ours.model.evaluate(frame(spark, *arrays()), 32, [Top1Accuracy()])
        assert ours.model.predict(frame(spark, *arrays())).count() == 203
    finally:
        context.setJobDescription(None)
    jobs = context._jsc.sc().statusStore().jobsList(None)
    names = {jobs.apply(i).jobId(): jobs.apply(i).description().getOrElse(None) for i in range(jobs.size())}
    newest = [names[number] for number in sorted(names)[-7:]]
    assert list(dict.fromkeys(newest)) == [COUNTING, "bigdl: training net", "bigdl: evaluating net", "the user's"]


def test_the_slowest_worker_is_named(spark, capsys, caplog):
    """A worker that sleeps in each step, in both faces."""
    x, y = arrays(64)
    data = frame(spark, x, y)
    criterion = nll()

    def dawdle() -> None:
        context = TaskContext.get()
        assert context is not None
        time.sleep(0.1 if context.partitionId() == 1 else 0.0)

    def slow(output: Any, target: Any) -> Any:
        dawdle()
        return criterion(output, target)

    ours = optimizer(data, epochs=1, options=Options(workers=2))
    ours.batch_size = 4
    ours.set_criterion(slow)
    with caplog.at_level(logging.INFO, "bigdl"):
        ours.optimize(verbose=2)
    assert re.search(r"- worker 1 \+\d+ ms a step$", capsys.readouterr().out.strip())
    pace = re.search(r"\[Epoch 1\] Workers: 0 on \S+ ([\d.]+) ms.* waiting, 1 on \S+ ([\d.]+) ms a step", caplog.text)
    assert pace is not None
    assert float(pace[2]) > 75  # it sleeps for 100; of 16 steps a few may have no row of this worker's
    assert float(pace[2]) > float(pace[1])

    def slow_mse(y_true: Any, y_pred: Any) -> Any:
        dawdle()
        return (y_pred - y_true).square().mean(-1)

    model = network()
    model.compile("sgd", slow_mse)
    model.fit(data, batch_size=4, nb_epoch=1, options=Options(workers=2))
    assert re.search(r"- worker 1 \+\d+ ms a step$", capsys.readouterr().out.strip())


def test_a_loss_that_is_not_finite_stops_all_workers(spark):
    x, y = arrays()
    x[77, 2] = np.nan
    ours = optimizer(frame(spark, x, y))
    before = [weight.copy() for weight in ours.model.get_weights()]
    with pytest.raises(TrainingError, match=r"the loss is nan.*The data is not finite: 1 of \d+ values of input"):
        ours.optimize(verbose=0)
    for now, then in zip(ours.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_ctrl_c_ends_training_after_a_step(spark, tmp_path):
    x, y = arrays()
    ours = optimizer(frame(spark, x, y), epochs=100_000)
    ours.set_checkpoint(SeveralIteration(10**9), tmp_path / "kept")

    def press_when_training() -> None:
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    begun = str(tmp_path / "begun")
    criterion = nll()

    def loss(output: Any, target: Any) -> Any:
        if not os.path.exists(begun):
            Path(begun).touch()
        return criterion(output, target)

    ours.set_criterion(loss)
    presser = threading.Thread(target=press_when_training)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        ours.optimize(verbose=0)
    presser.join()
    assert 0 < ours.state.iteration < 100_000 * 7
    assert json.loads((tmp_path / "kept" / "latest.json").read_text())["number"] == ours.state.iteration + 1
    assert left_behind()["threads"] == []
    # It goes on from there.
    again = optimizer(frame(spark, x, y))
    assert again.resume(tmp_path / "kept")
    again.set_end_when(MaxEpoch(ours.state.epoch + 1))
    again.optimize(verbose=0)
    assert again.state.iteration > ours.state.iteration


def test_a_driver_that_cannot_listen(spark, monkeypatch):
    monkeypatch.setattr(
        "bigdl.spark.cluster.Cluster.conf",
        lambda self, name, default="": {"spark.driver.host": "192.0.2.99", "spark.master": "local[3]"}.get(
            name, default
        ),
    )
    with pytest.raises(DistributedError, match="cannot listen"):
        optimizer(frame(spark, *arrays())).optimize(verbose=0)
    assert socket.getdefaulttimeout() is None
    assert network().name == "net"
