"""What ``compile`` settles: optimizer, objectives, metrics, and under which names they report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.graph import Container, SymbolicTensor, Weight
from bigdl.graph.user_functions import user_function
from bigdl.programs import is_low
from bigdl.training import losses, metrics, objectives, optimizers
from bigdl.training.batches import Batch
from bigdl.training.graded import graded
from bigdl.training.losses import LossTerm
from bigdl.training.metrics import Metric
from bigdl.training.multipliers import multipliers_of
from bigdl.training.objectives import Objective
from bigdl.training.step import Step
from bigdl.training.targets import WeightMode


class Compiled:
    """A model with what it is trained by, as Keras 1.2.2's ``compile`` takes it.

    The weights to move are settled here: a later change of ``trainable`` takes effect when the model is compiled anew.

    Args:
        model: The model.
        optimizer: A name, an optimizer, or its configuration.
        loss: The name of an objective or a function of ``(y_true, y_pred)``; for several outputs also a list, or a
            mapping by the outputs' names.
        metrics: Names or functions for all outputs, or a mapping by the outputs' names.
        loss_weights: The factor of each output's loss, as a list or a mapping by the outputs' names.
        sample_weight_mode: ``"temporal"`` where samples are weighted step by step; for several outputs also a list or
            a mapping.
        weights: The weights to move; by default all that are trainable.
        lr_multipliers: By what the steps of layers are multiplied, by their names or patterns of these.
        precision: ``"bf16"`` for products of bfloat16.

    Attributes:
        optimizer: The optimizer.
        weights: The weights that it moves.
        loss, metrics, loss_weights, sample_weight_mode, lr_multipliers, precision: As they were given.
        functions: The objective of each output.
        modes: The way in which each output's samples are weighted.
        measure_count: How many values the metrics give.
        metrics_names: The names of all that ``evaluate`` and ``train_on_batch`` return.
        uses_graph: Whether an objective or a metric of the user's computes with tensors of the model's graph.
        is_of_outputs: Whether no objective is the user's; see ``Goal``.

    Raises:
        UnsupportedLayerError: There is no optimizer, objective or metric of a name.
        DataError: A list or mapping does not fit the outputs, or a multiplier is negative.
        LayerError: No layer's name fits a pattern.
    """

    def __init__(
        self,
        model: Container,
        optimizer: Any,
        loss: Any,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weights: Sequence[Weight] | None = None,
        lr_multipliers: Mapping[str, float] | None = None,
        precision: str | None = None,
    ) -> None:
        self.model = model
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss
        self.metrics = metrics
        self.loss_weights = loss_weights
        self.sample_weight_mode = sample_weight_mode
        self.lr_multipliers = lr_multipliers

        outputs = model.output_names
        chosen = _for_outputs(loss, outputs, "loss", model, complete=True)
        self.functions = [user_function(objectives.get(item)) for item in chosen]
        factors = _for_outputs(loss_weights, outputs, "loss_weights", model, default=1.0)
        self.factors = [float(1.0 if factor is None else factor) for factor in factors]
        modes = _for_outputs(sample_weight_mode, outputs, "sample_weight_mode", model, complete=True)
        self.modes = [_checked_mode(mode, model) for mode in modes]
        self.names = [f"{name}_loss" for name in outputs]
        self._metrics = [
            _named_metrics(chosen, function, tensor)
            for chosen, function, tensor in zip(
                _metrics_of(metrics, outputs), self.functions, model.outputs, strict=True
            )
        ]
        self.metrics_names = ["loss", *(self.names if len(outputs) > 1 else [])]
        for output, named in zip(outputs, self._metrics, strict=True):
            prefix = f"{output}_" if len(outputs) > 1 else ""
            self.metrics_names += [prefix + key for keys, _ in named for key in keys]
        self.measure_count = sum(len(keys) for named in self._metrics for keys, _ in named)
        self.uses_graph = any(
            _uses_graph(function, tensor)
            for own, named, tensor in zip(self.functions, self._metrics, model.outputs, strict=True)
            for function in (own, *(metric for _, metric in named))
        )
        self.is_of_outputs = all(map(_is_own, self.functions))
        self.weights = list(model.trainable_weights if weights is None else weights)
        self.optimizer.multipliers = multipliers_of(model, lr_multipliers or {})
        self.step = Step(model, self, self.optimizer, self.weights)
        self.step.in_bf16 = is_low(precision)
        self.precision = precision

    @property
    def labels(self) -> list[str]:
        """``metrics_names``, numbered from 1 where one comes up more than once (a layer that makes several outputs)."""
        names = self.metrics_names
        numbers = [names[:i].count(name) + 1 for i, name in enumerate(names)]
        return [
            f"{name}_{number}" if names.count(name) > 1 else name for name, number in zip(names, numbers, strict=True)
        ]

    def terms(self, outputs: list[Tensor], masks: list[Tensor | None], batch: Batch) -> list[LossTerm]:
        """Returns each output's loss; see ``Goal``."""
        rows = zip(self.functions, batch.targets, outputs, batch.weights, masks, strict=True)
        return [losses.terms(function, y, output, weight, mask) for function, y, output, weight, mask in rows]

    def graded(self, outputs: list[Tensor], masks: list[Tensor | None], batch: Batch) -> tuple[LossTerm, Tensor] | None:
        """Returns the loss of a single output with its gradient, where both come in one pass; see ``Goal``."""
        if len(outputs) > 1 or masks[0] is not None or batch.weights[0] is not None:
            return None
        found = graded(self.functions[0], batch.targets[0], outputs[0], self.factors[0] / batch.rows)
        return None if found is None else (LossTerm(found[0].sum(), float(batch.held)), found[1])

    def measures(self, outputs: list[Tensor], batch: Batch) -> list[Tensor]:
        """Returns the metrics of all outputs; see ``Goal``."""
        values = []
        for named, y, output in zip(self._metrics, batch.targets, outputs, strict=True):
            for keys, metric in named:
                value = metric(y, output)
                values += [value[key] for key in keys] if isinstance(value, Mapping) else [value]
        return values

    def counts_rows(self, batch: Batch) -> bool:
        """Tells whether nothing is masked and nothing weighted; see ``Goal``."""
        masked = any(tensor.mask is not None for tensor in self.model.outputs)
        return not masked and all(weights is None for weights in batch.weights)

    def reported(self, results: Sequence[float]) -> list[float]:
        """Returns those of a step's results that ``metrics_names`` names: not the loss of a single output, twice."""
        return [results[0], *results[2:]] if len(self.functions) == 1 else list(results)

    def get_config(self) -> dict[str, Any]:
        """Returns the ``training_config`` of Keras 1.2.2's full save; functions become their names."""
        config = {
            "optimizer_config": optimizers.serialize(self.optimizer),
            "loss": _named(self.loss),
            "metrics": _named(self.metrics),
            "sample_weight_mode": self.sample_weight_mode,
            "loss_weights": self.loss_weights,
        }
        return {**config, "lr_multipliers": dict(self.lr_multipliers)} if self.lr_multipliers else config


