import numpy as np
import pytest
import torch

from bigdl.training.batches import ArraySource, Batch, InOrder, KerasOrder, Samples, SeededOrder, keras_order
from bigdl.training.data import Column

CPU = torch.device("cpu")


@pytest.fixture
def samples():
    column = Column(np.arange(10.0), torch.float32, CPU)
    return Samples([column], [column], [None])


def seen(batches: list[Batch]) -> list[list[float]]:
    return [batch.inputs[0].tolist() for batch in batches]


def test_the_last_batch_holds_what_is_left(samples):
    batches = list(ArraySource(samples, 4).batches())
    assert seen(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [batch.rows for batch in batches] == [4, 4, 2]
    assert all(batch.weights == [None] for batch in batches)


def test_an_epoch_can_be_taken_up_in_the_middle(samples):
    source = ArraySource(samples, 4, SeededOrder(3))
    assert seen(list(source.batches(2, start=4))) == seen(list(source.batches(2)))[1:]


def test_seeds_and_epochs_decide_the_order():
    first = SeededOrder(1).rows(1, 100, 10)
    assert sorted(first) == list(range(100))
    np.testing.assert_array_equal(SeededOrder(1).rows(1, 100, 10), first)
    assert not np.array_equal(SeededOrder(1).rows(2, 100, 10), first)
    assert not np.array_equal(SeededOrder(2).rows(1, 100, 10), first)


@pytest.mark.parametrize("count", [1, 5, 191, 192, 1000, 5000])
def test_each_row_comes_once(count):
    assert sorted(SeededOrder(1).rows(3, count, 10)) == list(range(count))


@pytest.mark.parametrize(("workers", "batch_size"), [(2, 128), (3, 128), (8, 512), (16, 100)])
def test_each_worker_has_its_part_of_every_batch(workers, batch_size):
    order = SeededOrder(1).rows(2, 12_000, batch_size)
    for first in range(0, 12_000 - batch_size, batch_size):
        held = np.bincount(order[first : first + batch_size] % workers, minlength=workers)
        assert batch_size / workers - 2 <= held.min()
        assert held.max() <= batch_size / workers + 2


def test_neighbours_are_shuffled_apart():
    """Rows that repeat themselves after some time, and sorted ones, come mixed."""
    order = SeededOrder(1).rows(1, 24_000, 100)
    for kinds in (order % 24 // 2, order // 2000):
        seen = [len(set(kinds[i : i + 100])) for i in range(0, 24_000, 100)]
        assert min(seen) >= 9


def test_whole_batches_change_places():
    order = KerasOrder(whole_batches=True).rows(1, 23, 5)
    assert order[20:].tolist() == [20, 21, 22]
    groups = order[:20].reshape(4, 5)
    np.testing.assert_array_equal(groups - groups[:, :1], np.tile(np.arange(5), (4, 1)))
    assert sorted(groups[:, 0]) == [0, 5, 10, 15]


def test_what_shuffle_means():
    assert isinstance(keras_order(False), InOrder)
    for order, whole_batches in [(keras_order(True), False), (keras_order("batch"), True)]:
        assert isinstance(order, KerasOrder)
        assert order.whole_batches == whole_batches


def test_parts_share_their_rows(samples):
    part = samples.part(3, 7)
    assert len(part) == 4
    assert part.batch().inputs[0].tolist() == [3, 4, 5, 6]
