"""Models on their way to workers that only use them: sent once, and kept by each for the next task."""

from __future__ import annotations

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bigdl.errors import DistributedError
from bigdl.graph import Container
from bigdl.spark.cluster import Cluster

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MOST_KEPT = 2
_MOST_BY_CONNECT = 100 << 20
# What a model remembers of its training, and needs for nothing else.
_OF_TRAINING = ("_compiled", "history", "held_out", "callback_model")

_kept: OrderedDict[str, Container] = OrderedDict()


@dataclass(frozen=True)
class ShippedModel:
    """A model as tasks get it.

    Attributes:
        key: The SHA-256 of its bytes.
        content: The bytes; a broadcast variable of them where Spark has such.
    """

    key: str
    content: Any

    def model(self) -> Container:
        """Returns the model, which this process keeps for later tasks."""
        if self.key not in _kept:
            # Bytes of this session's driver, as every function is that Spark runs; never of a file.
            content = self.content if isinstance(self.content, bytes) else self.content.value
            _kept[self.key] = _serializer().loads(content)
        _kept.move_to_end(self.key)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
        return _kept[self.key]


def shipped(model: Container, session: SparkSession) -> ShippedModel:
    """Returns a model to be used in the tasks of a session, as it is now.

    Raises:
        DistributedError: It is too large for Spark Connect.
    """
    with _without_training(model):
        content: bytes = _serializer().dumps(model)
    key = hashlib.sha256(content).hexdigest()
    if not Cluster(session).is_connect:
        return ShippedModel(key, session.sparkContext.broadcast(content))
    if len(content) > _MOST_BY_CONNECT:
        raise DistributedError(
            f"Model {model.name!r} has {len(content) >> 20} MB, and Spark Connect takes functions of up to "
            f"{_MOST_BY_CONNECT >> 20} MB. Use a classic session, or load the model inside a function of your own."
        )
    return ShippedModel(key, content)


def _serializer() -> Any:
    """Returns what Spark itself sends functions with, users' own layers and functions of the shell included."""
    from pyspark import serializers

    kind: Any = serializers.CloudPickleSerializer
    return kind()


@contextlib.contextmanager
def _without_training(model: Container) -> Iterator[None]:
    own = vars(model)
    taken = {name: own.pop(name) for name in _OF_TRAINING if name in own}
    try:
        yield
    finally:
        own.update(taken)
