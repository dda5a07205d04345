"""Text of a model definition (JSON or YAML) to plain values, in bounded time and memory.

Plain values are None, bool, int, float, str, lists, and dicts with str keys. Nothing else comes out.
"""

import json
from collections.abc import Callable
from typing import Any

import yaml

from bigdl.errors import FormatError

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

MAX_BYTES = 32 * 2**20
MAX_DEPTH = 250
_MAX_YAML = 4 * 2**20
_MAX_VALUES = 5_000_000
_MAX_PLAIN_SCALAR = 2**16
_MAX_INTEGER_BITS = 1024
_MAX_ENCODED = 3


def parse(data: str | bytes, source: str) -> Any:
    """Reads JSON, also when it was encoded twice, or YAML.

    Args:
        data: The text.
        source: Where it comes from, for messages.

    Raises:
        FormatError: It is neither, or too large, or too deep.
    """
    text = _decode(data, source)
    if text[0] not in '{["':
        return _plain(_parse_yaml(text, source), source)
    value: Any = text
    for _ in range(_MAX_ENCODED):
        value = _parse_json(value, source)
        if not isinstance(value, str):
            break
    return _plain(value, source)


def _decode(data: str | bytes, source: str) -> str:
    if len(data) > MAX_BYTES:
        raise FormatError(f"{source} has more than {MAX_BYTES} bytes, which no model definition has.")
    if isinstance(data, bytes):
        try:
            data = data.decode(json.detect_encoding(data))
        except UnicodeDecodeError as error:
            raise FormatError(f"{source} is not text: {error}. Expected a model definition in JSON or YAML.") from error
    text = data.strip("\ufeff\x00 \t\r\n")
    if not text:
        raise FormatError(f"{source} is empty. Expected a model definition in JSON or YAML.")
    return text


def _parse_json(text: str, source: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise FormatError(f"{source} is nested too deeply (more than {MAX_DEPTH} levels).") from None
    except ValueError as error:  # also an integer of thousands of digits
        raise FormatError(
            f"{source} is not valid JSON: {error}. Was it truncated? Expected the text of Keras's model.to_json()."
        ) from error


class _Loader(_SafeLoader):
    """The safe loader, with the tags of plain Python values that Keras's to_yaml writes, and no merge keys."""

    def flatten_mapping(self, node: Any) -> None:
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise yaml.constructor.ConstructorError(None, None, "merge keys are not allowed", node.start_mark)
        super().flatten_mapping(node)


def _construct_list(loader: _Loader, node: Any) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


_PYTHON_TAGS: dict[str, Callable[[_Loader, Any], Any]] = {
    "python/tuple": _construct_list,
    "python/list": _construct_list,
    "python/dict": _Loader.construct_yaml_map,
    "python/str": _Loader.construct_yaml_str,
    "python/unicode": _Loader.construct_yaml_str,
    "python/int": _Loader.construct_yaml_int,
    "python/long": _Loader.construct_yaml_int,
    "python/float": _Loader.construct_yaml_float,
    "python/bool": _Loader.construct_yaml_bool,
    "python/none": _Loader.construct_yaml_null,
}
for _tag, _construct in _PYTHON_TAGS.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _construct)


def _parse_yaml(text: str, source: str) -> Any:
    if len(text) > _MAX_YAML:
        raise FormatError(f"{source} has {len(text)} characters, more than are read as YAML ({_MAX_YAML}).")
    try:
        _check_events(text, source)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except FormatError:
        raise
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise FormatError(
            f"{source} is neither JSON nor safe YAML: {error}. Expected what Keras's to_json() or to_yaml() writes."
        ) from error


def _check_events(text: str, source: str) -> None:
    """Looks for depth and for scalars that are slow to convert before anything recursive sees the text."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent) and event.implicit[0] and len(event.value) > _MAX_PLAIN_SCALAR:
            raise FormatError(f"{source} has an unquoted YAML value of {len(event.value)} characters.")
        if depth > MAX_DEPTH:
            raise FormatError(f"{source} is nested too deeply (more than {MAX_DEPTH} levels).")


def _plain(value: Any, source: str) -> Any:
    """Checks that there are plain values only; YAML aliases, which may form bombs and cycles, are walked in full."""
    seen = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        seen += len(level)
        if seen > _MAX_VALUES:
            raise FormatError(f"{source} holds more than {_MAX_VALUES} values.")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                if not all(isinstance(key, str) for key in item):
                    raise FormatError(f"{source}: the keys of a mapping must be strings. Received: {list(item)[:5]!r}.")
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, int) and item.bit_length() > _MAX_INTEGER_BITS:
                raise FormatError(f"{source} holds an integer of {item.bit_length()} bits.")
            elif item is not None and not isinstance(item, int | float | str):
                raise FormatError(
                    f"{source}: a value of type {type(item).__name__} has no place in a model definition."
                )
            if seen + len(below) > _MAX_VALUES:
                raise FormatError(f"{source} holds more than {_MAX_VALUES} values.")
        if not below:
            return value
        level = below
    raise FormatError(f"{source} is nested too deeply (more than {MAX_DEPTH} levels).")
