"""Text to plain values, in bounded time and memory."""

import pytest

from bigdl.errors import FormatError
from bigdl.formats._text import MAX_BYTES, MAX_DEPTH, parse


def test_yaml_of_keras():
    text = "a: !!python/tuple [1, null]\nb: !!python/unicode 'x'\nc: .nan\nd: !!python/long 3\ne: true\n"
    value = parse(text, "m")
    assert value.pop("c") != value
    assert value == {"a": [1, None], "b": "x", "d": 3, "e": True}


def test_yaml_of_numpy_values():
    # As PyYAML 5.4.1 dumps {"a": np.float32(0.5), "b": np.array([[1, 2]], "int16")}
    text = """
a: !!python/object/apply:numpy.core.multiarray.scalar
- !!python/object/apply:numpy.dtype
  args: [f4, false, true]
  state: !!python/tuple [3, <, null, null, null, -1, -1, 0]
- !!binary |
  AAAAPw==
b: !!python/object/apply:numpy.core.multiarray._reconstruct
  args: [!!python/name:numpy.ndarray '', !!python/tuple [0], !!binary Yg==]
  state: !!python/tuple
  - 1
  - !!python/tuple [1, 2]
  - !!python/object/apply:numpy.dtype
    args: [i2, false, true]
    state: !!python/tuple [3, <, null, null, null, -1, -1, 0]
  - false
  - !!binary AQACAA==
"""
    assert parse(text, "m") == {"a": 0.5, "b": [[1, 2]]}


HOSTILE = {
    "a call": "a: !!python/object/apply:os.system ['true']",
    "an object": "a: !!python/object/new:object {}",
    "a module": "a: !!python/module:os ''",
    "a NumPy object": "a: !!python/object/apply:numpy.dtype {args: [O8], state: [3, '|']}",
    "half a NumPy value": "a: !!python/object/apply:numpy.core.multiarray.scalar [1, 2]",
    "a date": "a: 2017-01-01",
    "a set": "a: !!set {x}",
    "bytes": "a: !!binary AAAA",
    "keys that are no strings": "1: 2",
    "unhashable keys": "? [a]\n: 1",
    "merge keys": "a: &a {x: 1}\nb: {<<: *a}",
    "an alias in itself": "a: &a [*a]",
    "an alias bomb": "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + "\n".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True)),
    "a deep flow": "a: " + "[" * 100_000,
    "a deep block": "- " * 100_000,
    "a deep mapping": "? " * 50_000,
    "a slow number": "a: " + "1:" * 500_000 + "1",
    "a long number": "a: 0x" + "f" * 60_000,
    "an empty number": "a: !!int ''",
    "a wrong boolean": "a: !!bool x",
    "a wrong date": "a: !!timestamp x",
    "several documents": "---\na: 1\n---\nb: 2",
    "deep JSON": "[" * 100_000,
    "deep balanced JSON": "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
    "deep mappings": '{"a":' * 500 + "1" + "}" * 500,
    "a long number in JSON": "[" + "9" * 5_000 + "]",
    "many values": "[" + "1," * 6_000_000 + "1]",
    "many bytes": " " * (MAX_BYTES + 1),
    "control characters": "\x00\x01\x02",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_refused(text):
    for data in (text, text.encode()):
        with pytest.raises(FormatError, match=r"^m\b"):
            parse(data, "m")
