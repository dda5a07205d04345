"""What older Keras versions write differently from 1.2.2, as tables, and the function that applies them.

Read in the sources of Keras 0.3.3, 1.0.0, 1.0.8, 1.1.2 and 1.2.2.
"""

from collections.abc import Mapping
from typing import Any

# Classes of models: their other names.
MODEL_KINDS: Mapping[str, str] = {"Sequential": "Sequential", "Model": "Model", "Container": "Model"}

# 0.x: keys that no constructor of 1.2.2 takes (any class), and those of single classes.
DROPPED_KEYS = frozenset({"cache_enabled", "custom_name"})
DROPPED_KEYS_OF: Mapping[str, frozenset[str]] = {
    "Highway": frozenset({"transform_bias"}),  # until 1.1; only an initial value
    "Merge": frozenset({"trainable", "input_shape"}),  # 0.x
}

# Keys added since, where the constructor has no default that means the same.
ADDED_KEYS_OF: Mapping[str, Mapping[str, Any]] = {
    "Merge": {"mode_type": "raw"},  # 0.x
}

# Keys whose value is a mapping with the name of a class, and those classes' names in 1.2.2.
CLASS_IN_VALUE: Mapping[str, str] = {
    "WeightRegularizer": "L1L2Regularizer",
    "ActivityRegularizer": "L1L2Regularizer",
}

# Keys that hold a number; real files have some of them as strings.
NUMERIC_KEYS = frozenset(
    {
        "alpha",
        "alpha_init",
        "axis",
        "concat_axis",
        "depth_multiplier",
        "dropout",
        "dropout_U",
        "dropout_W",
        "epsilon",
        "filter_length",
        "high",
        "input_dim",
        "input_length",
        "kernel_dim1",
        "kernel_dim2",
        "kernel_dim3",
        "l1",
        "l2",
        "length",
        "low",
        "m",
        "mask_value",
        "momentum",
        "n",
        "nb_col",
        "nb_feature",
        "nb_filter",
        "nb_row",
        "output_dim",
        "p",
        "padding",
        "pool_length",
        "rate",
        "rho",
        "sigma",
        "stride",
        "subsample_length",
        "theta",
    }
)

# Only Keras 2 and later write these.
KERAS_2_KEYS = frozenset({"kernel_initializer", "data_format", "build_config", "registered_name"})

# How Keras begins the names it makes, where it is not the class name in lower case.
NAME_PREFIXES: Mapping[str, str] = {"InputLayer": "input"}


def entry_of_1x(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Turns a layer of Keras 0.x, ``{"name": class, "custom_name": name, ...}``, into a pair of class and config."""
    if "class_name" in entry or not isinstance(entry.get("name"), str):
        return entry
    class_name = entry["name"]
    if class_name in MODEL_KINDS:
        return {"class_name": class_name, "config": entry.get("layers")}
    name = entry.get("custom_name")
    if name == class_name.lower():  # what each nameless layer of the class is called
        name = None
    return {"class_name": class_name, "config": {**entry, "name": name}}


def config_of_122(class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Turns the configuration of a layer, as any 1.x or 0.3 wrote it, into that of Keras 1.2.2."""
    dropped = DROPPED_KEYS | DROPPED_KEYS_OF.get(class_name, frozenset())
    kept = {key: _value_of_122(key, value) for key, value in config.items() if key not in dropped}
    if isinstance(shape := kept.pop("input_shape", None), list):
        kept.setdefault("batch_input_shape", [None, *shape])
    return {**ADDED_KEYS_OF.get(class_name, {}), **kept}


def _value_of_122(key: str, value: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):  # a regularizer or a constraint
        inner = {k: _value_of_122(k, v) for k, v in value.items()}
        return {**inner, "name": CLASS_IN_VALUE.get(value["name"], value["name"])}
    if key in NUMERIC_KEYS and isinstance(value, str):
        return _number(value)
    return value


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
