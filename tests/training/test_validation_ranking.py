"""Validation methods of recommendation and retrieval, against their definitions in NumPy."""

import numpy as np
import pytest
import torch

from bigdl.errors import DataError
from bigdl.layers import Dense
from bigdl.models import Sequential
from bigdl.optim.optimizer import NDCG, HitRatio, MeanAveragePrecision, Top1Accuracy, TreeNNAccuracy
from tests.training.goldens import Array

RNG = np.random.RandomState(0)


def groups(count: int, wrong: int) -> tuple[Array, Array, Array]:
    """Outputs and targets of groups, and the ranks of their right items."""
    outputs = RNG.permutation(count * (wrong + 1)).reshape(count, wrong + 1).astype("float32")
    right = RNG.randint(0, wrong + 1, count)
    ranks = 1 + (outputs > outputs[np.arange(count), right][:, None]).sum(1)
    return outputs, np.eye(wrong + 1)[right], ranks


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
@pytest.mark.parametrize(("k", "wrong"), [(10, 100), (2, 4), (5, 4)])
def test_ranks_of_right_items(k, wrong, shape):
    outputs, targets, ranks = groups(8, wrong)
    given = [torch.from_numpy(array.reshape(shape)) for array in (outputs, targets)]
    hits = HitRatio(k, wrong)(*given)
    assert (hits.result, hits.count) == (np.mean(ranks <= k), 8)
    gains = np.where(ranks <= k, np.log(2) / np.log(1 + ranks), 0)
    assert NDCG(k, wrong)(*given).result == pytest.approx(gains.mean())


def test_groups_must_be_whole_and_have_one_right_item():
    for method in (HitRatio(neg_num=3), NDCG(neg_num=3)):
        with pytest.raises(DataError, match=r"the batch size must be a multiple of 4. Received: 6 outputs"):
            method(torch.ones(6), torch.ones(6))
        with pytest.raises(DataError, match=r"expects one right item in each group. Received: 2"):
            method(torch.ones(8), torch.tensor([0, 1, 0, 0, 1, 1, 0, 0]))
    with pytest.raises(DataError, match="k and neg_num must be positive"):
        HitRatio(k=0)


def average_precision(outputs: Array, hits: Array, k: int) -> float:
    """Of Pascal VOC 2010: the best precision at each recall or beyond it."""
    order = np.argsort(-outputs, kind="stable")[:k]
    found = hits[order]
    precision = found.cumsum() / np.arange(1, len(found) + 1)
    recall = found.cumsum() / max(hits.sum(), 1)
    levels = np.arange(1, hits.sum() + 1) / max(hits.sum(), 1)
    best = [max(precision[found & (recall >= level - 1e-9)], default=0) for level in levels]
    return sum(best) / max(len(levels), 1)


@pytest.mark.parametrize("k", [3, 7, 100])
def test_mean_average_precision(k):
    outputs, labels = RNG.rand(20, 4).astype("float32"), RNG.randint(0, 3, 20)  # there is no row of the last class
    expected = np.mean([average_precision(outputs[:, c], labels == c, k) for c in range(4)])
    method = MeanAveragePrecision(k, 4)
    given = torch.from_numpy(outputs), torch.from_numpy(labels)
    whole = method(*given)
    assert whole.result == pytest.approx(expected)
    parts = method(given[0][:9], given[1][:9]) + method(given[0][9:], given[1][9:])
    assert parts.result == pytest.approx(expected)
    assert method.evaluated(parts).total_num == 1
    assert MeanAveragePrecision(k, 4, zero_based_label=False)(given[0], given[1] + 1).result == whole.result


def test_what_mean_average_precision_refuses():
    with pytest.raises(DataError, match="class labels from 0 to 3"):
        MeanAveragePrecision(3, 4)(torch.ones(2, 4), torch.tensor([0, 4]))
    with pytest.raises(DataError, match=r"expects an output \(batch, 4\) and a label for each row"):
        MeanAveragePrecision(3, 4)(torch.ones(2, 3), torch.tensor([0, 1]))
    with pytest.raises(DataError, match="k and classes must be positive"):
        MeanAveragePrecision(-1, 4)


def test_models_are_validated_batch_by_batch():
    x, labels = RNG.rand(30, 4).astype("float32"), RNG.randint(0, 3, 30)
    model = Sequential([Dense(3, input_dim=4, activation="softmax")])
    method = MeanAveragePrecision(5, 3)
    (result,) = model.evaluate((x, labels), 7, [method])
    scores = model.predict(x)
    expected = np.mean([average_precision(scores[:, c], labels == c, 5) for c in range(3)])
    assert result.result == pytest.approx(expected)
    assert result.method == "MeanAveragePrecision"


def test_the_root_of_a_tree():
    output = torch.from_numpy(RNG.rand(6, 3, 4).astype("float32"))
    labels = torch.from_numpy(RNG.randint(1, 5, (6, 3)))
    assert TreeNNAccuracy()(output, labels) == Top1Accuracy()(output[:, 0], labels[:, 0])
    assert TreeNNAccuracy(zero_based_label=True)(output, labels - 1) == TreeNNAccuracy()(output, labels)
    with pytest.raises(DataError, match=r"expects an output \(batch, nodes, classes\)"):
        TreeNNAccuracy()(output[:, 0], labels)
