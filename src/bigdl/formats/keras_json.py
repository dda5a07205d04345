"""Model definitions of Keras 1.x, as JSON or YAML: reading any of them, writing those of 1.2.2."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bigdl.errors import FormatError
from bigdl.formats._dialects import KERAS_2_KEYS, MODEL_KINDS, NAME_PREFIXES, config_of_122, entry_of_1x
from bigdl.formats._nodes import Calls, check_connections, read_calls, read_references
from bigdl.formats._text import parse
from bigdl.formats.spec import GraphSpec, LayerSpec

KERAS_VERSION = "1.2.2"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a definition says.

    Attributes:
        graph: The model.
        keras_version: The version that wrote it; None where the file does not say.
    """

    graph: GraphSpec
    keras_version: str | None = None


def read_definition(text: str | bytes, source: str = "memory", keras_version: str | None = None) -> Definition:
    """Reads the text of Keras's ``to_json`` or ``to_yaml``.

    Args:
        text: The text, or its bytes.
        source: Where it comes from, for messages.
        keras_version: The version that wrote it, where the text does not say.

    Raises:
        FormatError: It is no model definition of Keras 1.x, or one that contradicts itself.
    """
    value = parse(text, source)
    if not isinstance(value, Mapping):
        raise FormatError(
            f"{source} is no model definition: expected a mapping with class_name and config. "
            f"Received: a {type(value).__name__}."
        )
    form = None if "class_name" in value else "0.3"
    version = _version(value.get("keras_version", keras_version or form), source)
    class_name, config = _pair(value, f"{source}: ")
    if not _is_model(class_name, config):
        raise FormatError(
            f"{source} is no model definition: it describes a {class_name!r}. Expected one of {sorted(MODEL_KINDS)}."
        )
    return Definition(_Reader(source, version).top(class_name, config), version)


def architecture(config: Any, class_name: str, source: str = "memory") -> GraphSpec:
    """Reads the configuration of a model: one that another layer holds, or one of Keras 1.2.2's ``get_config``.

    Args:
        config: A list for a ``Sequential``, a mapping for a ``Model``.
        class_name: The model's class.
        source: Where it comes from, for messages.

    Raises:
        FormatError: It is no such configuration.
    """
    return _Reader(source, KERAS_VERSION).top(class_name, config)


def write_definition(class_name: str, config: Mapping[str, Any] | Sequence[Any], **options: Any) -> str:
    """Returns the text that Keras 1.2.2's ``to_json`` writes.

    Args:
        class_name: ``"Model"`` or ``"Sequential"``.
        config: Keras 1.2.2's configuration of it.
        options: Options of ``json.dumps``.

    Raises:
        FormatError: The configuration holds what JSON cannot.
    """
    return dumps({"class_name": class_name, "config": config, "keras_version": KERAS_VERSION}, **options)


def dumps(value: Any, **options: Any) -> str:
    """Encodes as Keras does: NumPy values as numbers and lists, types by name; see ``json.dumps`` for the options."""
    try:
        return json.dumps(value, **{"default": _encode, **options})
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"The configuration cannot be written as JSON: {error}") from error


def _encode(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, type):
        return value.__name__
    raise TypeError(f"a value of type {type(value).__name__} ({value!r}).")


