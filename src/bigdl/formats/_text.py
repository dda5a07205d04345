"""Text of a model definition (JSON or YAML) to plain values, in bounded time and memory.

Plain values are None, bool, int, float, str, lists, and dicts with str keys. Nothing else comes out.
"""

import json
from collections.abc import Collection
from typing import Any

from bigdl.errors import FormatError
from bigdl.formats._yaml import parse_yaml

MAX_BYTES = 32 * 2**20
MAX_DEPTH = 250
_MAX_VALUES = 5_000_000
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
        return _plain(parse_yaml(text, source, MAX_DEPTH), source)
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


def _plain(value: Any, source: str) -> Any:
    """Checks that there are plain values only; YAML aliases, which may form bombs and cycles, are walked in full."""
    seen = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            below.extend(_contents(item, source))
            if seen + len(below) > _MAX_VALUES:
                raise FormatError(f"{source} holds more than {_MAX_VALUES} values.")
        if not below:
            return value
        seen += len(below)
        level = below
    raise FormatError(f"{source} is nested too deeply (more than {MAX_DEPTH} levels).")


def _contents(item: Any, source: str) -> Collection[Any]:
    match item:
        case dict():
            if not all(isinstance(key, str) for key in item):
                raise FormatError(f"{source}: the keys of a mapping must be strings. Received: {list(item)[:5]!r}.")
            return item.values()
        case list():
            return item
        case int() if item.bit_length() > _MAX_INTEGER_BITS:
            raise FormatError(f"{source} holds an integer of {item.bit_length()} bits.")
        case None | int() | float() | str():
            return ()
    raise FormatError(f"{source}: a value of type {type(item).__name__} has no place in a model definition.")
