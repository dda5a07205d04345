"""What comes back from the workers: a message of JSON, and tensors behind it in rows of some megabytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from safetensors.torch import load, save
from torch import Tensor

from bigdl.spark.work import Work

SCHEMA = "rank int, content string, data binary"

_ARROW = pa.schema([("rank", pa.int32()), ("content", pa.string()), ("data", pa.binary())])
_BYTES_OF_A_ROW = 4 << 20
_MODEL, _OPTIMIZER = "model.", "optimizer."


def state_of(work: Work) -> dict[str, Tensor]:
    """Returns all that training has changed: the model's tensors and those of the optimizer."""
    state = {_MODEL + key: tensor for key, tensor in work.model.state_dict().items()}
    state |= {_OPTIMIZER + key: tensor for key, tensor in work.optimizer.state_dict().items()}
    return {key: tensor.detach().cpu().contiguous().clone() for key, tensor in state.items()}


def restore(work: Work, state: Mapping[str, Tensor]) -> None:
    """Writes what ``state_of`` returned into another one of the same work."""
    parts: dict[str, dict[str, Tensor]] = {_MODEL: {}, _OPTIMIZER: {}}
    for key, tensor in state.items():
        prefix = _MODEL if key.startswith(_MODEL) else _OPTIMIZER
        parts[prefix][key.removeprefix(prefix)] = tensor
    work.model.load_state_dict(parts[_MODEL])
    work.optimizer.load_state_dict(parts[_OPTIMIZER])


def packed(state: Mapping[str, Tensor]) -> bytes:
    """Returns a state as bytes, in the form of safetensors."""
    return save(dict(state))


def unpacked(data: bytes) -> dict[str, Tensor]:
    """Returns the state that ``packed`` made bytes of."""
    return load(data)


def result_batches(
    rank: int, content: Mapping[str, Any], tensors: Mapping[str, Tensor] | None = None
) -> Iterator[pa.RecordBatch]:
    """Gives a message and tensors as rows.

    Args:
        rank: The worker.
        content: The message, of what JSON can hold.
        tensors: The tensors.
    """
    yield _row(rank, json.dumps(content), b"")
    data = packed(tensors) if tensors else b""
    for start in range(0, len(data), _BYTES_OF_A_ROW):
        yield _row(rank, "", data[start : start + _BYTES_OF_A_ROW])


def _row(rank: int, content: str, data: bytes) -> pa.RecordBatch:
    return pa.record_batch([[rank], [content], [data]], schema=_ARROW)


def messages(rows: Iterable[Any]) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """Returns the workers' messages, and the tensors that came with them.

    Args:
        rows: The rows of all workers, those of one in order.
    """
    contents: list[dict[str, Any]] = []
    data: list[bytes] = []
    for row in rows:
        if row["content"]:
            contents.append(json.loads(row["content"]))
        if row["data"]:
            data.append(bytes(row["data"]))
    return contents, unpacked(b"".join(data)) if data else {}
