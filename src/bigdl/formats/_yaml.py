"""YAML as Keras's ``to_yaml`` writes it, by a loader that constructs plain values only.

PyYAML's full dumper, which Keras used, tags tuples and Python 2 strings, and spells NumPy numbers out as calls. Those
tags are known here by name and turned into lists, strings and numbers; nothing is imported or called.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import yaml

from bigdl.errors import FormatError

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

_MAX_CHARACTERS = 4 * 2**20
_MAX_PLAIN_SCALAR = 2**16
_NUMPY_CODES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})


def parse_yaml(text: str, source: str, max_depth: int) -> Any:
    """Reads YAML; aliases make the same object appear in several places, perhaps within itself.

    Raises:
        FormatError: It is not YAML, too large, too deep, or has tags of anything but plain values.
    """
    if len(text) > _MAX_CHARACTERS:
        raise FormatError(f"{source} has {len(text)} characters, more than are read as YAML ({_MAX_CHARACTERS}).")
    try:
        _check_events(text, source, max_depth)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except FormatError:
        raise
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise FormatError(
            f"{source} is neither JSON nor safe YAML: {error}. Expected what Keras's to_json() or to_yaml() writes."
        ) from error


def _check_events(text: str, source: str, max_depth: int) -> None:
    """Looks for depth and for scalars that are slow to convert before anything recursive sees the text."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent) and event.implicit[0] and len(event.value) > _MAX_PLAIN_SCALAR:
            raise FormatError(f"{source} has an unquoted YAML value of {len(event.value)} characters.")
        if depth > max_depth:
            raise FormatError(f"{source} is nested too deeply (more than {max_depth} levels).")


class _Loader(_SafeLoader):
    """The safe loader without merge keys, which can multiply."""

    def flatten_mapping(self, node: Any) -> None:
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise yaml.constructor.ConstructorError(None, None, "merge keys are not allowed", node.start_mark)
        super().flatten_mapping(node)


def _list(loader: _Loader, node: Any) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


def _numpy_dtype(loader: _Loader, node: Any) -> np.dtype[Any]:
    """``numpy.dtype`` applied to ``[code, align, copy]``, its state beginning with ``[version, byte order]``."""
    call = loader.construct_mapping(node, deep=True)
    code, order = call["args"][0], call["state"][1]
    if code not in _NUMPY_CODES or order not in ("<", ">", "=", "|"):
        raise ValueError(f"NumPy's dtype {code!r} is none of numbers")
    return np.dtype(str(code)).newbyteorder(order)


def _numpy_scalar(loader: _Loader, node: Any) -> Any:
    """A NumPy number: ``[dtype, bytes]``."""
    dtype, data = loader.construct_sequence(node, deep=True)
    return _numbers(dtype, data, [])


def _numpy_array(loader: _Loader, node: Any) -> Any:
    """A NumPy array: a call of ``_reconstruct`` with the state ``[version, shape, dtype, Fortran order, bytes]``."""
    _, shape, dtype, fortran, data = loader.construct_mapping(node, deep=True)["state"]
    return _numbers(dtype, data, shape, "F" if fortran else "C")


def _numbers(dtype: Any, data: Any, shape: Any, order: Any = "C") -> Any:
    if not isinstance(dtype, np.dtype):
        raise TypeError("a NumPy value without a dtype")
    raw = data.encode("latin-1") if isinstance(data, str) else data  # Python 2 wrote bytes as text where it could
    return np.frombuffer(raw, dtype).reshape(shape, order=order).tolist()


_TAGS: dict[str, Callable[[_Loader, Any], Any]] = {
    "python/tuple": _list,
    "python/list": _list,
    "python/dict": _Loader.construct_yaml_map,
    "python/str": _Loader.construct_yaml_str,
    "python/unicode": _Loader.construct_yaml_str,
    "python/int": _Loader.construct_yaml_int,
    "python/long": _Loader.construct_yaml_int,
    "python/float": _Loader.construct_yaml_float,
    "python/bool": _Loader.construct_yaml_bool,
    "python/none": _Loader.construct_yaml_null,
    "python/name:numpy.ndarray": _Loader.construct_yaml_str,
    "python/object/apply:numpy.dtype": _numpy_dtype,
    "python/object/apply:numpy.core.multiarray.scalar": _numpy_scalar,
    "python/object/apply:numpy.core.multiarray._reconstruct": _numpy_array,
}
for _tag, _construct in _TAGS.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _construct)
