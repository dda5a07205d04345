"""Criterions against BigDL's formulas in NumPy, their gradients against differences, and what they refuse."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import DataError
from bigdl.training import criterions as c
from bigdl.training import criterions_classes as classes
from bigdl.training import criterions_elementwise as elementwise
from bigdl.training import criterions_tables as tables
from tests.training.goldens import Array, assert_close

RNG = np.random.RandomState(0)
P = RNG.dirichlet(np.ones(4), 6)
O = RNG.normal(0, 1, (6, 4))  # noqa: E741 - outputs, as in the formulas
T = RNG.normal(0, 1, (6, 4))
SIGNS = RNG.choice([-1.0, 1.0], (6, 4))
BITS = RNG.choice([0.0, 1.0], (6, 4))
LABELS = np.array([1, 4, 2, 2, 3, 1])
PADDED = np.array([1, 4, -1, 2, -1, 1])
ONE_HOT = np.eye(4)[LABELS - 1]
EQUAL = np.ones(4)
WEIGHTS = np.array([0.5, 1.0, 2.0, 0.25])
MEANS, LOG_VARIANCES = RNG.normal(0, 1, (6, 4)), RNG.normal(0, 1, (6, 4))
SIGN = SIGNS[:, 0]


def nll(log_p: Array, labels: Array, weights: Array = EQUAL, average: bool = True) -> float:
    kept = labels > 0
    w = weights[labels[kept] - 1]
    loss = -(w * log_p[kept, labels[kept] - 1]).sum()
    return float(loss / w.sum() if average else loss)


def log_softmax(x: Array) -> Array:
    return np.asarray(x - np.log(np.exp(x).sum(-1, keepdims=True)))


def bce(p: Array, t: Array) -> Array:
    return np.asarray(-t * np.log(p) - (1 - t) * np.log(1 - p))


def cosines(a: Array, b: Array) -> Array:
    return np.asarray((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))


def smooth(d: Array, sigma: float) -> Array:
    return np.where(np.abs(d) < 1 / sigma**2, (sigma * d) ** 2 / 2, np.abs(d) - 1 / (2 * sigma**2))


def margins(x: Array, p: int = 1, weights: Array = EQUAL, margin: float = 1.0) -> Array:
    found = np.zeros(6)
    for i, y in enumerate(LABELS - 1):
        others = [max(margin - x[i, y] + x[i, d], 0) ** p for d in range(4) if d != y]
        found[i] = weights[y] * sum(others) / 4
    return found


def label_margins(x: Array, rows: list[list[int]]) -> float:
    total = 0.0
    for i, row in enumerate(rows):
        true = [y - 1 for y in row if y]
        total += sum(max(1 - x[i, y] + x[i, d], 0) for y in true for d in range(4) if d not in true) / 4
    return total / len(rows)


SEVERAL = [[1, 3, 0, 0], [2, 0, 0, 0], [4, 1, 2, 0], [3, 0, 0, 0], [1, 2, 3, 4], [0, 0, 0, 0]]
MAP = RNG.normal(0, 1, (2, 4, 3))
MAP_LABELS = np.array([[1, 4, 2], [2, 3, 1]])
MAP_NLL = -np.take_along_axis(log_softmax(MAP.transpose(0, 2, 1)), MAP_LABELS[..., None] - 1, -1)[..., 0]
STEPS = MAP.transpose(0, 2, 1)
DISTANCE = np.abs(MEANS - T).sum(1)
SIMPLEX_3 = np.array([[1, 0, 0], [-1 / 2, np.sqrt(3) / 2, 0], [-1 / 2, -np.sqrt(3) / 2, 0]])

CASES = [
    (c.ClassNLLCriterion(), np.log(P), LABELS, nll(np.log(P), LABELS)),
    (c.ClassNLLCriterion(), np.log(P), PADDED, nll(np.log(P), PADDED)),
    (c.ClassNLLCriterion(WEIGHTS), np.log(P), PADDED, nll(np.log(P), PADDED, WEIGHTS)),
    (c.ClassNLLCriterion(WEIGHTS, False), np.log(P), LABELS, nll(np.log(P), LABELS, WEIGHTS, False)),
    (c.ClassNLLCriterion(logProbAsInput=False), P, LABELS[:, None], nll(np.log(P), LABELS)),
    (c.ClassNLLCriterion(zero_based_label=True), np.log(P), LABELS - 1, nll(np.log(P), LABELS)),
    (c.CrossEntropyCriterion(), O, LABELS, nll(log_softmax(O), LABELS)),
    (c.CrossEntropyCriterion(WEIGHTS), O, LABELS, nll(log_softmax(O), LABELS, WEIGHTS)),
    (c.CrossEntropyCriterion(None, False, zero_based_label=True), O, LABELS - 1, 6 * nll(log_softmax(O), LABELS)),
    (c.CrossEntropyCriterion(), STEPS, MAP_LABELS, MAP_NLL.mean()),
    (c.MSECriterion(), O, T, ((O - T) ** 2).mean()),
    (c.MSECriterion(), O[:, :1], T[:, 0], ((O - T)[:, 0] ** 2).mean()),
    (c.AbsCriterion(), O, T, np.abs(O - T).mean()),
    (c.AbsCriterion(False), O, T, np.abs(O - T).sum()),
    (c.BCECriterion(), P, BITS, bce(P, BITS).mean()),
    (c.BCECriterion(WEIGHTS), P, BITS, (WEIGHTS * bce(P, BITS)).mean()),
    (c.BCECriterion(size_average=False), P, BITS, bce(P, BITS).sum()),
    (c.CategoricalCrossEntropy(), P, ONE_HOT, nll(np.log(P), LABELS)),
    (c.MeanAbsolutePercentageCriterion(), O, T, (100 * np.abs((O - T) / T)).mean()),
    (c.MeanSquaredLogarithmicCriterion(), P, BITS, ((np.log1p(P) - np.log1p(np.maximum(BITS, 1e-7))) ** 2).mean()),
    (c.KullbackLeiblerDivergenceCriterion(), P, P[::-1], (P[::-1] * np.log(P[::-1] / P)).sum(1).mean()),
    (c.PoissonCriterion(), P, BITS, (P - BITS * np.log(P + 1e-7)).mean()),
    (c.CosineProximityCriterion(), O, T, -cosines(O, T).mean() / 4),
    (elementwise.MarginCriterion(), O, SIGNS, np.maximum(1 - O * SIGNS, 0).mean()),
    (elementwise.MarginCriterion(0.5, False, True), O, SIGNS, (np.maximum(0.5 - O * SIGNS, 0) ** 2).sum()),
    (elementwise.SoftMarginCriterion(), O, SIGNS, np.log1p(np.exp(-O * SIGNS)).mean()),
    (
        elementwise.HingeEmbeddingCriterion(0.7),
        P,
        SIGNS,
        np.where(SIGNS == 1, P, np.maximum(0.7 - P, 0)).mean(),
    ),
    (
        elementwise.SmoothL1Criterion(),
        O,
        T,
        np.where(np.abs(O - T) < 1, (O - T) ** 2 / 2, np.abs(O - T) - 0.5).mean(),
    ),
    (
        elementwise.SmoothL1CriterionWithWeights(2.4, 2),
        O,
        [T, SIGNS / 2, P],
        (P * smooth(SIGNS / 2 * (O - T), 2.4)).sum() / 2,
    ),
    (elementwise.SmoothL1CriterionWithWeights(0.8), O, T, smooth(O - T, 0.8).sum() / 6),
    (elementwise.DotProductCriterion(), O, T, (O * T).sum()),
    (elementwise.DotProductCriterion(True), O, T, (O * T).sum() / 6),
    (elementwise.PGCriterion(), P, T * ONE_HOT, -(T * ONE_HOT * np.log(P)).sum()),
    (elementwise.PGCriterion(True), P, T * ONE_HOT, -(T * ONE_HOT * np.log(P)).sum() / 6),
    (tables.TransformerCriterion(c.MSECriterion()), O, T, ((O - T) ** 2).mean()),
    (
        tables.TransformerCriterion(c.MSECriterion(), torch.square, lambda target: target + 1),
        O,
        T,
        ((O**2 - T - 1) ** 2).mean(),
    ),
    (elementwise.DistKLDivCriterion(), np.log(P), P[::-1], (P[::-1] * np.log(P[::-1] / P)).mean()),
    (elementwise.DistKLDivCriterion(False), np.log(P), ONE_HOT, 6 * nll(np.log(P), LABELS)),
    (elementwise.MultiLabelSoftMarginCriterion(), O, BITS, bce(1 / (1 + np.exp(-O)), BITS).mean()),
    (elementwise.MultiLabelSoftMarginCriterion(WEIGHTS), O, BITS, (WEIGHTS * bce(1 / (1 + np.exp(-O)), BITS)).mean()),
    (elementwise.L1Cost(), O, T, np.abs(O).sum()),
    (elementwise.CosineDistanceCriterion(), O, T, (1 - cosines(O, T)).mean()),
    (
        elementwise.DiceCoefficientCriterion(),
        P,
        BITS,
        (1 - (2 * (P * BITS).sum(1) + 1) / (P.sum(1) + BITS.sum(1) + 1)).mean(),
    ),
    (classes.MultiMarginCriterion(), O, LABELS, margins(O).mean()),
    (classes.MultiMarginCriterion(2, WEIGHTS, 0.5, False), O, LABELS, margins(O, 2, WEIGHTS, 0.5).sum()),
    (classes.MultiLabelMarginCriterion(), O, np.array(SEVERAL), label_margins(O, SEVERAL)),
    (classes.ClassSimplexCriterion(3), O[:3, :3], np.array([1, 2, 3]), ((O[:3, :3] - SIMPLEX_3) ** 2).mean()),
    (classes.SoftmaxWithCriterion(), MAP, MAP_LABELS, MAP_NLL.mean()),
    (classes.SoftmaxWithCriterion(2), MAP, MAP_LABELS, MAP_NLL[MAP_LABELS != 2].mean()),
    (classes.SoftmaxWithCriterion(2, "FULL"), MAP, MAP_LABELS, MAP_NLL[MAP_LABELS != 2].sum() / 6),
    (classes.SoftmaxWithCriterion(None, "BATCH_SIZE"), MAP, MAP_LABELS, MAP_NLL.sum() / 2),
    (classes.SoftmaxWithCriterion(None, "NONE"), MAP, MAP_LABELS, MAP_NLL.sum()),
    (
        tables.CosineEmbeddingCriterion(0.1),
        [O, T],
        SIGN,
        np.where(SIGN == 1, 1 - cosines(O, T), np.maximum(cosines(O, T) - 0.1, 0)).mean(),
    ),
    (
        tables.MarginRankingCriterion(0.5),
        [O[:, 0], T[:, 0]],
        SIGN,
        np.maximum(0.5 - SIGN * (O - T)[:, 0], 0).mean(),
    ),
    (
        tables.L1HingeEmbeddingCriterion(3.0),
        [MEANS, T],
        SIGN,
        np.where(SIGN == 1, DISTANCE, np.maximum(3 - DISTANCE, 0)).mean(),
    ),
    (
        tables.KLDCriterion(),
        [MEANS, LOG_VARIANCES],
        T,
        -0.5 * (1 + LOG_VARIANCES - MEANS**2 - np.exp(LOG_VARIANCES)).sum() / 6,
    ),
    (
        tables.GaussianCriterion(),
        [MEANS, LOG_VARIANCES],
        T,
        0.5 * (LOG_VARIANCES + np.log(2 * np.pi) + (T - MEANS) ** 2 / np.exp(LOG_VARIANCES)).sum(),
    ),
    (
        tables.MultiCriterion().add(c.MSECriterion()).add(c.AbsCriterion(), 0.5),
        O,
        T,
        ((O - T) ** 2).mean() + 0.5 * np.abs(O - T).mean(),
    ),
    (
        tables.ParallelCriterion().add(c.MSECriterion(), 2.0).add(c.ClassNLLCriterion()),
        [O, np.log(P)],
        [T, LABELS],
        2 * ((O - T) ** 2).mean() + nll(np.log(P), LABELS),
    ),
    (
        tables.ParallelCriterion(True).add(c.MSECriterion()).add(c.AbsCriterion()),
        [O, MEANS],
        T,
        ((O - T) ** 2).mean() + np.abs(MEANS - T).mean(),
    ),
    (tables.TimeDistributedCriterion(c.CrossEntropyCriterion()), STEPS, MAP_LABELS, MAP_NLL.mean(0).sum()),
    (tables.TimeDistributedCriterion(c.CrossEntropyCriterion(), True), STEPS, MAP_LABELS, MAP_NLL.mean()),
    (
        tables.TimeDistributedMaskCriterion(c.CrossEntropyCriterion()),
        STEPS,
        np.where(MAP_LABELS == 2, 0, MAP_LABELS),
        MAP_NLL[MAP_LABELS != 2].mean(),
    ),
]
IDS = [f"{i}-{type(case[0]).__name__}" for i, case in enumerate(CASES)]


@pytest.mark.parametrize(("criterion", "output", "target", "expected"), CASES, ids=IDS)
def test_losses_follow_the_formulas(criterion, output, target, expected):
    assert criterion.forward(output, target) == pytest.approx(expected, rel=1e-5)


def copy_of(x: Any) -> Any:
    return [copy_of(a) for a in x] if isinstance(x, list) else torch.from_numpy(np.array(x, dtype="float64"))


@pytest.mark.parametrize(("criterion", "output", "target", "expected"), CASES, ids=IDS)
def test_gradients_follow_the_losses(criterion, output, target, expected):
    x = copy_of(output)
    table = x if isinstance(x, list) else [x]
    for tensor in table:
        tensor.requires_grad_()
    targets = copy_of(target)
    assert torch.autograd.gradcheck(lambda *o: criterion(list(o) if isinstance(x, list) else o[0], targets), table)
    gradients = criterion.backward(output, target)
    assert [g.shape for g in gradients] == [tuple(t.shape) for t in table] or gradients.shape == x.shape


@pytest.mark.parametrize(
    ("criterion", "output", "target"),
    [
        (c.ClassNLLCriterion(WEIGHTS), np.log(P), PADDED),
        (c.CrossEntropyCriterion(size_average=False), O, LABELS),
        (c.MSECriterion(), O, T),
        (c.BCECriterion(WEIGHTS), P, BITS),
        (c.CategoricalCrossEntropy(), P, ONE_HOT),
        (elementwise.MarginCriterion(size_average=False), O, SIGNS),
    ],
)
def test_parts_of_a_batch_add_up_to_the_loss_of_the_whole(criterion, output, target):
    o, t = torch.from_numpy(output), torch.from_numpy(target)
    parts = [criterion.terms(o[s], t[s]) for s in (slice(0, 1), slice(1, 4), slice(4, 6))]
    sizes = torch.stack([part.parts() for part in parts]).sum(0)
    assert sum(float(part.over(sizes)) for part in parts) == pytest.approx(criterion.forward(output, target), rel=1e-5)


def test_labels_out_of_range_name_the_range_and_the_remedy():
    criterion = c.ClassNLLCriterion()
    with pytest.raises(DataError, match=r"from 1 to 4 .*Received: labels from 0 to 3\. .*zero_based_label=True"):
        criterion.forward(P, LABELS - 1)
    with pytest.raises(DataError, match=r"from 1 to 4 .*Received: labels from 1 to 5"):
        criterion.forward(P, np.array([1, 5, 1, 1, 1, 1]))
    with pytest.raises(DataError, match=r"from 0 to 3 .*Received: labels from 1 to 4\. .*zero_based_label=False"):
        c.CrossEntropyCriterion(zero_based_label=True).forward(P, LABELS)
    with pytest.raises(DataError, match=r"whole numbers\. Received: 1\.5"):
        criterion.forward(P, np.array([1, 1.5, 1, 1, 1, 1]))
    with pytest.raises(DataError, match="One-hot targets need CategoricalCrossEntropy"):
        criterion.forward(P, ONE_HOT)


def test_a_batch_of_padding_costs_nothing():
    output = torch.from_numpy(O).requires_grad_()
    loss = c.CrossEntropyCriterion()(output, torch.full((6,), -1))
    assert float(loss.detach()) == 0
    assert not torch.autograd.grad(loss, output)[0].any()


def test_impossible_probabilities_still_have_a_gradient():
    p = np.array([[1.0, 0.0]])
    criterion = c.ClassNLLCriterion(logProbAsInput=False)
    assert criterion.forward(p, np.array([2])) == pytest.approx(-np.log(1e-8), rel=1e-6)
    assert_close(criterion.backward(p, np.array([2])), np.array([[0.0, -1e8]]))
    assert np.isfinite(c.BCECriterion().forward(np.array([0.0, 1.0]), np.array([1.0, 0.0])))
    assert np.isfinite(c.CategoricalCrossEntropy().forward(p, np.array([[0.0, 1.0]])))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: c.MSECriterion().forward(O, T[:5]), r"the output's shape, \(6, 4\)\. Received: \(5, 4\)"),
        (lambda: c.ClassNLLCriterion(np.ones(3)).forward(P, LABELS), "4 classes. Received: shape"),
        (lambda: c.BCECriterion(np.ones(3)).forward(P, BITS), "weights must have the shape of the output"),
        (lambda: classes.MultiMarginCriterion(p=3), "Received: 3"),
        (lambda: classes.MultiMarginCriterion().forward(O, T), "a label for each sample"),
        (lambda: classes.MultiLabelMarginCriterion().forward(O, 9 * ONE_HOT), r"labels from 0\.0 to 9\.0"),
        (lambda: classes.ClassSimplexCriterion(1), "Received: 1"),
        (lambda: classes.SoftmaxWithCriterion(normalize_mode="ALL"), "Received: 'ALL'"),
        (lambda: tables.KLDCriterion().forward(O, T), "compares two outputs"),
        (lambda: tables.ParallelCriterion().forward([O], [T]), "has 0 criterions"),
        (lambda: tables.TimeDistributedCriterion(c.MSECriterion()).forward(STEPS, STEPS[:, :2]), "each of the 3 steps"),
        (lambda: tables.TimeDistributedMaskCriterion(c.MSECriterion()).forward(STEPS, T), "each of the 6 steps"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
