"""What a model is trained by, for Keras 3: optimizer, loss and metrics, and the optimizer's state."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from bigdl.export.keras3.entries import serialized
from bigdl.export.keras3.network import Network
from bigdl.formats.spec import StoredArray
from bigdl.graph import Container, Layer
from bigdl.layers import activations
from bigdl.training import Compiled, objectives
from bigdl.training.optimizers import SGD, Optimizer

logger = logging.getLogger("bigdl")

# Keras 3's name of each argument, and the accumulators that it keeps beside each weight, in its order.
_OPTIMIZERS: Mapping[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "SGD": ({"momentum": "momentum", "nesterov": "nesterov"}, ("velocity",)),
    "RMSprop": ({"rho": "rho", "epsilon": "epsilon"}, ("square",)),
    "Adagrad": ({"epsilon": "epsilon"}, ("square",)),
    "Adadelta": ({"rho": "rho", "epsilon": "epsilon"}, ("square", "delta")),
    "Adam": ({"beta_1": "beta_1", "beta_2": "beta_2", "epsilon": "epsilon"}, ("mean", "square")),
    "Adamax": ({"beta_1": "beta_1", "beta_2": "beta_2", "epsilon": "epsilon"}, ("mean", "largest")),
}

# Objectives by the name that Keras 3 has for them too; Nadam and cosine_proximity it computes by other formulas.
_LOSSES = {
    objectives.mean_squared_error,
    objectives.mean_absolute_error,
    objectives.mean_absolute_percentage_error,
    objectives.mean_squared_logarithmic_error,
    objectives.squared_hinge,
    objectives.hinge,
    objectives.categorical_crossentropy,
    objectives.sparse_categorical_crossentropy,
    objectives.binary_crossentropy,
    objectives.kullback_leibler_divergence,
    objectives.poisson,
}
_METRICS = {
    "accuracy": "accuracy",
    "acc": "accuracy",
    "binary_accuracy": "binary_accuracy",
    "categorical_accuracy": "categorical_accuracy",
    "sparse_categorical_accuracy": "sparse_categorical_accuracy",
    "top_k_categorical_accuracy": "top_k_categorical_accuracy",
    **{objectives.name_of(loss): objectives.name_of(loss) for loss in _LOSSES},
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
}


def compile_config(model: Container, compiled: Compiled) -> dict[str, Any] | None:
    """Returns what Keras 3 compiles the model with; None, with a warning, where it cannot do the same.

    Args:
        model: The model.
        compiled: What it was compiled with.
    """
    foreign = _foreign(compiled)
    if foreign is not None:
        logger.warning("Model %r is written as not compiled, as Keras 3 has no %s.", model.name, foreign)
        return None
    losses = [objectives.name_of(function) for function in compiled.functions]
    several = len(losses) > 1
    return {
        "optimizer": _optimizer(compiled.optimizer),
        "loss": losses if several else losses[0],
        "loss_weights": list(compiled.factors) if any(factor != 1.0 for factor in compiled.factors) else None,
        "metrics": _metrics(model, compiled, several),
    }


def _foreign(compiled: Compiled) -> str | None:
    optimizer = compiled.optimizer
    unknown = [function for function in compiled.functions if function not in _LOSSES]
    if optimizer.config_name not in _OPTIMIZERS:
        return f"optimizer {optimizer.config_name} of this kind"
    if optimizer.schedule is not None:
        return f"learning-rate schedule {type(optimizer.schedule).__name__}"
    if compiled.lr_multipliers:
        return "lr_multipliers"
    if optimizer.weight_decay:
        return "weight_decay of this kind"
    if optimizer.clipnorm and optimizer.clipvalue:
        return "clipnorm and clipvalue together"
    if any(mode is not None for mode in compiled.modes):
        return "sample_weight_mode"
    return f"loss {objectives.name_of(unknown[0])} of this kind" if unknown else None


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    arguments, _ = _OPTIMIZERS[optimizer.config_name]
    own = optimizer.get_config()
    rate: Any = float(optimizer.lr)
    if optimizer.decay:
        decay = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": float(optimizer.decay)}
        rate = serialized("keras.optimizers.schedules", "InverseTimeDecay", decay)
    config = {theirs: own[ours] for theirs, ours in arguments.items()}
    if optimizer.config_name == "Adagrad":
        config["initial_accumulator_value"] = 0.0
    # Keras 1 clips by the norm of all gradients together.
    clipping = {"global_clipnorm": optimizer.clipnorm or None, "clipvalue": optimizer.clipvalue or None}
    return serialized("keras.optimizers", optimizer.config_name, {"learning_rate": rate, **config, **clipping})


def _metrics(model: Container, compiled: Compiled, several: bool) -> Any:
    given = compiled.metrics or []
    if isinstance(given, Mapping):
        by_output = [given.get(name, []) for name in model.output_names]
    else:
        by_output = [given] * len(model.outputs)
    lists = [_known(model, each if isinstance(each, list | tuple) else [each]) for each in by_output]
    return lists if several else lists[0]


def _known(model: Container, metrics: Sequence[Any]) -> list[str]:
    names = [metric if isinstance(metric, str) else objectives.name_of(metric) for metric in metrics]
    for name in names:
        if name not in _METRICS:
            logger.warning("Model %r is written without its metric %s, which Keras 3 does not have.", model.name, name)
    return [_METRICS[name] for name in names if name in _METRICS]


def optimizer_arrays(model: Container, compiled: Compiled, network: Callable[[], Network]) -> list[StoredArray]:
    """Returns the optimizer's state in the order of Keras 3's variables.

    It begins anew, with a warning, where Keras 3 does not train the very same weights.

    Args:
        model: The model.
        compiled: What it was compiled with.
        network: Makes the network of the model as it is.
    """
    optimizer = compiled.optimizer
    numbers = [StoredArray.of("", np.array(optimizer.iterations, np.int32))]
    if not optimizer.decay:
        numbers.append(StoredArray.of("", np.array(optimizer.lr, np.float32)))
    reason = _other_weights(model, compiled)
    if reason is not None and optimizer.iterations:
        logger.warning("Model %r is written without the optimizer's state: %s.", model.name, reason)
    states = []
    for name in _accumulators(optimizer):
        with _holding(optimizer.by_parameter()[name] if reason is None else {}):
            arrays = list(network().trainable_arrays())
        states.append(arrays if reason is None else [_empty(array) for array in arrays])
    return [*numbers, *(array for arrays in zip(*states, strict=True) for array in arrays)]


def _accumulators(optimizer: Optimizer) -> tuple[str, ...]:
    if isinstance(optimizer, SGD) and not optimizer.momentum:
        return ()
    return _OPTIMIZERS[optimizer.config_name][1]


def _other_weights(model: Container, compiled: Compiled) -> str | None:
    """Says why Keras 3 trains other weights than the optimizer moves; None where it does not."""
    if set(compiled.weights) != set(model.trainable_weights):
        return "layers were frozen or unfrozen after compile"
    for layer in model.modules():
        functions = [getattr(layer, name, None) for name in ("activation", "inner_activation")]
        if isinstance(layer, Layer) and layer.listed_weights and activations.hard_sigmoid in functions:
            return f"the weights of {layer.name!r} are written 1.2 times as large for Keras 3's hard sigmoid"
    return None


def _empty(array: StoredArray) -> StoredArray:
    return StoredArray.of("", np.zeros(array.shape, np.float32))


@contextlib.contextmanager
def _holding(values: Mapping[Tensor, Tensor]) -> Iterator[None]:
    """Inside the block parameters hold other values."""
    before = {parameter: parameter.data for parameter in values}
    try:
        for parameter, value in values.items():
            parameter.data = value
        yield
    finally:
        for parameter, data in before.items():
            parameter.data = data