class _Reader:
    """Reads one definition; numbers the models and layers that have no name in the order Keras makes them."""

    def __init__(self, source: str, version: str | None) -> None:
        self.source = source
        self.version = version
        self.counts: dict[str, int] = {}

    def top(self, class_name: str, config: Any) -> GraphSpec:
        if class_name == "Sequential":
            self._number("sequential")  # Keras numbers the outer model before those inside
        return self._model(class_name, config, None, "")

    def _model(self, class_name: str, config: Any, name: str | None, where: str) -> GraphSpec:
        if isinstance(config, list):
            return self._sequential(config, name, where)
        if isinstance(config, Mapping) and class_name != "Sequential":
            return self._functional(config, name, where)
        expected = "a list of layers" if class_name == "Sequential" else "a mapping with layers and their connections"
        hint = ", as Keras 2 writes it" if isinstance(config, Mapping) else ""
        raise self._error(where, f"the config of a {class_name} must be {expected}. Received: {_kind(config)}{hint}.")

    def _sequential(self, config: list[Any], name: str | None, where: str) -> GraphSpec:
        if not config:
            raise self._error(where, "a Sequential without layers.")
        taken = _given_names(config)
        layers: dict[int, LayerSpec] = {}
        by_name: dict[str, LayerSpec] = {}
        for index, entry in enumerate(config):
            layer = self._layer(entry, f"{where}layer {index}", taken, legacy_merge=index == 0)
            # The same name again is the same layer applied again, as Keras reads it.
            layers[index] = by_name.setdefault(layer.name, layer)
            if layers[index] != layer:
                raise self._error(
                    f"{where}layer {index}", f"the name {layer.name!r} belongs to an earlier layer with another config."
                )
        return GraphSpec("Sequential", name, tuple(layers.values()))

    def _functional(self, config: Mapping[str, Any], name: str | None, where: str) -> GraphSpec:
        entries = config.get("layers")
        if not isinstance(entries, list):
            raise self._error(where, f"'layers' must be a list of layers. Received: {_kind(entries)}.")
        layers: dict[str, LayerSpec] = {}
        for index, entry in enumerate(entries):
            layer = self._connected_layer(entry, f"{where}layer {index}")
            if layer.name in layers:
                raise self._error(f"{where}layer {index}", f"the name {layer.name!r} belongs to an earlier layer.")
            layers[layer.name] = layer
        prefix = f"{self.source}: {where}"
        inputs = read_references(config.get("input_layers"), f"{prefix}input_layers")
        outputs = read_references(config.get("output_layers"), f"{prefix}output_layers")
        check_connections(tuple(layers.values()), inputs, outputs, prefix)
        own_name = name or self._given_name(config, where)
        return GraphSpec("Model", own_name, tuple(layers.values()), inputs, outputs)

    def _connected_layer(self, entry: Any, where: str) -> LayerSpec:
        if not isinstance(entry, Mapping):
            raise self._error(where, f"expected a mapping with class_name, name and config. Received: {_kind(entry)}.")
        name = self._given_name(entry, where)
        if name is None or "class_name" not in entry:
            raise self._error(where, "a layer of a functional model must have a name and a class_name.")
        where = f"{where} ({name!r})"
        calls = read_calls(entry.get("inbound_nodes"), f"{self.source}: {where}, inbound_nodes")
        if entry["class_name"] == "Sequential":
            self._number("sequential")  # Keras counts it, though the graph has a name for it
        return self._layer(entry, where, (), name=name, calls=calls)

    def _layer(
        self,
        entry: Any,
        where: str,
        taken: Collection[str],
        *,
        name: str | None = None,
        calls: Calls = (),
        legacy_merge: bool = False,
    ) -> LayerSpec:
        """Reads a layer.

        Args:
            entry: Its mapping with class_name and config.
            where: Its place, for messages.
            taken: Names that a layer without one may not get.
            name: Its name in the graph, where the config does not decide.
            calls: Its inputs in the graph.
            legacy_merge: Whether a ``Merge`` here holds models in its config.
        """
        class_name, config = _pair(entry, f"{self.source}: {where}: ")
        if name is None:
            name = self._name(class_name, config, taken, where)
            where = f"{where} ({name!r})"
        if _is_model(class_name, config):
            graph = self._model(class_name, config, name, f"{where}, ")
            return LayerSpec(graph.kind, name, config if isinstance(config, Mapping) else {}, calls, graph)
        if not isinstance(config, Mapping):
            raise self._error(where, f"'config' of a {class_name} must be a mapping. Received: {_kind(config)}.")
        if self.version is None and not KERAS_2_KEYS.isdisjoint(config):
            raise self._error(where, "is written as by Keras 2 or later; only definitions of Keras 1.x are read.")
        config = {**config_of_122(class_name, config), "name": name}
        if "layer" in config:
            config["layer"] = self._wrapped(config["layer"], f"{where}, its layer")
        branches: tuple[LayerSpec, ...] = ()
        if legacy_merge and class_name == "Merge":
            branches = self._branches(config.pop("layers", None), where)
        return LayerSpec(class_name, name, config, calls, branches=branches)

    def _wrapped(self, entry: Any, where: str) -> Mapping[str, Any]:
        """Reads the layer that a wrapper holds; it stays in the form of the file."""
        inner = self._layer(entry, where, ())
        _, config = _pair(entry, where)
        return {"class_name": inner.class_name, "config": inner.config if inner.graph is None else config}

    def _branches(self, entries: Any, where: str) -> tuple[LayerSpec, ...]:
        if not isinstance(entries, list) or not entries:
            raise self._error(where, f"a Merge as first layer needs a list of 'layers'. Received: {_kind(entries)}.")
        taken = _given_names(entries)
        return tuple(
            self._layer(entry, f"{where}, branch {index}", taken, legacy_merge=True)
            for index, entry in enumerate(entries)
        )

    def _given_name(self, config: Mapping[str, Any], where: str) -> str | None:
        name = config.get("name")
        if name is not None and not isinstance(name, str):
            raise self._error(where, f"'name' must be a string. Received: {_kind(name)}.")
        return name or None

    def _name(self, class_name: str, config: Any, taken: Collection[str], where: str) -> str:
        """Returns the name in the config, or the next of the names that Keras makes."""
        name = self._given_name(config, where) if isinstance(config, Mapping) else None
        while name is None or (name in taken and not config.get("name")):
            name = self._number(NAME_PREFIXES.get(class_name, class_name.lower()))
        return name

    def _number(self, prefix: str) -> str:
        self.counts[prefix] = self.counts.get(prefix, 0) + 1
        return f"{prefix}_{self.counts[prefix]}"

    def _error(self, where: str, text: str) -> FormatError:
        place = where.removesuffix(", ")
        return FormatError(f"{self.source}: {place}: {text}" if place else f"{self.source}: {text}")


