import math

import numpy as np
import pytest
import torch

from bigdl.errors import DataError
from bigdl.training.criterions import ClassNLLCriterion, CrossEntropyCriterion, MSECriterion
from bigdl.training.validation import MAE, EvaluatedResult, Loss, Tally, Top1Accuracy, Top5Accuracy

OUTPUT = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.4, 0.5, 0.1]])


@pytest.mark.parametrize(
    ("method", "output", "target", "expected"),
    [
        (Top1Accuracy(), OUTPUT, torch.tensor([2, 1, 1, 2]), Tally(3, 4)),
        (Top1Accuracy(), OUTPUT, torch.tensor([[2.0], [1.0], [1.0], [2.0]]), Tally(3, 4)),
        (Top1Accuracy(zero_based_label=True), OUTPUT, torch.tensor([1, 0, 2, 0]), Tally(3, 4)),
        (Top1Accuracy(), OUTPUT, torch.eye(3)[[1, 0, 2, 0]], Tally(3, 4)),
        (Top1Accuracy(), OUTPUT, torch.tensor([2, -1, 3, -1]), Tally(2, 4)),
        (Top1Accuracy(), OUTPUT.reshape(2, 2, 3), torch.tensor([[2, 1], [1, 2]]), Tally(3, 4)),
        (Top1Accuracy(), torch.tensor([[0.5], [0.4], [0.9]]), torch.tensor([1, 0, 0]), Tally(2, 3)),
        (Top5Accuracy(), torch.arange(12.0).reshape(2, 6), torch.tensor([1, 2]), Tally(1, 2)),
        (Top5Accuracy(zero_based_label=True), torch.arange(12.0).reshape(2, 6), torch.tensor([0, 1]), Tally(1, 2)),
        (Top5Accuracy(), OUTPUT, torch.tensor([1, 2, 3, 1]), Tally(4, 4)),
        (MAE(), torch.tensor([[1.0], [3.0]]), torch.tensor([2.0, 5.0]), Tally(3, 2)),
        (MAE(), OUTPUT, torch.tensor([2, 3, 1, 2]), Tally(4, 4)),
        (MAE(zero_based_label=True), OUTPUT, torch.tensor([1, 2, 0, 1]), Tally(4, 4)),
    ],
)
def test_methods(method, output, target, expected):
    assert method(output, target) == expected


def test_loss_is_that_of_all_samples_however_they_are_batched():
    target = torch.tensor([2, 1, 3, -1])
    method = Loss(CrossEntropyCriterion())
    whole = method(OUTPUT, target)
    parts = method(OUTPUT[:1], target[:1]) + method(OUTPUT[1:], target[1:])
    assert parts.result == pytest.approx(whole.result)
    assert whole.count == parts.count == 3
    log_p = OUTPUT.numpy() - np.log(np.exp(OUTPUT.numpy()).sum(1, keepdims=True))
    assert whole.result == pytest.approx(-(log_p[0, 1] + log_p[1, 0] + log_p[2, 2]) / 3)


def test_loss_is_of_log_probabilities_by_default():
    assert isinstance(Loss().criterion, ClassNLLCriterion)
    assert Loss(MSECriterion())(torch.ones(2, 3), torch.zeros(2, 3)) == Tally(6, 6)


def test_results_read_as_in_bigdl():
    result = Top1Accuracy().evaluated(Tally(3, 4))
    assert result == EvaluatedResult(0.75, 4, "Top1Accuracy")
    assert str(result) == "Evaluated result: 0.75, total_num: 4, method: Top1Accuracy"
    assert math.isnan(Tally(0, 0).result)


@pytest.mark.parametrize("method", [Top1Accuracy(), Top5Accuracy(), MAE()])
def test_labels_that_do_not_fit_are_refused(method):
    with pytest.raises(DataError, match="zero_based_label=True"):
        method(OUTPUT, torch.tensor([0, 1, 2, 0]))
    with pytest.raises(DataError, match="each of the 4 rows"):
        method(OUTPUT, torch.tensor([1, 2]))