def _named(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _named(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_named(item) for item in value]
    return objectives.name_of(value) if callable(value) else value


def _for_outputs(
    given: Any, outputs: Sequence[str], argument: str, model: Container, complete: bool = False, default: Any = None
) -> list[Any]:
    """Returns an item for each output: from a list, a mapping by name, or the same for all."""
    where = f"compile of model {model.name!r}: {argument}"
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in outputs]
        missing = [name for name in outputs if name not in given] if complete else []
        if unknown or missing:
            wrong = f"unknown {unknown[0]!r}" if unknown else f"nothing for {missing[0]!r}"
            raise DataError(f"{where} must name the outputs ({', '.join(outputs)}). Received: {wrong}.")
        return [given.get(name, default) for name in outputs]
    if isinstance(given, list | tuple):
        if len(given) != len(outputs):
            raise DataError(
                f"{where} must have one item for each of the {len(outputs)} outputs ({', '.join(outputs)}). "
                f"Received: {len(given)}."
            )
        return list(given)
    if argument == "loss_weights" and given is not None:
        raise DataError(f"{where} must be a list or a dict by the outputs' names. Received: {given!r}.")
    return [given] * len(outputs)


def _checked_mode(mode: Any, model: Container) -> WeightMode:
    if mode not in (None, "temporal"):
        raise DataError(
            f"compile of model {model.name!r}: sample_weight_mode must be None or 'temporal'. Received: {mode!r}."
        )
    return cast(WeightMode, mode)


def _metrics_of(given: Any, outputs: Sequence[str]) -> list[list[Any]]:
    if given is None:
        return [[] for _ in outputs]
    if isinstance(given, Mapping):
        chosen = [given.get(name, []) for name in outputs]
        return [list(item) if isinstance(item, list | tuple) else [item] for item in chosen]
    if isinstance(given, list | tuple):
        return [list(given) for _ in outputs]
    raise DataError(f"compile: metrics must be a list, or a dict by the outputs' names. Received: {given!r}.")


def _named_metrics(
    chosen: Sequence[Any], function: Objective, output: SymbolicTensor
) -> list[tuple[list[str], Metric]]:
    """Returns each metric with the names of the values that it gives."""
    named = []
    for identifier in chosen:
        name, metric = metrics.for_output(identifier, function, output.shape[-1])
        metric = user_function(metric)
        named.append((_keys(name, metric, output), metric))
    return named


def _keys(name: str, metric: Metric, output: SymbolicTensor) -> list[str]:
    """Returns the names of a metric's values; what a user's own gives is found out on an output of zeros."""
    if _is_own(metric):
        return [name]
    value = _on_zeros(metric, output)
    return [str(key) for key in value] if isinstance(value, Mapping) else [name]


def _is_own(function: Objective | Metric) -> bool:
    return getattr(function, "__module__", None) in (metrics.__name__, objectives.__name__)


def _on_zeros(function: Objective | Metric, output: SymbolicTensor) -> Any:
    zeros = torch.zeros([n or 1 for n in output.shape])
    with torch.no_grad():
        return function(zeros, zeros)


def _uses_graph(function: Objective | Metric, output: SymbolicTensor) -> bool:
    """Tells whether a user's function gives tensors of a graph, which it can only have from outside."""
    if _is_own(function):
        return False
    try:
        value = _on_zeros(function, output)
    except Exception:  # it may want other targets; then it is not known, and what comes out will tell
        return False
    return any(isinstance(item, SymbolicTensor) for item in (value.values() if isinstance(value, Mapping) else [value]))
