"""Sums over workers by torch's process groups: gloo, or nccl between GPUs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import DistributedError

_distributed: Any = torch.distributed  # its stubs do not export all that it documents


class ProcessGroup:
    """Workers in processes of their own; see ``training.group.Group``.

    The process group is used by itself, without torch's global one, so that nothing is left behind in a Python worker
    that Spark uses again.

    Args:
        group: The process group.
        rank: Which worker this one is.
        size: How many there are.

    Attributes:
        waited: The seconds spent on reductions, most of them waiting for slower workers.
    """

    def __init__(self, group: torch.distributed.ProcessGroup, rank: int, size: int) -> None:
        self.rank = rank
        self.size = size
        self._group = group
        self._flat: dict[torch.dtype, Tensor] = {}

        self.waited = 0.0

    def all_reduce(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Returns the sum of each tensor over all workers: one reduction for all of one dtype.

        Raises:
            PeerLostError: Another worker is gone, or does not answer in time.
        """
        by_dtype: dict[torch.dtype, list[int]] = {}
        for i, tensor in enumerate(tensors):
            by_dtype.setdefault(tensor.dtype, []).append(i)
        sums: list[Tensor] = list(tensors)
        for dtype, places in by_dtype.items():
            flat = self._buffer(dtype, tensors[places[0]].device, sum(tensors[i].numel() for i in places))
            views = _views(flat, [tensors[i] for i in places])
            torch._foreach_copy_(views, [tensors[i] for i in places])
            self._reduce(flat)
            for i, view in zip(places, views, strict=True):
                sums[i] = view
        return sums

    def share(self, data: bytes | None) -> bytes:
        """Returns the first worker's bytes on every worker.

        Args:
            data: The bytes, on the first worker.

        Raises:
            PeerLostError: Another worker is gone, or does not answer in time.
        """
        size = torch.tensor([0 if data is None else len(data)])
        self._broadcast(size)
        content = torch.empty(int(size), dtype=torch.uint8)
        if data:
            content.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        if len(content):
            self._broadcast(content)
        return content.numpy().tobytes()

    def part(self, store: Any) -> None:
        """Waits until all have come to the end, so that none closes a connection that another still reads from."""
        with contextlib.suppress(RuntimeError):
            if store.add("parted", 1) == self.size:
                store.set("all parted", "1")
            store.wait(["all parted"])

    def close(self) -> None:
        """Closes the connections: whoever waits for this worker learns that it is gone."""
        del self._group

    def _broadcast(self, tensor: Tensor) -> None:
        with _explained():
            self._group.broadcast(tensor, 0).wait()

    def _reduce(self, flat: Tensor) -> None:
        started = time.perf_counter()
        with _explained():
            self._group.allreduce([flat]).wait()
        self.waited += time.perf_counter() - started

    def _buffer(self, dtype: torch.dtype, device: torch.device, size: int) -> Tensor:
        kept = self._flat.get(dtype)
        if kept is None or kept.numel() < size:
            kept = self._flat[dtype] = torch.empty(size, dtype=dtype, device=device)
        return kept[:size]


class PeerLostError(DistributedError):
    """Another worker is gone; what happened to it is in that worker's own report."""


def open_store(host: str) -> Any:
    """Returns a new store of torch, which the first worker opens for all to find each other.

    Args:
        host: The address at which the others reach this worker.
    """
    return _distributed.TCPStore(host, 0, is_master=True, wait_for_workers=False)


def reach_store(host: str, port: int, seconds: float) -> Any:
    """Returns the store that the first worker has opened.

    Args:
        host: The first worker's address.
        port: Its port.
        seconds: How long to wait for it.
    """
    return _distributed.TCPStore(host, port, is_master=False, timeout=timedelta(seconds=seconds))


@contextlib.contextmanager
def joined(rank: int, size: int, host: str, store: Any, seconds: float) -> Iterator[ProcessGroup]:
    """Joins the process group of a job for the time of the ``with`` block.

    Args:
        rank: Which worker this one is.
        size: How many there are.
        host: The address of this worker at which the others reach it.
        store: Where they find each other's addresses.
        seconds: How long to wait for another worker.

    Raises:
        PeerLostError: The others do not join in time.
    """
    gloo = _distributed.ProcessGroupGloo
    options = gloo._Options()
    options._timeout = timedelta(seconds=seconds)
    # Of itself, gloo listens where the host's name points to, which may be the loopback.
    options._devices = [gloo.create_device(hostname=host)]
    with _explained():
        group = ProcessGroup(gloo(store, rank, size, options), rank, size)
    try:
        yield group
    finally:
        group.close()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise PeerLostError(f"Another worker is gone, or does not answer: {error}") from error


def _views(flat: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Cuts a vector into tensors of the shapes of others; their memory layout may differ from worker to worker."""
    pieces = torch.split(flat, [tensor.numel() for tensor in tensors])
    return [piece.view(tensor.shape) for piece, tensor in zip(pieces, tensors, strict=True)]
