"""How workers on one host come to memory that they share, and to a line between any two of them.

The first worker hands them out over a socket. Nothing of it lies in a folder, so that nothing can be left behind.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import secrets
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from bigdl.spark.shared import ROOM, SharedSums

if TYPE_CHECKING:
    from bigdl.spark.group import ProcessGroup

MOST = 64
"""Of more workers, lines between any two would be too many."""

_SECONDS = 20.0  # for workers that are known to be on this host


def meet(group: ProcessGroup, seconds: float) -> SharedSums | None:
    """Returns sums in shared memory; None where workers are on several hosts, or their system does not let them share.

    All workers must call this. Either all of them get sums, or none does.

    Args:
        group: The workers.
        seconds: How long to wait for another worker in a sum.

    Raises:
        PeerLostError: Another worker is gone.
    """
    host = _host() if group.size <= MOST else ""
    sums = None
    with contextlib.ExitStack() as stack:
        listener, name = None, ""
        if group.rank == 0 and host:
            with contextlib.suppress(OSError):
                name = f"\0bigdl-{secrets.token_hex(16)}"  # the zero: not a file
                listener = stack.enter_context(_listener(name, group.size))
        own = json.dumps([host, name if listener is not None else ""]).encode()
        host_of_first, name = json.loads(group.share(own if group.rank == 0 else None))
        if not _all(group, bool(name) and host == host_of_first):
            return None
        with contextlib.suppress(OSError):
            memory, lines = _taken(name, group) if listener is None else _handed_out(listener, group.size)
            sums = SharedSums(group.rank, memory, lines, seconds)
    if not _all(group, sums is not None) and sums is not None:
        sums.close()
        return None
    return sums


def _all(group: ProcessGroup, yes: bool) -> bool:
    (count,) = group.all_reduce([torch.tensor([float(yes)])])
    return float(count) == group.size


def _host() -> str:
    """Returns what just the processes have in common that can share; nothing where there is no way to."""
    if not hasattr(os, "memfd_create") or not hasattr(socket, "SO_PEERCRED"):
        return ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.stat('/proc/self/ns/net').st_ino} {os.getuid()}"
    except OSError:
        return ""


def _listener(name: str, size: int) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(name)
        listener.listen(size)
    except OSError:
        listener.close()
        raise
    listener.settimeout(_SECONDS)
    return listener


def _handed_out(listener: socket.socket, size: int) -> tuple[mmap.mmap, list[socket.socket]]:
    """Makes memory and lines, keeps the first worker's own, and gives the others theirs."""
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as own:
        guests: dict[int, socket.socket] = {}
        while len(guests) < size - 1:
            guest = stack.enter_context(listener.accept()[0])
            guest.settimeout(_SECONDS)
            if _is_own_user(guest):
                guests[guest.recv(1)[0]] = guest
        file = os.memfd_create("bigdl-sums")
        stack.callback(os.close, file)
        os.ftruncate(file, (size + 1) * ROOM)
        for guest in guests.values():
            socket.send_fds(guest, [b"."], [file])
        lines = []
        for b in range(size):
            for a in range(b):
                ends = socket.socketpair()
                if a == 0:
                    lines.append(own.enter_context(ends[0]))
                for rank, end in zip((a, b), ends, strict=True):
                    if rank:
                        with end:
                            socket.send_fds(guests[rank], [b"."], [end.fileno()])
        memory = mmap.mmap(file, (size + 1) * ROOM)
        own.pop_all()
        return memory, lines


def _taken(name: str, group: ProcessGroup) -> tuple[mmap.mmap, list[socket.socket]]:
    """Takes memory and lines from the first worker."""
    with contextlib.ExitStack() as own, socket.socket(socket.AF_UNIX) as first:
        first.settimeout(_SECONDS)
        first.connect(name)
        if not _is_own_user(first):
            raise OSError("This is another user's socket.")
        first.sendall(bytes([group.rank]))
        file = _file(first)
        try:
            memory = mmap.mmap(file, (group.size + 1) * ROOM)
        finally:
            os.close(file)
        lines = [own.enter_context(socket.socket(fileno=_file(first))) for _ in range(group.size - 1)]
        own.pop_all()
        return memory, lines


def _file(line: socket.socket) -> int:
    _, files, _, _ = socket.recv_fds(line, 1, 1)
    if not files:
        raise OSError("No file came along.")
    return files[0]


def _is_own_user(line: socket.socket) -> bool:
    _, user, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return bool(user == os.getuid())
