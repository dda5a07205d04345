import numpy as np
import pytest
import torch

from bigdl.errors import DataError, UnsupportedLayerError
from bigdl.registry import custom_object_scope
from bigdl.training import objectives
from tests.training.goldens import assert_close, read_arrays, tensor

SCORES = read_arrays("scores.npz")
CASES = sorted({tuple(key.split("/")[1:3]) for key in SCORES if key.startswith("objective/")})

ALIASES = {
    "mean_squared_error": ["mse", "MSE"],
    "mean_absolute_error": ["mae", "MAE"],
    "mean_absolute_percentage_error": ["mape", "MAPE"],
    "mean_squared_logarithmic_error": ["msle", "MSLE"],
    "kullback_leibler_divergence": ["kld", "KLD"],
    "cosine_proximity": ["cosine"],
}


@pytest.mark.parametrize(("name", "rank"), CASES)
def test_scores_and_gradients_are_those_of_keras(name, rank):
    t, p, score, grad = (SCORES[f"objective/{name}/{rank}/{key}"] for key in ("t", "p", "score", "grad"))
    y_pred = tensor(p).requires_grad_()
    ours = objectives.get(name)(tensor(t), y_pred)
    assert_close(ours, score)
    assert_close(torch.autograd.grad(ours.sum(), y_pred)[0], grad)


@pytest.mark.parametrize(("name", "alias"), [(name, alias) for name, others in ALIASES.items() for alias in others])
def test_aliases(name, alias):
    assert objectives.get(alias) is objectives.get(name) is getattr(objectives, alias)
    assert objectives.name_of(objectives.get(alias)) == name


def test_sparse_labels_may_come_without_their_last_axis():
    p = torch.softmax(torch.randn(4, 3), -1)
    labels = torch.tensor([0, 2, 1, 1])
    flat = objectives.sparse_categorical_crossentropy(labels, p)
    assert torch.equal(flat, objectives.sparse_categorical_crossentropy(labels.float().unsqueeze(1), p))


@pytest.mark.parametrize("label", [-1, 3])
def test_sparse_labels_out_of_range_are_refused(label):
    with pytest.raises(DataError, match=r"from 0 to 2, for an output of 3 classes. Received: "):
        objectives.sparse_categorical_crossentropy(torch.tensor([[0], [label]]), torch.full((2, 3), 1 / 3))


def test_own_functions_are_taken_by_value_and_by_name():
    def cubic(y_true, y_pred):
        return (y_true - y_pred).abs().pow(3).mean(-1)

    assert objectives.get(cubic) is cubic
    with custom_object_scope({"cubic": cubic}):
        assert objectives.get("cubic") is cubic
    with pytest.raises(UnsupportedLayerError, match="Unknown objective 'cubic'"):
        objectives.get("cubic")
    with pytest.raises(DataError, match="Received: 3"):
        objectives.get(3)


def test_epsilon_is_that_of_the_settings():
    from bigdl.layers import settings

    settings.set_epsilon(0.1)
    score = objectives.binary_crossentropy(torch.ones(1, 1), torch.zeros(1, 1))
    assert float(score) == pytest.approx(-np.log(0.1), rel=1e-6)
