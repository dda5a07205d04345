"""Sums in shared memory: the same to the last bit as gloo's, and given up by all workers where one cannot have them."""

import gc
import itertools
import os
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bigdl.spark import meeting
from bigdl.spark.group import PeerLostError, ProcessGroup
from bigdl.spark.options import Options
from tests.spark.groups import together

COUNTS = (1, 2, 7, 1001, 300_001)
DTYPES = (torch.float32, torch.float64, torch.bfloat16)


def values(rank: int, count: int, dtype: torch.dtype) -> Tensor:
    generator = torch.Generator().manual_seed(rank)
    x, scale = torch.randn(2, count, generator=generator, dtype=torch.float64).unbind()
    return (x * torch.pow(10, scale)).to(dtype)


def bits(size: int, cases: Any, by_gloo: bool) -> list[Any]:
    """Of each worker the sums by both doors: of several tensors, and of one vector that is begun and ended."""

    def work(group: ProcessGroup) -> list[Tensor]:
        assert group.shares_memory is not by_gloo
        found = []
        for count, dtype in cases:
            x = values(group.rank, count, dtype)
            found.append(group.all_reduce([x[:1], x])[1].clone())
            first, second = x.clone(), -x
            works = [group._start(first), group._start(second)]
            for begun in works:
                begun.wait()
            found += [first, -second]
        return found

    with pytest.MonkeyPatch.context() as patch:
        if by_gloo:
            patch.setattr("bigdl.spark.group.meet", lambda group, seconds: None)
        return together(size, work)


def assert_same_bits(size: int, cases: Any) -> None:
    for ours, gloos in zip(bits(size, cases, False), bits(size, cases, True), strict=True):
        for one, other in zip(ours, gloos, strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_sums_are_those_of_gloo(size):
    assert_same_bits(size, list(itertools.product(COUNTS, DTYPES)))


def test_sums_of_long_vectors_are_those_of_gloo():
    assert_same_bits(3, [(2_000_003, torch.float32)])  # more than two of gloo's segments for each worker


@pytest.mark.parametrize("size", [2, 3])
def test_vectors_that_do_not_fit_are_added_up_in_pieces(monkeypatch, size):
    monkeypatch.setattr("bigdl.spark.shared.ROOM", 64)
    monkeypatch.setattr("bigdl.spark.meeting.ROOM", 64)
    assert_same_bits(size, [(15, torch.float32), (16, torch.float32), (17, torch.float32), (1001, torch.float64)])


def test_no_values_have_no_sum():
    for sums in together(2, lambda group: group.all_reduce([torch.ones(0), torch.ones(0, 3)])):
        assert [tuple(tensor.shape) for tensor in sums] == [(0,), (0, 3)]


def test_a_worker_that_does_not_answer_is_given_up():
    noticed = threading.Event()

    def work(group: ProcessGroup) -> Any:
        assert group.shares_memory
        if group.rank == 1:
            noticed.wait(20)
            raise ValueError("its own mistake")
        try:
            return group.all_reduce([torch.ones(3)])
        finally:
            noticed.set()

    first, second = together(2, work, Options(timeout=2))
    assert isinstance(first, PeerLostError)
    assert "does not answer" in str(first)
    assert isinstance(second, ValueError)


def _several_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()
    monkeypatch.setattr(meeting, "_host", lambda: f"host {next(numbers)}")


def _no_sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")


def _another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "_SECONDS", 0.5)
    monkeypatch.setattr(meeting, "_is_own_user", lambda line: False)


def _no_room_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    take = meeting._taken

    def taken(name: str, group: ProcessGroup) -> Any:
        found = take(name, group)
        if group.rank == 2:
            for line in found[1]:
                line.close()
            raise OSError("no room")
        return found

    monkeypatch.setattr(meeting, "_taken", taken)


@pytest.mark.parametrize("hindrance", [_several_hosts, _no_sharing, _another_user, _no_room_for_one])
def test_all_share_or_none_does(monkeypatch, hindrance):
    hindrance(monkeypatch)

    def work(group: ProcessGroup) -> Any:
        return group.shares_memory, group.all_reduce([torch.ones(2)])[0].tolist()

    assert together(3, work) == [(False, [3.0, 3.0])] * 3


def test_nothing_is_left_behind():
    def held() -> int:
        gc.collect()
        links = [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        own = Path("/proc/self/maps").read_text().count("bigdl-sums")
        return own + sum("bigdl-sums" in link or link.startswith("socket:") for link in links)

    together(3, lambda group: group.all_reduce([torch.ones(2)]))
    before = held()
    for _ in range(2):
        assert together(3, lambda group: group.shares_memory) == [True] * 3
    assert held() <= before
