"""A line from the workers to the driver, on which they tell how training goes, while it goes.

Messages are JSON, with bytes behind them if need be. Who connects proves that it knows the channel's key; what passes
is not encrypted, just as what torch's process groups exchange.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import queue
import secrets
import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from bigdl.errors import DistributedError

_HEADER = struct.Struct("!IQ")
CLOSED = "closed"
"""The kind of the message that tells that a line has ended."""

_NONCE = 32
_LONGEST_TEXT = 1 << 26
_SECONDS_TO_GREET = 10.0
# Beyond that many, workers wait until the driver has caught up.
_MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Address:
    """Where a channel listens.

    Attributes:
        host: The host, as workers reach it.
        port: The port.
        key: What workers must know.
    """

    host: str
    port: int
    key: bytes


class Line:
    """One end of a connection; frames arrive in the order in which they were sent.

    Args:
        connection: The connection.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection = connection
        self._reader = connection.makefile("rb")

    def send(self, message: dict[str, Any], data: bytes = b"") -> None:
        """Sends a message of what JSON can hold, and bytes.

        Raises:
            OSError: The other end is gone.
        """
        text = json.dumps(message).encode()
        self._connection.sendall(_HEADER.pack(len(text), len(data)) + text)
        if data:
            self._connection.sendall(data)

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        """Waits for a message and its bytes; None once the other end has closed.

        Raises:
            OSError: The connection is lost, or no message comes in time.
        """
        header = self._reader.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return None
        text_size, data_size = _HEADER.unpack(header)
        if text_size > _LONGEST_TEXT:
            raise OSError("What arrived is no message of a worker.")
        text, data = self._reader.read(text_size), self._reader.read(data_size)
        return (json.loads(text), data) if len(text) == text_size and len(data) == data_size else None

    def set_timeout(self, seconds: float | None) -> None:
        """Limits how long sending and receiving may wait."""
        self._connection.settimeout(seconds)

    def close(self) -> None:
        """Closes this end; who waits for a message, in another thread, gets None."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._reader.close()
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Message:
    """What a worker has sent.

    Attributes:
        content: The message; ``rank`` is the worker's.
        data: The bytes behind it.
        line: Where an answer goes.
    """

    content: dict[str, Any]
    data: bytes
    line: Line


class Channel:
    """The driver's end: takes connections, and puts what arrives into a queue; a context manager.

    Args:
        host: The driver's address as workers reach it.
        bind: The address to listen at; ``host`` by default.
        port: The port; any free one for 0.

    Raises:
        DistributedError: It cannot listen there.
    """

    def __init__(self, host: str, bind: str | None = None, port: int = 0) -> None:
        self.messages: queue.Queue[Message] = queue.Queue(_MOST_WAITING)
        key = secrets.token_bytes(_NONCE)
        try:
            self._server = socket.create_server((bind or host, port), backlog=128)
        except OSError as error:
            raise DistributedError(
                f"The driver cannot listen at {bind or host}:{port} for its workers: {error}. Set spark.driver.host "
                "(and spark.driver.bindAddress) to an address of this machine that the executors reach."
            ) from error
        self.address = Address(host, self._server.getsockname()[1], key)
        self._lines: set[Line] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes who waits for connections
        self._server.close()
        for line in list(self._lines):
            line.close()
        for thread in self._threads:
            thread.join(_SECONDS_TO_GREET)

    def _start(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, name="bigdl-channel", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        line = Line(connection)
        try:
            line.set_timeout(_SECONDS_TO_GREET)
            nonce = secrets.token_bytes(_NONCE)
            connection.sendall(nonce)
            if not hmac.compare_digest(line._reader.read(_NONCE), _proof(self.address.key, nonce)):
                return
            line.set_timeout(None)
            self._lines.add(line)
            while (received := line.receive()) is not None:
                self.messages.put(Message(*received, line))
        except (OSError, ValueError):
            pass
        finally:
            if line in self._lines:
                self._lines.discard(line)
                self.messages.put(Message({"kind": CLOSED, "rank": -1}, b"", line))
            line.close()


def connect(address: Address, seconds: float) -> Line | None:
    """Connects a worker; None where the driver cannot be reached.

    Args:
        address: Where the driver listens.
        seconds: How long to try.
    """
    try:
        connection = socket.create_connection((address.host, address.port), timeout=seconds)
    except OSError:
        return None
    line = Line(connection)
    try:
        nonce = line._reader.read(_NONCE)
        connection.sendall(_proof(address.key, nonce))
    except OSError:
        line.close()
        return None
    return line


def _proof(key: bytes, nonce: bytes) -> bytes:
    return hmac.digest(key, nonce, "sha256")
