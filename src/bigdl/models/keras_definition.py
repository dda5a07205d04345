"""Definitions as Keras 1.2.2 can read them, which what it writes itself is not always."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bigdl.registry.functions import read_function

logger = logging.getLogger("bigdl")

Config = Mapping[str, Any]


def for_keras(config: Any) -> Any:
    """Returns a model's configuration, changed where Keras could not read it.

    - Keras makes the layers of a functional model one after the other, each with all its calls; so each layer stands
      behind those that it is called on. Layers that stand so already keep their places. A layer that is called again
      on what others made of its own output cannot stand so; a warning says that Keras cannot read the model.
    - The defaults of a Lambda's function become arguments: Keras writes them as a list, but needs a tuple.

    Args:
        config: A configuration, or a part of one; the layers and models inside are changed too.
    """
    if isinstance(config, list):
        items = [for_keras(item) for item in config]
        called = all(isinstance(item, Mapping) and "inbound_nodes" in item for item in items)
        return _in_reading_order(items) if called else items
    if not isinstance(config, Mapping):
        return config
    changed = {key: for_keras(value) for key, value in config.items()}
    return (
        {**changed, "config": _without_defaults(changed["config"])}
        if changed.get("class_name") == "Lambda"
        else changed
    )


def _in_reading_order(layers: Sequence[Config]) -> list[Config]:
    waiting = {layer["name"]: _sources(layer) - {layer["name"]} for layer in layers}
    by_name = {layer["name"]: layer for layer in layers}
    ordered: dict[str, Config] = {}
    while waiting:
        name = next((name for name, sources in waiting.items() if sources <= ordered.keys()), None)
        if name is None:
            logger.warning(
                "Keras 1.2.2 cannot read this model, though this library can: a layer is called again on what others "
                "made of its own output, among %s.",
                ", ".join(waiting),
            )
            return list(layers)
        ordered[name] = by_name[name]
        del waiting[name]
    return list(ordered.values())


def _sources(layer: Config) -> set[str]:
    return {reference[0] for call in layer["inbound_nodes"] for reference in call}


def _without_defaults(config: Config) -> Config:
    function = config.get("function")
    if not isinstance(function, list | tuple) or len(function) != 3 or not function[1]:
        return config
    code, defaults, closure = function
    names = read_function(function, f"Layer {config.get('name')!r}").code.arguments[1:]
    values = dict(zip(reversed(names), reversed(defaults), strict=False))
    return {**config, "function": [code, None, closure], "arguments": {**values, **config.get("arguments", {})}}
