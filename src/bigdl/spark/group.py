"""Sums over workers: by torch's process groups, gloo or nccl between GPUs, and in shared memory on one host."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import DistributedError
from bigdl.spark.buckets import Buckets
from bigdl.spark.meeting import meet
from bigdl.spark.options import Options
from bigdl.spark.shared import Buffers, Sums

BUCKET = 16 << 20
"""The bytes of a bucket: long enough on the wire to be worth the latency, short enough to begin early."""

_distributed: Any = torch.distributed  # its stubs do not export all that it documents


class ProcessGroup:
    """Workers in processes of their own; see ``training.group.Group``.

    The process group is used by itself, without torch's global one, so that nothing is left behind in a Python worker
    that Spark uses again.

    Args:
        group: The process group.
        rank: Which worker this one is.
        size: How many there are.
        device: Where tensors are reduced: a GPU for nccl.
        wire: What gradients are sent as; None for what they are.

    Attributes:
        waited: The seconds spent on reductions, most of them waiting for slower workers.
        shares_memory: Whether sums are made in shared memory.
    """

    def __init__(
        self,
        group: torch.distributed.ProcessGroup,
        rank: int,
        size: int,
        device: torch.device | None = None,
        wire: torch.dtype | None = None,
    ) -> None:
        self.rank = rank
        self.size = size
        self.waited = 0.0
        self.shares_memory = False
        self._group = group
        self._device = device or torch.device("cpu")
        self._wire = wire
        self._sums: Sums = _GroupSums(group, self._device)
        self._buckets: Buckets | None = None

    def share_memory(self, seconds: float) -> None:
        """Adds up in shared memory from now on, if all workers are on one host; all of them must call this, once.

        Args:
            seconds: How long to wait for another worker in a sum.

        Raises:
            PeerLostError: Another worker is gone.
        """
        sums = meet(self, seconds)
        if sums is not None:
            self._sums, self.shares_memory = sums, True

    def all_reduce(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Returns the sum of each tensor over all workers: one reduction for all of one dtype.

        Raises:
            PeerLostError: Another worker is gone, or does not answer in time.
        """
        if self.size == 1:
            return list(tensors)
        by_dtype: dict[torch.dtype, list[int]] = {}
        for i, tensor in enumerate(tensors):
            by_dtype.setdefault(tensor.dtype, []).append(i)
        sums: list[Tensor] = list(tensors)
        for dtype, places in by_dtype.items():
            own = [tensors[i] for i in places]
            with self._timed():
                flat = self._sums.place(dtype, sum(tensor.numel() for tensor in own))
            torch._foreach_copy_(_views(flat, own), own)
            with self._timed():
                total = self._sums.total(flat)
            for i, view in zip(places, _views(total, own), strict=True):
                sums[i] = view if len(by_dtype) == 1 else view.clone()
        return sums

    def sum_gradients(
        self, parameters: Sequence[Tensor], compute: Callable[[], list[Tensor]], beside: Callable[[], list[Tensor]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Returns the sums of gradients over all workers, and of what is summed beside them.

        Small models take one reduction for all. The gradients of others are reduced in buckets, while they are being
        computed.

        Raises:
            PeerLostError: Another worker is gone, or does not answer in time.
        """
        if self.size == 1:
            return compute(), beside()
        if self._wire is None and sum(parameter.nbytes for parameter in parameters) <= BUCKET:
            gradients = compute()
            sums = self.all_reduce([*gradients, *beside()])
            return sums[: len(gradients)], sums[len(gradients) :]
        if self._buckets is None:
            self._buckets = Buckets(parameters, BUCKET, self._wire)
        return self._buckets.sums(compute, self._start), self.all_reduce(beside())

    def share(self, data: bytes | None) -> bytes:
        """Returns the first worker's bytes on every worker.

        Args:
            data: The bytes, on the first worker.

        Raises:
            PeerLostError: Another worker is gone, or does not answer in time.
        """
        size = torch.tensor([0 if data is None else len(data)], device=self._device)
        self._broadcast(size)
        content = torch.empty(int(size), dtype=torch.uint8, device=self._device)
        if data:
            content.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        if len(content):
            self._broadcast(content)
        return content.cpu().numpy().tobytes()

    def part(self, store: Any) -> None:
        """Waits until all have come to the end, so that none closes a connection that another still reads from."""
        with contextlib.suppress(RuntimeError):
            if store.add("parted", 1) == self.size:
                store.set("all parted", "1")
            store.wait(["all parted"])

    def close(self) -> None:
        """Closes the connections: whoever waits for this worker learns that it is gone."""
        self._sums.close()
        del self._sums, self._group

    def _broadcast(self, tensor: Tensor) -> None:
        with _explained():
            self._group.broadcast(tensor, 0).wait()

    def _start(self, vector: Tensor) -> Any:
        with self._timed():
            return _Timed(self, self._sums.start(vector))

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.perf_counter()
        with _explained():
            yield
        self.waited += time.perf_counter() - started


class _Timed:
    """A sum whose waiting time is counted."""

    def __init__(self, group: ProcessGroup, work: Any) -> None:
        self._group = group
        self._work = work

    def wait(self) -> None:
        with self._group._timed():
            self._work.wait()


class _GroupSums:
    """Adds up by a process group; see ``Sums``."""

    def __init__(self, group: torch.distributed.ProcessGroup, device: torch.device) -> None:
        self._group = group
        self._buffers = Buffers(device)

    def place(self, dtype: torch.dtype, count: int) -> Tensor:
        return self._buffers.vector(dtype, count)

    def total(self, flat: Tensor) -> Tensor:
        self._group.allreduce([flat]).wait()
        return flat

    def start(self, vector: Tensor) -> Any:
        return self._group.allreduce([vector])

    def close(self) -> None:
        del self._group


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
def joined(
    rank: int, size: int, host: str, store: Any, options: Options, device: torch.device
) -> Iterator[ProcessGroup]:
    """Joins the process group of a job for the time of the ``with`` block.

    Args:
        rank: Which worker this one is.
        size: How many there are.
        host: The address of this worker at which the others reach it.
        store: Where they find each other's addresses.
        options: How the job runs.
        device: Where this worker computes: on the CPU the group is gloo's, on GPUs nccl's.

    Raises:
        PeerLostError: The others do not join in time.
    """
    make = _nccl if device.type == "cuda" else _gloo
    wire = None if options.compression is None else _WIRE[options.compression]
    with _explained():
        group = ProcessGroup(make(rank, size, host, store, options.timeout), rank, size, device, wire)
    try:
        if device.type == "cpu" and size > 1:
            group.share_memory(options.timeout)
        yield group
    finally:
        group.close()


_WIRE = {"bf16": torch.bfloat16, "fp16": torch.float16}


def _gloo(rank: int, size: int, host: str, store: Any, seconds: float) -> Any:
    gloo = _distributed.ProcessGroupGloo
    options = gloo._Options()
    options._timeout = timedelta(seconds=seconds)
    # Of itself, gloo listens where the host's name points to, which may be the loopback.
    options._devices = [gloo.create_device(hostname=host)]
    return gloo(store, rank, size, options)


def _nccl(rank: int, size: int, host: str, store: Any, seconds: float) -> Any:
    options = _distributed.ProcessGroupNCCL.Options()
    options._timeout = timedelta(seconds=seconds)
    return _distributed.ProcessGroupNCCL(store, rank, size, options)


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
