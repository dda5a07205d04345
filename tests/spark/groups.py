"""Workers that are threads of this process, for tests of what lies between them."""

import threading
from collections.abc import Callable
from typing import Any

import torch

from bigdl.spark.group import ProcessGroup, joined, open_store, reach_store
from bigdl.spark.options import Options

HOST = "127.0.0.1"


def together(size: int, work: Callable[[ProcessGroup], Any], options: Options | None = None) -> list[Any]:
    """What the workers of a group return, or raise."""
    first = open_store(HOST)
    results: list[Any] = [None] * size

    def run(rank: int) -> None:
        store = first if rank == 0 else reach_store(HOST, first.port, 20)
        try:
            with joined(rank, size, HOST, store, options or Options(timeout=20), torch.device("cpu")) as group:
                results[rank] = work(group)
                group.part(store)
        except Exception as error:
            results[rank] = error

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
