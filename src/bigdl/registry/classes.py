"""Which layer a class name of a file stands for; open to users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bigdl.errors import BigDLError, LayerError, UnsupportedLayerError
from bigdl.formats.spec import Array, StoredArray
from bigdl.graph import Layer
from bigdl.registry.objects import custom_object

LayerConverter = Callable[[Mapping[str, Any]], Layer]
WeightConverter = Callable[[Layer, Sequence[StoredArray]], Sequence[StoredArray | Array]]
L = TypeVar("L", bound=type[Layer])


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one class name.

    Attributes:
        class_name: The name in the files.
        layer_class: The layer, or None where only a converter was given.
        make: Makes the layer from its configuration.
        convert_weights: Turns a file's arrays into those of the layer's ``get_weights``.
    """

    class_name: str
    layer_class: type[Layer] | None
    make: LayerConverter
    convert_weights: WeightConverter | None = None


_entries: dict[str, Entry] = {}


def register_layer(
    class_name: str,
    layer: type[Layer] | LayerConverter,
    convert_weights: WeightConverter | None = None,
    *,
    replace: bool = False,
) -> None:
    """Makes a class name of model files known, for good.

    Args:
        class_name: The name in the files, e.g. ``"MyAttention"``.
        layer: A subclass of ``Layer``, whose ``from_config`` is called; or a function that makes a layer, of any class,
            from its configuration (the layer converter).
        convert_weights: The weight converter: given the layer and the file's arrays (each with ``name``, ``shape`` and
            ``read()``), returns arrays (these, or of NumPy) in the order and layout of the layer's ``get_weights``. By
            default they are taken as they are.
        replace: Whether a name that is taken may be taken over.

    Raises:
        ValueError: The name is taken and ``replace`` is False.
    """
    if class_name in _entries and not replace:
        raise ValueError(f"The layer class {class_name!r} is registered already; say replace=True to take it over.")
    _entries[class_name] = _entry(class_name, layer, convert_weights)


def layer(convert_weights: WeightConverter | None = None) -> Callable[[L], L]:
    """Class decorator that registers a layer under its own name.

    Args:
        convert_weights: See ``register_layer``.
    """

    def register(cls: L) -> L:
        register_layer(cls.__name__, cls, convert_weights)
        return cls

    return register


def _entry(class_name: str, layer: Any, convert_weights: WeightConverter | None) -> Entry:
    if isinstance(layer, Entry):
        return layer
    if isinstance(layer, type) and issubclass(layer, Layer):
        return Entry(class_name, layer, layer.from_config, convert_weights)
    return Entry(class_name, None, layer, convert_weights)


def supported_layers() -> list[str]:
    """Returns the class names that can be loaded, sorted."""
    return sorted(_entries)


def entry_for(class_name: str) -> Entry | None:
    """Returns what is known of a class name, the user's own objects first; None if nothing is."""
    custom = custom_object(class_name)
    return _entry(class_name, custom, None) if custom is not None else _entries.get(class_name)


def make_layer(class_name: str, config: Mapping[str, Any]) -> Layer:
    """Makes a layer from a class name and its configuration.

    Raises:
        UnsupportedLayerError: The class is not known.
        LayerError: The configuration is not one the class takes.
    """
    name = config.get("name", "?")
    entry = entry_for(class_name)
    if entry is None:
        raise UnsupportedLayerError(
            f"Layer {name!r} is of class {class_name!r}, which is not supported. "
            f"Add it with custom_objects={{{class_name!r}: YourLayer}}, or for good with "
            f"register_layer({class_name!r}, YourLayer); supported_layers() lists the classes that are there."
        )
    try:
        made = entry.make(config)
    except BigDLError as error:
        if repr(name) in str(error):
            raise
        raise type(error)(f"Layer {name!r} ({class_name}): {error}") from error
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise LayerError(
            f"Layer {name!r} ({class_name}): its configuration cannot be used: {error}. Received: {dict(config)}."
        ) from error
    if not isinstance(made, Layer):
        raise LayerError(
            f"Layer {name!r} ({class_name}): what was registered for this class must make a bigdl Layer. "
            f"Received: {made!r}."
        )
    # A converter may make a layer of another class, and forget the name.
    made.file_class = class_name
    made.name = str(config.get("name") or made.name)
    return made
