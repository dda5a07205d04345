"""Functions of Lambda layers: reading their bytes, taking them apart, following them, trusting none of it."""

import contextlib
import marshal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigdl.errors import FormatError
from bigdl.formats.lambdas import (
    Code,
    NotUnderstoodError,
    Program,
    Ref,
    Step,
    compute,
    disassembly,
    instructions_of,
    read_code,
    understand,
)
from tests.lambda_functions import BY_PYTHON, stored


class Everything:
    """A vocabulary that knows all functions."""

    def __contains__(self, name: object) -> bool:
        return True


def read(name: str, python: str = "3.6") -> Code:
    return read_code(stored(name, python)[0], "test")


def followed(code: Code, closure: Any = (), **values: Any) -> Program:
    return understand(code, instructions_of(code, "test"), values, closure, Everything(), {"K.epsilon": 1e-7})


@pytest.mark.parametrize("python", ["2.7", "3.5", "3.6", "3.7"])
def test_what_a_function_is_made_of(python):
    code = read("x / 127.5 - 1", python)
    assert code.arguments == code.variables == ("x",)
    assert code.constants == (None, 127.5, 1)
    assert code.filename == "model.py"
    assert code.major == int(python[0])
    assert instructions_of(code, "test").python == {"3.7": "3.6"}.get(python, python)


def test_names_defaults_and_closures():
    code = read("sum of neighbours")
    assert code.name == "f"
    assert code.free == ("alpha", "beta", "k", "n")
    assert code.names == ("K", "temporal_padding", "permute_dimensions", "square", "range")
    assert stored("sum of neighbours")[1:] == [None, [1e-4, 0.75, 2, 3]]


def test_disassembly():
    code = read("K.clip(x, -0.5, 0.5)")
    assert disassembly(code, instructions_of(code, "test")).splitlines() == [
        "    0 LOAD_GLOBAL           K",
        "    2 LOAD_ATTR             clip",
        "    4 LOAD_FAST             x",
        "    6 LOAD_CONST            -0.5",
        "    8 LOAD_CONST            0.5",
        "   10 CALL_FUNCTION         3",
        "   12 RETURN_VALUE",
    ]


@pytest.mark.parametrize("python", ["2.7", "3.5", "3.6", "3.7"])
def test_steps(python):
    division = "operator.divide_2" if python == "2.7" else "operator.divide"
    assert followed(read("x / 127.5 - 1", python)) == Program(
        (Step(division, (Ref(0), 127.5)), Step("operator.subtract", (Ref(1), 1))), Ref(2)
    )


@pytest.mark.parametrize(("name", "python", "case"), BY_PYTHON)
def test_every_function_is_followed(name, python, case):
    code, defaults, closure = case["functions"][python]
    function = read_code(code, "test")
    values = dict(zip(reversed(function.arguments), reversed(defaults or []), strict=False))
    program = followed(function, closure or (), **{"mask": None, **values, **case["arguments"]})
    assert program.steps or program.result == Ref(0)


def test_only_known_functions_may_be_called():
    code = read("K.square(x) + K.abs(x)")
    with pytest.raises(NotUnderstoodError, match=r"it uses K\.abs"):
        understand(code, instructions_of(code, "test"), {}, (), {"K.square"}, {})


def assembled(*instructions: tuple[int, int], names: tuple[str, ...] = (), constants: tuple[Any, ...] = ()) -> Code:
    bytecode = bytes(part for instruction in instructions for part in instruction)
    return Code("f", ("x",), False, bytecode, constants, names, ("x",), (), (), "model.py", 1, 3)


