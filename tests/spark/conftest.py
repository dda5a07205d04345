"""Sessions of Spark for the tests: one for each mode, started once; a process has one of them at a time."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bigdl.spark.session import create_spark_conf

SECONDS = 240.0
QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "3",
    "spark.default.parallelism": "3",
    "spark.driver.memory": "1g",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.warehouse.dir": "/tmp/bigdl-test-warehouse",
    "spark.executorEnv.PYTHONPATH": str(Path(__file__).parents[2]),
}


MASTERS = {"local": "local[3]", "cluster": "local-cluster[2,1,1024]"}


class Sessions:
    """The session of this process."""

    def __init__(self) -> None:
        self._mode = ""
        self._open = contextlib.ExitStack()
        self._session: Any = None

    def get(self, mode: str) -> Any:
        """Returns the session of a mode, after ending that of another."""
        if mode != self._mode:
            self.close()
            start = _connect if mode == "connect" else _classic
            self._session = self._open.enter_context(start(mode))
            self._mode = mode
        return self._session

    def close(self) -> None:
        self._open.close()
        self._mode = ""


@contextlib.contextmanager
def _classic(mode: str) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    conf = create_spark_conf().setMaster(MASTERS[mode]).setAppName("bigdl tests").setAll(list(QUIET.items()))
    conf.set("spark.log.level", "OFF")
    session = SparkSession.builder.config(conf=conf).getOrCreate()
    try:
        yield session
    finally:
        session.stop()


@contextlib.contextmanager
def _connect(mode: str) -> Iterator[Any]:
    """Starts a server of Spark Connect, and gives a session of it."""
    conf = create_spark_conf().setAll(list(QUIET.items()))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    conf.set("spark.connect.grpc.binding.port", str(port)).set("spark.log.level", "OFF")
    arguments = [part for key, value in conf.getAll() for part in ("--conf", f"{key}={value}")]
    submit = str(Path(sys.executable).with_name("spark-submit"))
    service = "org.apache.spark.sql.connect.service.SparkConnectServer"
    server = subprocess.Popen(
        [submit, "--class", service, "--master", "local[3]", *arguments, "spark-internal"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port)
        os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
        from pyspark.sql.connect.session import SparkSession

        session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
        yield session
        session.stop()
    finally:
        os.environ.pop("SPARK_CONNECT_MODE_ENABLED", None)
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(SECONDS)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert time.monotonic() < deadline, "the server of Spark Connect did not start"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def sessions() -> Iterator[Sessions]:
    kept = Sessions()
    yield kept
    kept.close()
    shutil.rmtree(QUIET["spark.sql.warehouse.dir"], ignore_errors=True)


@pytest.fixture
def spark(sessions, request):
    """The session of the mode that the test's folder is named after."""
    return sessions.get(request.path.parent.name)
