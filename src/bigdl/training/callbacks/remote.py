"""Keras 1.2.2's callback that tells a server."""

from __future__ import annotations

import json
import urllib.request
import warnings
from collections.abc import Mapping
from urllib.parse import urlencode

from bigdl.errors import DataError
from bigdl.training.callbacks.base import Callback, Logs

SECONDS = 10.0
"""How long an answer is waited for; training waits as long."""


class RemoteMonitor(Callback):
    """Sends what each epoch reports to a server, by POST: a form with one field, which holds JSON.

    A server that is not there is warned of, and training goes on.

    Args:
        root: The address of the server.
        path: Where on it.
        field: The field's name.
        headers: The headers; by default those of Keras, which say JSON.

    Raises:
        DataError: The address is not one of the web.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if not root.startswith(("http://", "https://")):
            raise DataError(f"RemoteMonitor: root must begin with http:// or https://. Received: {root!r}.")
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers or {"Accept": "application/json", "Content-Type": "application/json"}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Sends the epoch's number, from 0, and what it reports."""
        message = json.dumps({"epoch": epoch, **(logs or {})}, default=float)
        body = urlencode({self.field: message}).encode()
        request = urllib.request.Request(self.root + self.path, body, dict(self.headers))  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
                pass
        except OSError as error:
            warnings.warn(
                f"RemoteMonitor could not reach the server at {self.root}: {error}", RuntimeWarning, stacklevel=2
            )
