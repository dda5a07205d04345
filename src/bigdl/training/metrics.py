"""Keras 1.2.2's metrics: one number for a batch. They know no masks, sample weights or penalties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import Tensor

from bigdl.errors import DataError
from bigdl.layers.settings import epsilon
from bigdl.registry import NamedObjects
from bigdl.training import objectives
from bigdl.training.objectives import Objective

Metric = Callable[[Tensor, Tensor], Any]
M = TypeVar("M", bound=Callable[..., Tensor])

METRICS: NamedObjects[Metric] = NamedObjects("metric")


def _register(*aliases: str) -> Callable[[M], M]:
    def add(function: M) -> M:
        for name in (function.__name__, *aliases):
            METRICS.register(name, function)
        return function

    return add


@_register()
def binary_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The share of elements that equal the target once rounded (half to even)."""
    return (y_true == y_pred.round()).to(y_pred.dtype).mean()


@_register()
def categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The share of rows whose largest element is at the place of the target's largest."""
    return (y_true.argmax(-1) == y_pred.argmax(-1)).to(y_pred.dtype).mean()


@_register()
def sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The share of rows whose largest element is at the place that the target, a number from 0, names."""
    return (y_true.amax(-1) == y_pred.argmax(-1)).to(y_pred.dtype).mean()


@_register()
def top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """The share of rows whose true class (of a one-hot target) is among the ``k`` likeliest; ties count."""
    true = y_pred.gather(-1, y_true.argmax(-1, keepdim=True))
    return ((y_pred > true).sum(-1) < k).to(y_pred.dtype).mean()


def _mean_of(objective: Objective) -> Metric:
    def metric(y_true: Tensor, y_pred: Tensor) -> Tensor:
        # Beside the sparse loss the targets are whole numbers; Keras's are floats for every metric.
        return objective(y_true.to(y_pred.dtype), y_pred).mean()

    metric.__name__ = objectives.name_of(objective)
    metric.__doc__ = f"The mean of the objective ``{metric.__name__}`` over all samples and steps."
    return metric


def _register_mean(objective: Objective, *aliases: str) -> Metric:
    metric = _mean_of(objective)
    for name in (objectives.name_of(objective), *aliases):
        METRICS.register(name, metric)
    return metric


mean_squared_error = _register_mean(objectives.mean_squared_error, "mse", "MSE")
mean_absolute_error = _register_mean(objectives.mean_absolute_error, "mae", "MAE")
mean_absolute_percentage_error = _register_mean(objectives.mean_absolute_percentage_error, "mape", "MAPE")
mean_squared_logarithmic_error = _register_mean(objectives.mean_squared_logarithmic_error, "msle", "MSLE")
hinge = _register_mean(objectives.hinge)
squared_hinge = _register_mean(objectives.squared_hinge)
categorical_crossentropy = _register_mean(objectives.categorical_crossentropy)
sparse_categorical_crossentropy = _register_mean(objectives.sparse_categorical_crossentropy)
binary_crossentropy = _register_mean(objectives.binary_crossentropy)
kullback_leibler_divergence = _register_mean(objectives.kullback_leibler_divergence)
poisson = _register_mean(objectives.poisson)
cosine_proximity = _register_mean(objectives.cosine_proximity, "cosine")


def _ones(x: Tensor) -> Tensor:
    """1 where an element, clipped to [0, 1] and rounded, is positive."""
    return x.clamp(0, 1).round()


@_register()
def matthews_correlation(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Matthews's correlation of rounded predictions with the targets, all elements pooled."""
    p, t = _ones(y_pred), _ones(y_true)
    tp, tn = (t * p).sum(), ((1 - t) * (1 - p)).sum()
    fp, fn = ((1 - t) * p).sum(), (t * (1 - p)).sum()
    norm = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)).sqrt()
    return (tp * tn - fp * fn) / (norm + epsilon())


@_register()
def precision(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The share of true positives among the elements predicted as positive, all elements pooled."""
    return _ones(y_true * y_pred).sum() / (_ones(y_pred).sum() + epsilon())


@_register()
def recall(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The share of true positives among the positive elements, all elements pooled."""
    return _ones(y_true * y_pred).sum() / (_ones(y_true).sum() + epsilon())


@_register()
def fbeta_score(y_true: Tensor, y_pred: Tensor, beta: float = 1) -> Tensor:
    """The weighted harmonic mean of precision and recall, ``(1 + b^2) p r / (b^2 p + r)``.

    Raises:
        DataError: ``beta`` is negative.
    """
    if beta < 0:
        raise DataError(f"fbeta_score: beta must be 0 or more. Received: {beta}.")
    p, r = precision(y_true, y_pred), recall(y_true, y_pred)
    return (1 + beta**2) * (p * r) / (beta**2 * p + r + epsilon())


@_register("fscore", "f1score")
def fmeasure(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The harmonic mean of precision and recall."""
    return fbeta_score(y_true, y_pred, beta=1)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
cosine = cosine_proximity
fscore = f1score = fmeasure


def get(identifier: Any) -> Metric:
    """Returns a metric; for ``"accuracy"`` see ``for_output``.

    Args:
        identifier: Its name, or a function of ``(y_true, y_pred)`` on torch tensors, which is taken as it is.

    Raises:
        UnsupportedLayerError: There is no metric of this name.
        DataError: It is neither a name nor a function.
    """
    if isinstance(identifier, str):
        return METRICS.get(identifier)
    if not callable(identifier):
        raise DataError(f"A metric is a name or a function of (y_true, y_pred). Received: {identifier!r}.")
    function: Metric = identifier
    return function


def for_output(identifier: Any, objective: Objective, output_length: int | None) -> tuple[str, Metric]:
    """Returns the name under which Keras reports a metric of an output, and the metric.

    Args:
        identifier: As for ``get``. ``"accuracy"`` or ``"acc"`` is the binary one where the output has one column or its
            loss is binary_crossentropy, the sparse one for the sparse loss, else the categorical one.
        objective: The output's loss.
        output_length: The length of the output's last axis.
    """
    if identifier not in ("accuracy", "acc"):
        metric = get(identifier)
        return getattr(metric, "__name__", type(metric).__name__), metric
    if output_length == 1 or objective is objectives.binary_crossentropy:
        return "acc", binary_accuracy
    if objective is objectives.sparse_categorical_crossentropy:
        return "acc", sparse_categorical_accuracy
    return "acc", categorical_accuracy


def evaluate(name: str, metric: Metric, y_true: Tensor, y_pred: Tensor) -> dict[str, Tensor]:
    """Computes a metric; one of a user's may give several numbers, as a mapping by name."""
    value = metric(y_true, y_pred)
    return dict(value) if isinstance(value, Mapping) else {name: value}