def _pair(entry: Any, where: str) -> tuple[str, Any]:
    """Returns class name and config of a layer."""
    if not isinstance(entry, Mapping):
        raise FormatError(f"{where}expected a mapping with class_name and config. Received: {_kind(entry)}.")
    entry = entry_of_1x(entry)
    class_name = entry.get("class_name")
    if not isinstance(class_name, str) or not class_name:
        raise FormatError(f"{where}'class_name' must be the name of a class. Received: {_kind(class_name)}.")
    if "config" not in entry:
        raise FormatError(f"{where}'config' of a {class_name} is missing.")
    return MODEL_KINDS.get(class_name, class_name), entry["config"]


def _is_model(class_name: str, config: Any) -> bool:
    """Tells whether this is a model, which it is also under the name of a user's own class."""
    graph_keys = {"layers", "input_layers", "output_layers"}
    return (
        class_name in MODEL_KINDS
        or isinstance(config, list)
        or (isinstance(config, Mapping) and graph_keys <= config.keys())
    )


def _given_names(entries: Iterable[Any]) -> set[str]:
    names = set()
    for entry in entries:
        config = entry_of_1x(entry).get("config") if isinstance(entry, Mapping) else None
        if isinstance(config, Mapping) and isinstance(config.get("name"), str):
            names.add(config["name"])
    return names


def _version(value: Any, source: str) -> str | None:
    if value is None:
        return None
    version = str(value)
    if not version.startswith(("0.", "1.")):
        raise FormatError(f"{source} was written by Keras {version[:20]}; only definitions of Keras 1.x are read.")
    return version


def _kind(value: Any) -> str:
    """Describes a value that is not what it should be, however large it is."""
    text = repr(value) if isinstance(value, str | int | float) else ""
    return f"{type(value).__name__} {text}" if 0 < len(text) <= 60 else type(value).__name__
