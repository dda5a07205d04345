"""The line from workers to the driver."""

import socket
import threading
import time

import pytest

from bigdl.errors import DistributedError
from bigdl.spark.channel import Address, Channel, connect


def open_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("bigdl")]


def test_messages_and_answers():
    with Channel("127.0.0.1") as channel:
        line = connect(channel.address, 5)
        assert line is not None
        line.send({"kind": "hello", "rank": 1}, b"\0" * 100_000)
        line.send({"kind": "loss", "value": float("inf")})
        first, second = channel.messages.get(timeout=5), channel.messages.get(timeout=5)
        assert (first.content, len(first.data)) == ({"kind": "hello", "rank": 1}, 100_000)
        assert second.content == {"kind": "loss", "value": float("inf")}
        first.line.send({"stop": True}, b"data")
        assert line.receive() == ({"stop": True}, b"data")
    assert line.receive() is None
    line.close()
    assert open_threads() == []


def test_who_does_not_know_the_key_is_not_heard():
    with Channel("127.0.0.1") as channel:
        stranger = connect(Address(channel.address.host, channel.address.port, b"wrong"), 5)
        assert stranger is not None
        assert stranger.receive() is None
        stranger.close()
        assert channel.messages.empty()


def test_a_driver_that_cannot_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert connect(Address("127.0.0.1", port, b""), 1) is None
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert connect(Address("127.0.0.1", silent.getsockname()[1], b""), 0.5) is None
    assert time.monotonic() - started < 5


def test_an_address_of_another_machine():
    with pytest.raises(DistributedError, match=r"cannot listen at 192\.0\.2\.99:0.*spark\.driver\.host"):
        Channel("192.0.2.99")


def test_a_line_closes_while_another_thread_listens():
    with Channel("127.0.0.1") as channel:
        line = connect(channel.address, 5)
        assert line is not None
        heard: list[object] = []
        thread = threading.Thread(target=lambda: heard.append(line.receive()))
        thread.start()
        time.sleep(0.1)
        line.close()
        thread.join(5)
        assert heard == [None]
