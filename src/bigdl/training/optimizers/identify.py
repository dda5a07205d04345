"""Optimizers by name and configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bigdl.errors import DataError
from bigdl.registry import NamedObjects, custom_object
from bigdl.training import schedules
from bigdl.training.optimizers.adam import Adam, Adamax, Nadam
from bigdl.training.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from bigdl.training.optimizers.base import Optimizer
from bigdl.training.optimizers.ftrl import Ftrl
from bigdl.training.optimizers.lbfgs import LBFGS
from bigdl.training.optimizers.sgd import SGD, DampedSGD

OPTIMIZERS: NamedObjects[type[Optimizer]] = NamedObjects("optimizer")
for _class in (SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam, DampedSGD, Ftrl, LBFGS):
    OPTIMIZERS.register(_class.__name__.lower(), _class)


def get(identifier: Any) -> Optimizer:
    """Returns an optimizer.

    Args:
        identifier: Its name in any case (with Keras's default arguments), ``{"class_name": ..., "config": {...}}`` as
            training configurations hold it, ``{"name": ..., **arguments}``, or an optimizer, which is taken as it is.

    Raises:
        UnsupportedLayerError: There is no optimizer of this name.
        DataError: It is none of these, or an argument is not known.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        return _class_of(identifier).from_config({})
    if isinstance(identifier, Mapping) and "name" in identifier:
        arguments = dict(identifier)
        return _class_of(str(arguments.pop("name"))).from_config(arguments)
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        made = _class_of(str(identifier["class_name"])).from_config(identifier.get("config", {}))
        if identifier.get("schedule") is not None:
            made.schedule = schedules.get(identifier["schedule"])
        return made
    raise DataError(
        f"An optimizer is a name, an Optimizer, or {{'class_name': ..., 'config': ...}}. Received: {identifier!r}."
    )


def _class_of(name: str) -> type[Optimizer]:
    known = custom_object(name) is None and name.lower() in OPTIMIZERS.names()
    return OPTIMIZERS.get(name.lower() if known else name)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Returns ``{"class_name": ..., "config": ...}``, which ``get`` takes; with the ``schedule``, if there is one."""
    described = {"class_name": optimizer.config_name, "config": optimizer.get_config()}
    if optimizer.schedule is not None:
        described["schedule"] = schedules.serialize(optimizer.schedule)
    return described
