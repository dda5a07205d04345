"""What files keep of a compiled model: optimizer, loss and metrics, and the optimizer's state."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from bigdl.errors import BigDLError, FormatError, WeightMismatchError
from bigdl.formats.spec import ModelSpec, StoredArray, TrainingSpec
from bigdl.graph import Weight
from bigdl.models.frozen import freeze_models, frozen_models
from bigdl.registry import custom_object
from bigdl.training import Compiled
from bigdl.training.optimizers import Optimizer

if TYPE_CHECKING:
    from bigdl.models.model import Model

logger = logging.getLogger("bigdl")

_KERAS_OPTIMIZERS = ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")


# To files.


def moved_weights(model: Model) -> set[Weight] | None:
    """Returns the weights that the optimizer moves; None where the model is not compiled."""
    return None if model._compiled is None else set(model._compiled.weights)


def keras_training(model: Model) -> TrainingSpec | None:
    """Returns what Keras 1.2.2's full save keeps of a compiled model.

    None for a model that is not compiled, or, with a warning, whose optimizer Keras does not have. The optimizer's
    state is left out, with a warning, where Keras would train other weights: those of layers that were frozen or
    unfrozen after ``compile``.

    Args:
        model: The model, frozen as the file has it (see ``frozen_by_layer``).
    """
    compiled = model._compiled
    if compiled is None:
        return None
    optimizer = compiled.optimizer
    foreign = "lr_multipliers" if compiled.lr_multipliers else _unknown_to_keras(optimizer)
    if foreign is not None:
        logger.warning("Model %r is written as not compiled, as Keras 1.2.2 has no %s.", model.name, foreign)
        return None
    config = compiled.get_config()
    config["metrics"] = _metrics_for_keras(config["metrics"], model.name)
    config["optimizer_config"]["config"].update(_decay_from_here(optimizer))
    if set(compiled.weights) != set(model.trainable_weights):
        logger.warning(
            "Model %r is written without the optimizer's state: layers were frozen or unfrozen after compile, so that "
            "Keras 1.2.2 will train other weights than this model does. Compile it again for what trainable says.",
            model.name,
        )
        return TrainingSpec(config)
    arrays = optimizer.get_weights()
    begun = optimizer.iterations or any(array.any() for array in arrays)
    return TrainingSpec(config, tuple(StoredArray.of(f"param_{i}", a) for i, a in enumerate(arrays)) if begun else ())


def native_training(model: Model) -> TrainingSpec | None:
    """Returns how a model is compiled, with all that its next steps depend on; None for one that is not compiled."""
    compiled = model._compiled
    if compiled is None:
        return None
    state = compiled.optimizer.state_dict()
    arrays = tuple(StoredArray.of(name, tensor.detach().cpu().numpy()) for name, tensor in state.items())
    return TrainingSpec(compiled.get_config(), arrays)


def native_extra(model: Model) -> dict[str, Any]:
    """Returns what the library's own format keeps beside Keras's: which models are frozen, which weights are moved."""
    extra: dict[str, Any] = {"frozen_models": frozen_models(model)}
    moved = moved_weights(model)
    if moved is not None:
        extra["moved_weights"] = [i for i, weight in enumerate(_all_weights(model)) if weight in moved]
    return extra


def _unknown_to_keras(optimizer: Optimizer) -> str | None:
    if optimizer.config_name not in _KERAS_OPTIMIZERS:
        return f"optimizer {optimizer.config_name}"
    if optimizer.schedule is not None:
        return f"learning-rate schedule {type(optimizer.schedule).__name__}"
    return "weight_decay in its optimizers" if optimizer.weight_decay else None


def _decay_from_here(optimizer: Optimizer) -> dict[str, float]:
    """Returns the rate and decay with which a counter that begins at 0 goes on as the optimizer's does.

    Keras does not save the counter of RMSprop, Adagrad and Adadelta:
    ``lr / (1 + decay (i + j)) = lr f / (1 + decay f j)`` with ``f = 1 / (1 + decay i)``.
    """
    if optimizer.saves_iterations or not optimizer.iterations or not optimizer.decay:
        return {}
    factor = 1 / (1 + float(optimizer.decay) * optimizer.iterations)
    return {"lr": float(optimizer.lr) * factor, "decay": float(optimizer.decay) * factor}


def _metrics_for_keras(metrics: Any, name: str) -> Any:
    """Returns metrics that Keras can read: by output it cannot read lists, though ``compile`` takes them."""
    if not isinstance(metrics, Mapping):
        return metrics
    by_output = {key: value if isinstance(value, list) else [value] for key, value in metrics.items()}
    if any(len(chosen) > 1 for chosen in by_output.values()):
        logger.warning("Model %r: Keras 1.2.2 reads one metric for an output; only the first is written.", name)
    return {key: chosen[0] for key, chosen in by_output.items() if chosen}


# From files.


def restore_frozen(model: Model, spec: ModelSpec) -> None:
    """Freezes the models that were frozen; before arrays are read, as it moves some to another place.

    Raises:
        FormatError: The file is damaged.
    """
    freeze_models(model, spec.extra.get("frozen_models", []), spec.source)


def restore_training(model: Model, spec: ModelSpec, strict: bool = False) -> None:
    """Compiles a model as it was saved and gives the optimizer its state.

    Args:
        model: The model.
        spec: Its description.
        strict: Whether what cannot be restored is an error instead of a warning.

    Raises:
        BigDLError: ``strict``, and a loss, metric or optimizer is not known, or the state does not fit.
    """
    if spec.training is None:
        return
    try:
        model._compiled = _compiled(model, spec, spec.training.config)
    except BigDLError as error:
        if strict:
            raise
        logger.warning("%s The model is loaded, but not compiled: call compile before you train it.", error)
        return
    try:
        _restore_state(model.optimizer, spec, spec.training)
    except WeightMismatchError as error:
        if strict:
            raise
        logger.warning("%s: %s The model is compiled, but its optimizer begins anew.", spec.source, error)


def _compiled(model: Model, spec: ModelSpec, config: Mapping[str, Any]) -> Compiled:
    where = f"{spec.source}: the model cannot be compiled as it was saved."
    try:
        return Compiled(
            model,
            config["optimizer_config"],
            _own(config["loss"]),
            _own(config.get("metrics")),
            config.get("loss_weights"),
            config.get("sample_weight_mode"),
            _moved_weights(model, spec),
            config.get("lr_multipliers"),
        )
    except BigDLError as error:
        raise type(error)(f"{where} {error}") from error
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise FormatError(f"{where} {type(error).__name__}: {error}.") from error


def _own(value: Any) -> Any:
    """Puts the user's functions in the place of their names, as Keras does: a later ``compile`` may need them."""
    if isinstance(value, Mapping):
        return {key: _own(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_own(item) for item in value]
    own = custom_object(value) if isinstance(value, str) else None
    return value if own is None else own


def _moved_weights(model: Model, spec: ModelSpec) -> list[Weight] | None:
    numbers = spec.extra.get("moved_weights")
    if numbers is None:
        return None
    weights = _all_weights(model)
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < len(weights) for n in numbers):
        raise FormatError(f"moved_weights must be numbers of weights, of {len(weights)}. Received: {numbers}.")
    return [weights[number] for number in numbers]


def _restore_state(optimizer: Optimizer, spec: ModelSpec, training: TrainingSpec) -> None:
    arrays = training.optimizer_arrays
    if "moved_weights" in spec.extra:
        optimizer.load_state_dict({array.name: torch.tensor(array.read()) for array in arrays})
    elif arrays:
        optimizer.set_weights([array.read() for array in arrays])


def _all_weights(model: Model) -> list[Weight]:
    return [weight for layer in model.weight_layers for weight in layer.weights]
