"""Sums over workers, between threads of this process."""

import copy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from bigdl.errors import DistributedError
from bigdl.spark.buckets import Buckets
from bigdl.spark.devices import device_of
from bigdl.spark.group import PeerLostError, ProcessGroup
from bigdl.spark.options import Options
from tests.spark.groups import together


@pytest.fixture(params=["in shared memory", "by gloo"])
def both_ways(request, monkeypatch):
    """Workers of one host share memory; those of several have gloo alone."""
    if request.param == "by gloo":
        monkeypatch.setattr("bigdl.spark.group.meet", lambda group, seconds: None)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("size", [1, 3])
def test_sums_of_several_dtypes(size):
    def work(group: ProcessGroup) -> list[Tensor]:
        x = torch.tensor([1.0, 2.0]) * (group.rank + 1)
        sums = group.all_reduce([x, torch.ones(2, 2, dtype=torch.float64), x.reshape(2, 1) + 1])
        return [tensor.clone() for tensor in sums]

    factor = size * (size + 1) / 2
    for sums in together(size, work):
        assert sums[0].tolist() == [factor, 2 * factor]
        assert sums[1].tolist() == [[size, size]] * 2
        assert sums[1].dtype == torch.float64
        assert sums[2].tolist() == [[factor + size], [2 * factor + size]]


def test_one_worker_adds_nothing_up():
    x = torch.ones(3)
    (found,) = together(1, lambda group: group.all_reduce([x])[0] is x)
    assert found


@pytest.mark.usefixtures("both_ways")
def test_bytes_are_shared():
    assert together(2, lambda group: group.share(b"of the first" if group.rank == 0 else None)) == [b"of the first"] * 2
    assert together(2, lambda group: group.share(b"" if group.rank == 0 else None)) == [b""] * 2


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 5), torch.nn.Linear(5, 1))


def gradients(model: torch.nn.Module, rows: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(model(rows).square().sum(), list(model.parameters())))


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(("compression", "tolerance"), [(None, 1e-6), ("bf16", 0.05), ("fp16", 5e-3)])
def test_gradients_in_buckets(monkeypatch, compression, tolerance):
    monkeypatch.setattr("bigdl.spark.group.BUCKET", 60)  # several parameters to a bucket, and one that is too large
    x = torch.arange(24.0).reshape(6, 4) / 10
    original = network()  # once: workers are threads here, which share the generator
    expected = gradients(original, x)

    def work(group: ProcessGroup) -> Any:
        model = copy.deepcopy(original)
        parameters = list(model.parameters())
        rows = [x[:0], x[:2], x[2:]][group.rank]
        found = []
        for _ in range(2):
            summed, (count,) = group.sum_gradients(
                parameters,
                lambda: gradients(model, rows) if len(rows) else [torch.zeros_like(p) for p in parameters],
                lambda: [torch.tensor([float(len(rows))])],
            )
            found.append(([gradient.clone() for gradient in summed], float(count)))
        return found

    for found in together(3, work, Options(timeout=20, compression=compression)):
        for summed, count in found:
            assert count == 6
            for ours, theirs in zip(summed, expected, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance * float(theirs.abs().max()))


def test_buckets_are_sent_while_gradients_are_computed():
    model = network()
    events: list[str] = []

    class Work:
        def wait(self) -> None:
            events.append("waited")

    def start(tensor: Tensor) -> Work:
        events.append(f"sent {tensor.numel()}")
        return Work()

    parameters = list(model.parameters())
    hooked: Any = parameters[0]
    hooked.register_hook(lambda gradient: events.append("first layer"))
    buckets = Buckets(parameters, 4 * 31)
    buckets.sums(lambda: gradients(model, torch.ones(2, 4)), start)
    # The last two biases and the last weight fill a bucket, then come the 25 and 5 numbers before them.
    assert events == ["sent 11", "sent 30", "first layer", "sent 20", "waited", "waited", "waited"]


@pytest.mark.usefixtures("both_ways")
def test_a_worker_that_is_gone_is_noticed():
    def work(group: ProcessGroup) -> Any:
        if group.rank == 1:
            raise ValueError("its own mistake")
        return group.all_reduce([torch.ones(3)])

    first, second = together(2, work)
    assert isinstance(first, PeerLostError)
    assert isinstance(second, ValueError)


def test_gpus_are_those_that_spark_gives(monkeypatch):
    gpu = {"gpu": SimpleNamespace(addresses=["3"])}
    assert device_of({}) == torch.device("cpu")
    with pytest.raises(DistributedError, match=r"GPU 3, but torch .* finds no CUDA"):
        device_of(gpu)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of(gpu) == torch.device("cuda", 3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert device_of(gpu) == torch.device("cuda", 1)
    with pytest.raises(DistributedError, match="must be the numbers"):
        device_of({"gpu": SimpleNamespace(addresses=["MIG-1"])})
