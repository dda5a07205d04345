import pytest
import torch

from bigdl.errors import DataError, UnsupportedLayerError
from bigdl.training import metrics, objectives
from tests.training.goldens import assert_close, read_arrays, tensor

SCORES = read_arrays("scores.npz")
NAMES = sorted({key.split("/")[1] for key in SCORES if key.startswith("metric/")})


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_keras(name):
    t, p, value = (SCORES[f"metric/{name}/{key}"] for key in ("t", "p", "value"))
    assert_close(metrics.get(name)(tensor(t), tensor(p)), value)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_top_k_counts_ties_as_keras_does(k):
    t, p = tensor(SCORES["top_k/t"]), tensor(SCORES["top_k/p"])
    assert_close(metrics.top_k_categorical_accuracy(t, p, k), SCORES[f"top_k/{k}"])


@pytest.mark.parametrize(
    ("alias", "name"),
    [("mse", "mean_squared_error"), ("cosine", "cosine_proximity"), ("f1score", "fmeasure"), ("fscore", "fmeasure")],
)
def test_aliases(alias, name):
    assert metrics.get(alias) is metrics.get(name) is getattr(metrics, alias)


@pytest.mark.parametrize(
    ("objective", "length", "expected"),
    [
        ("mse", 1, metrics.binary_accuracy),
        ("binary_crossentropy", 5, metrics.binary_accuracy),
        ("sparse_categorical_crossentropy", 5, metrics.sparse_categorical_accuracy),
        ("sparse_categorical_crossentropy", 1, metrics.binary_accuracy),
        ("categorical_crossentropy", 5, metrics.categorical_accuracy),
        ("mse", 5, metrics.categorical_accuracy),
    ],
)
def test_accuracy_depends_on_the_output_and_its_loss(objective, length, expected):
    for name in ("accuracy", "acc"):
        assert metrics.for_output(name, objectives.get(objective), length) == ("acc", expected)


def test_other_metrics_are_reported_by_the_name_of_the_function():
    assert metrics.for_output("mae", objectives.mse, 1) == ("mean_absolute_error", metrics.mean_absolute_error)


@pytest.mark.parametrize("name", ["cosine_proximity", "mean_squared_logarithmic_error", "mean_squared_error"])
def test_whole_numbers_count_as_floats(name):
    classes, p = torch.tensor([[0], [2], [1]]), torch.tensor([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]])
    assert_close(metrics.get(name)(classes, p), metrics.get(name)(classes.float(), p).numpy())


def test_half_rounds_to_even():
    ones = torch.ones(4)
    assert float(metrics.binary_accuracy(ones, torch.tensor([0.5, 1.5, 0.51, 1.0]))) == 0.5


def test_own_metrics_may_give_several_numbers():
    def errors(y_true, y_pred):
        return {"largest": (y_true - y_pred).max(), "least": (y_true - y_pred).min()}

    assert metrics.get(errors) is errors
    found = metrics.evaluate("errors", errors, torch.tensor([3.0, 1.0]), torch.tensor([1.0, 1.0]))
    assert {name: float(value) for name, value in found.items()} == {"largest": 2.0, "least": 0.0}
    alone = metrics.evaluate("mse", metrics.mse, torch.tensor([[3.0]]), torch.tensor([[1.0]]))
    assert {name: float(value) for name, value in alone.items()} == {"mse": 4.0}


def test_what_is_no_metric_is_refused():
    with pytest.raises(UnsupportedLayerError, match="Unknown metric 'auc'"):
        metrics.get("auc")
    with pytest.raises(DataError, match="Received: 3"):
        metrics.get(3)
    with pytest.raises(DataError, match="Received: -1"):
        metrics.fbeta_score(torch.ones(2), torch.ones(2), beta=-1)