LOAD_CONST, LOAD_FAST, LOAD_GLOBAL, LOAD_ATTR, STORE_FAST, CALL, RETURN = 100, 124, 116, 106, 125, 131, 83


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (assembled((LOAD_GLOBAL, 0), (RETURN, 0), names=("scale",)), "it uses 'scale' from outside"),
        (assembled((LOAD_GLOBAL, 0), (LOAD_ATTR, 1), (RETURN, 0), names=("K", "abs")), "it uses K.abs as a value"),
        (assembled((LOAD_GLOBAL, 0), (CALL, 0), (RETURN, 0), names=("open",)), "it uses 'open' from outside"),
        (assembled((LOAD_GLOBAL, 0), (CALL, 0), (RETURN, 0), names=("__import__",)), "from outside"),
        (assembled((LOAD_CONST, 0), (LOAD_CONST, 0), (20, 0), (RETURN, 0), constants=(2**63,)), "its own numbers"),
        (assembled((LOAD_CONST, 0), (LOAD_CONST, 0), (19, 0), (RETURN, 0), constants=(10**6,)), "its own numbers"),
        (assembled((LOAD_CONST, 0), (LOAD_CONST, 1), (27, 0), (RETURN, 0), constants=(1, 0)), "its own numbers"),
        (assembled((LOAD_FAST, 0), (114, 4), (LOAD_FAST, 0), (RETURN, 0)), "it branches on what data decides"),
        (assembled((LOAD_FAST, 0), (68, 0), (93, 0), (RETURN, 0)), "it loops over what data decides"),
        (assembled((113, 0), (RETURN, 0)), "it goes on for too long"),
        (assembled((1, 0), (RETURN, 0)), "do not fit together"),
        (assembled((80, 0), (RETURN, 0)), "do not fit together"),
        (assembled((133, 0), (RETURN, 0)), "do not fit together"),
        (assembled((LOAD_FAST, 0), (93, 0), (RETURN, 0)), "do not fit together"),
        (assembled((71, 0), (RETURN, 0)), "it has the instruction LOAD_BUILD_CLASS"),
        (assembled((LOAD_CONST, 0), (RETURN, 0), constants=(b"bytes",)), "a value of type bytes"),
        (
            assembled((LOAD_CONST, 0), (LOAD_CONST, 0), (108, 0), (RETURN, 0), names=("os",), constants=(None,)),
            "imports os",
        ),
    ],
)
def test_what_is_not_understood(code, reason):
    with pytest.raises(NotUnderstoodError, match=reason):
        followed(code)


def test_lists_do_not_grow_without_end():
    doubling = [(LOAD_FAST, 0)] + [(4, 0), (102, 2)] * 40  # t = (t, t), forty times
    with pytest.raises(NotUnderstoodError, match="lists of more than 256 values"):
        followed(assembled(*doubling, (RETURN, 0)))


@pytest.mark.parametrize(
    ("operation", "a", "b", "expected"),
    [
        ("divide_2", 7, 2, 3),
        ("divide_2", 7.0, 2, 3.5),
        ("divide", 7, 2, 3.5),
        ("power", 2, 10, 1024),
        ("modulo", -1, 3, 2),
    ],
)
def test_arithmetic(operation, a, b, expected):
    assert compute(operation, a, b) == expected


@pytest.mark.parametrize(
    ("operation", "a", "b"),
    [("power", 10, 10**9), ("power", -8, 0.5), ("multiply", 2**62, 2**62), ("divide", 1, 0), ("less", 1, 2)],
)
def test_arithmetic_within_bounds(operation, a, b):
    with pytest.raises(ArithmeticError):
        compute(operation, a, b)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "ends too early"),
        ("N", "a NoneType instead of a function"),
        ("q", "unknown kind of value"),
        ("(" * 100, "ends too early"),
        (")\x01" * 100, "nested more than"),
        ("(\x00\x00\x00\x7f", "ends too early"),
        ("r\xff\xff\xff\x7f", "list index out of range"),
        ("l\x00\x00\x00\x40", "a whole number of"),
        ("\u20ac" * 10, "unknown kind of value"),
        ("N" * (2**20 + 1), "at most"),
    ],
)
def test_damaged_functions(text, reason):
    with pytest.raises(FormatError, match=reason):
        read_code(text, "lambda_1")


def test_truncated_functions():
    text = stored("sum of neighbours")[0]
    for size in range(len(text)):
        with pytest.raises(FormatError):
            read_code(text[:size], "lambda_1")


def test_the_bytecode_of_newer_pythons_is_not_mistaken():
    code = compile("lambda x: x / 127.5 - 1", "model.py", "eval").co_consts[0]
    text = marshal.dumps(code).decode("raw_unicode_escape")
    with pytest.raises(FormatError, match="Layer 'lambda_1'"):
        instructions_of(read_code(text, "Layer 'lambda_1'"), "Layer 'lambda_1'")


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_function_or_a_format_error(data):
    with contextlib.suppress(FormatError, NotUnderstoodError):
        followed(read_code(data.decode("latin-1"), "fuzz"))


CODES = [read(name, python) for name, python, _ in BY_PYTHON]


@given(st.sampled_from(CODES), st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=6))
@settings(max_examples=500, deadline=None)
def test_any_instructions_are_followed_or_not_understood(code, changes):
    bytecode = bytearray(code.bytecode)
    for place, byte in changes:
        bytecode[place % len(bytecode)] = byte
    changed = {field: getattr(code, field) for field in Code.__dataclass_fields__} | {"bytecode": bytes(bytecode)}
    with contextlib.suppress(FormatError, NotUnderstoodError):
        followed(Code(**changed), (1,) * len(code.free), axis=1, scale=2, axes=(0, 2, 1), kind="a", mask=None)
