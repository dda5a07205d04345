import pytest
import torch

from bigdl.errors import DataError
from bigdl.training import losses, objectives
from bigdl.training.losses import LossTerm
from bigdl.training.regularization import Regularization, regularization_loss
from tests.training.goldens import assert_close, build, read_arrays, read_json, tensor

SCORES = read_arrays("scores.npz")
CASES = sorted({tuple(key.split("/")[1:3]) for key in SCORES if key.startswith("loss/")})
PENALTIES = read_json("penalties.json")


def value_of(loss: torch.Tensor | float) -> float:
    return float(torch.as_tensor(loss).detach())


@pytest.mark.parametrize(("case", "name"), CASES)
def test_masks_and_weights_count_as_in_keras(case, name):
    where = f"loss/{case}/{name}"
    t, p, w, value, grad = (SCORES[f"{where}/{key}"] for key in ("t", "p", "w", "value", "grad"))
    mask = tensor(SCORES[f"{where}/m"]).bool() if f"{where}/m" in SCORES else None
    y_pred = tensor(p).requires_grad_()
    loss = losses.terms(objectives.get(name), tensor(t), y_pred, tensor(w), mask).value
    assert_close(loss, value)
    assert_close(torch.autograd.grad(loss, y_pred)[0], grad)


@pytest.mark.parametrize("shape", [(6, 5), (5, 4, 3), (4, 3, 2, 5)])
def test_no_weights_are_weights_of_one(shape):
    t, p = torch.rand(shape), torch.rand(shape)
    plain = losses.terms(objectives.mse, t, p).value
    assert_close(plain, losses.terms(objectives.mse, t, p, torch.ones(shape[0])).value.numpy(), 1e-6)
    assert_close(plain, (t - p).square().mean().numpy(), 1e-6)


def test_parts_of_a_batch_add_up_to_the_loss_of_the_whole():
    t, p, w = torch.rand(7, 4, 3), torch.rand(7, 4, 3), torch.rand(7, 4) * (torch.rand(7, 4) < 0.7)
    mask = torch.rand(7, 4) < 0.6
    whole = losses.terms(objectives.mse, t, p, w, mask)
    parts = [losses.terms(objectives.mse, t[s], p[s], w[s], mask[s]) for s in (slice(0, 2), slice(2, 3), slice(3, 7))]
    sizes = torch.stack([part.parts() for part in parts]).sum(0)
    assert_close(sum(part.over(sizes) for part in parts), whole.value.numpy(), 1e-6)  # type: ignore[arg-type]


def test_a_loss_that_is_a_sum_is_not_divided():
    term = LossTerm(torch.tensor(6.0), 3.0, averaged=False)
    assert float(term.value) == 6.0
    assert float(term.over(term.parts() * 2)) == 6.0


def test_where_nothing_counts_the_loss_is_zero():
    t, p = torch.rand(2, 3), torch.rand(2, 3, requires_grad=True)
    loss = losses.terms(objectives.mse, t, p, torch.zeros(2)).value
    assert value_of(loss) == 0
    assert not torch.autograd.grad(loss, p)[0].any()
    masked = losses.terms(objectives.mse, torch.rand(2, 3, 4), torch.rand(2, 3, 4), None, torch.zeros(2, 3).bool())
    assert float(masked.value) == 0


@pytest.mark.parametrize(
    ("weights", "mask", "message"),
    [((3,), None, "The sample weights"), ((2, 3, 4), None, "The sample weights"), (None, (2, 4), "The output's mask")],
)
def test_weights_and_masks_that_do_not_fit_are_refused(weights, mask, message):
    sample_weight = None if weights is None else torch.ones(weights)
    kept = None if mask is None else torch.ones(mask).bool()
    with pytest.raises(DataError, match=message):
        losses.terms(objectives.mse, torch.rand(2, 3, 4), torch.rand(2, 3, 4), sample_weight, kept)


@pytest.mark.parametrize("name", sorted(PENALTIES))
def test_penalties_are_counted_as_keras_counts_them(name):
    model = build(PENALTIES[name]["definition"])
    with torch.no_grad():
        for weight in model.trainable_weights + model.non_trainable_weights:
            weight.value.fill_(0.5)
    model.train()
    model([torch.ones(2, *(n or 1 for n in x.shape[1:])) for x in model.inputs])
    assert value_of(regularization_loss(model)) == pytest.approx(PENALTIES[name]["penalty"], rel=1e-6)


def test_penalties_of_weights_and_of_activities_are_told_apart():
    model = build(PENALTIES["flat"]["definition"])
    penalties = Regularization(model)
    for weight in model.trainable_weights:
        weight.assign(torch.full(weight.shape, 0.5))
    model(torch.ones(2, 2))
    assert value_of(penalties.activities()) == pytest.approx(PENALTIES["flat"]["penalty"] - 1.0, rel=1e-6)
    assert value_of(penalties.weights()) == 1.0
    assert value_of(penalties()) == 1.0  # activities count once


def test_a_model_without_penalties_adds_nothing():
    traces = read_json("traces.json")
    assert regularization_loss(build(traces["sgd"]["definition"])) == 0
