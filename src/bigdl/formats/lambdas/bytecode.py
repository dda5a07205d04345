"""The instructions of CPython functions, taken apart to be shown or understood, never run."""

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bigdl.errors import FormatError
from bigdl.formats.lambdas.code import Code

_MOST_SHOWN = 60


def _table(text: str) -> dict[int, str]:
    pairs = (item.split() for item in text.split(","))
    return {int(number): name for number, name in pairs}


_COMMON = _table("""
1 POP_TOP, 2 ROT_TWO, 3 ROT_THREE, 4 DUP_TOP, 9 NOP, 10 UNARY_POSITIVE, 11 UNARY_NEGATIVE, 12 UNARY_NOT,
15 UNARY_INVERT, 19 BINARY_POWER, 20 BINARY_MULTIPLY, 22 BINARY_MODULO, 23 BINARY_ADD, 24 BINARY_SUBTRACT,
25 BINARY_SUBSCR, 26 BINARY_FLOOR_DIVIDE, 27 BINARY_TRUE_DIVIDE, 28 INPLACE_FLOOR_DIVIDE, 29 INPLACE_TRUE_DIVIDE,
54 STORE_MAP, 55 INPLACE_ADD, 56 INPLACE_SUBTRACT, 57 INPLACE_MULTIPLY, 59 INPLACE_MODULO, 60 STORE_SUBSCR,
61 DELETE_SUBSCR, 62 BINARY_LSHIFT, 63 BINARY_RSHIFT, 64 BINARY_AND, 65 BINARY_XOR, 66 BINARY_OR, 67 INPLACE_POWER,
68 GET_ITER, 70 PRINT_EXPR, 75 INPLACE_LSHIFT, 76 INPLACE_RSHIFT, 77 INPLACE_AND, 78 INPLACE_XOR, 79 INPLACE_OR,
80 BREAK_LOOP, 83 RETURN_VALUE, 84 IMPORT_STAR, 86 YIELD_VALUE, 87 POP_BLOCK, 88 END_FINALLY, 90 STORE_NAME,
91 DELETE_NAME, 92 UNPACK_SEQUENCE, 93 FOR_ITER, 95 STORE_ATTR, 96 DELETE_ATTR, 97 STORE_GLOBAL, 98 DELETE_GLOBAL,
100 LOAD_CONST, 101 LOAD_NAME, 102 BUILD_TUPLE, 103 BUILD_LIST, 104 BUILD_SET, 105 BUILD_MAP, 106 LOAD_ATTR,
107 COMPARE_OP, 108 IMPORT_NAME, 109 IMPORT_FROM, 110 JUMP_FORWARD, 111 JUMP_IF_FALSE_OR_POP,
112 JUMP_IF_TRUE_OR_POP, 113 JUMP_ABSOLUTE, 114 POP_JUMP_IF_FALSE, 115 POP_JUMP_IF_TRUE, 116 LOAD_GLOBAL,
119 CONTINUE_LOOP, 120 SETUP_LOOP, 121 SETUP_EXCEPT, 122 SETUP_FINALLY, 124 LOAD_FAST, 125 STORE_FAST,
126 DELETE_FAST, 130 RAISE_VARARGS, 131 CALL_FUNCTION, 132 MAKE_FUNCTION, 133 BUILD_SLICE, 134 MAKE_CLOSURE,
135 LOAD_CLOSURE, 136 LOAD_DEREF, 137 STORE_DEREF, 140 CALL_FUNCTION_VAR, 141 CALL_FUNCTION_KW, 143 SETUP_WITH
""")

_PYTHON_2 = _COMMON | _table("""
5 ROT_FOUR, 13 UNARY_CONVERT, 21 BINARY_DIVIDE, 30 SLICE+0, 31 SLICE+1, 32 SLICE+2, 33 SLICE+3, 40 STORE_SLICE+0,
41 STORE_SLICE+1, 42 STORE_SLICE+2, 43 STORE_SLICE+3, 50 DELETE_SLICE+0, 51 DELETE_SLICE+1, 52 DELETE_SLICE+2,
53 DELETE_SLICE+3, 58 INPLACE_DIVIDE, 71 PRINT_ITEM, 72 PRINT_NEWLINE, 73 PRINT_ITEM_TO, 74 PRINT_NEWLINE_TO,
81 WITH_CLEANUP, 82 LOAD_LOCALS, 85 EXEC_STMT, 89 BUILD_CLASS, 94 LIST_APPEND, 99 DUP_TOPX,
142 CALL_FUNCTION_VAR_KW, 145 EXTENDED_ARG, 146 SET_ADD, 147 MAP_ADD
""")

# All of 3.3 to 3.7: no number means two things, but for the calls, whose arguments are counted differently.
_PYTHON_3 = _COMMON | _table("""
5 DUP_TOP_TWO, 16 BINARY_MATRIX_MULTIPLY, 17 INPLACE_MATRIX_MULTIPLY, 50 GET_AITER, 51 GET_ANEXT,
52 BEFORE_ASYNC_WITH, 69 GET_YIELD_FROM_ITER, 71 LOAD_BUILD_CLASS, 72 YIELD_FROM, 73 GET_AWAITABLE,
81 WITH_CLEANUP_START, 82 WITH_CLEANUP_FINISH, 85 SETUP_ANNOTATIONS, 89 POP_EXCEPT, 94 UNPACK_EX,
127 STORE_ANNOTATION, 138 DELETE_DEREF, 142 CALL_FUNCTION_EX, 144 EXTENDED_ARG, 145 LIST_APPEND, 146 SET_ADD,
147 MAP_ADD, 148 LOAD_CLASSDEREF, 149 BUILD_LIST_UNPACK, 150 BUILD_MAP_UNPACK, 151 BUILD_MAP_UNPACK_WITH_CALL,
152 BUILD_TUPLE_UNPACK, 153 BUILD_SET_UNPACK, 154 SETUP_ASYNC_WITH, 155 FORMAT_VALUE, 156 BUILD_CONST_KEY_MAP,
157 BUILD_STRING, 158 BUILD_TUPLE_UNPACK_WITH_CALL, 160 LOAD_METHOD, 161 CALL_METHOD
""")

_HAS_ARGUMENT = 90
COMPARISONS = ("<", "<=", "==", "!=", ">", ">=", "in", "not in", "is", "is not", "exception match", "BAD")

# What an instruction's argument is a place in: an attribute of ``Code``.
_NAMED = {
    "LOAD_CONST": "constants",
    **dict.fromkeys(("LOAD_FAST", "STORE_FAST", "DELETE_FAST"), "variables"),
    **dict.fromkeys(("LOAD_CLOSURE", "LOAD_DEREF", "STORE_DEREF", "DELETE_DEREF", "LOAD_CLASSDEREF"), "cells"),
    **dict.fromkeys(
        ("LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME", "STORE_NAME", "DELETE_NAME"), "names"
    ),
    **dict.fromkeys(("LOAD_ATTR", "STORE_ATTR", "DELETE_ATTR", "LOAD_METHOD", "STORE_ANNOTATION"), "names"),
    **dict.fromkeys(("IMPORT_NAME", "IMPORT_FROM"), "names"),
}
_RELATIVE_JUMPS = {
    "FOR_ITER",
    "JUMP_FORWARD",
    "SETUP_LOOP",
    "SETUP_EXCEPT",
    "SETUP_FINALLY",
    "SETUP_WITH",
    "SETUP_ASYNC_WITH",
}
_ABSOLUTE_JUMPS = {
    "JUMP_IF_FALSE_OR_POP",
    "JUMP_IF_TRUE_OR_POP",
    "JUMP_ABSOLUTE",
    "POP_JUMP_IF_FALSE",
    "POP_JUMP_IF_TRUE",
    "CONTINUE_LOOP",
}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        offset: Its place in the bytes.
        name: CPython's name of it.
        argument: Its argument; 0 where it has none. A jump's is the offset that it leads to.
    """

    offset: int
    name: str
    argument: int


@dataclass(frozen=True, slots=True)
class Bytecode:
    """The instructions of a function.

    Attributes:
        python: The versions that have such instructions: ``"2.7"``, ``"3.5"`` (and before) or ``"3.6"`` (and 3.7).
        instructions: The instructions, in order.
    """

    python: str
    instructions: tuple[Instruction, ...]


def instructions_of(code: Code, where: str) -> Bytecode:
    """Takes a function apart.

    Nothing in it says whether Python 3.5 or 3.6 wrote it; only one of the two gives instructions whose arguments and
    jumps lead to something.

    Args:
        code: The function.
        where: Whose it is, for messages.

    Raises:
        FormatError: It is not made of instructions of CPython 2.7 or 3.3 to 3.7.
    """
    problems = []
    for python in ("2.7",) if code.major == 2 else ("3.6", "3.5"):
        try:
            found = tuple(_instructions(code, python))
            _check(code, found)
            return Bytecode(python, found)
        except ValueError as error:
            problems.append(f"as Python {python}: {error}")
    raise FormatError(f"{where}: its function cannot be taken apart ({'; '.join(problems)}).")


def _instructions(code: Code, python: str) -> Iterator[Instruction]:
    table = _PYTHON_2 if python == "2.7" else _PYTHON_3
    data, place, start, extension = code.bytecode, 0, 0, 0
    while place < len(data):
        number = data[place]
        if number not in table:
            raise ValueError(f"there is no instruction {number}")
        if python == "3.6":
            size, bits = 2, 8
        else:
            size, bits = (3, 16) if number >= _HAS_ARGUMENT else (1, 0)
        if place + size > len(data):
            raise ValueError("it ends within an instruction")
        argument = int.from_bytes(data[place + 1 : place + size], "little") | extension
        place += size
        if table[number] == "EXTENDED_ARG":
            extension = (argument << bits) & 0xFFFFFFFF
            continue
        if table[number] in _RELATIVE_JUMPS:
            argument += place
        yield Instruction(start, table[number], argument if number >= _HAS_ARGUMENT else 0)
        start, extension = place, 0


def _check(code: Code, found: tuple[Instruction, ...]) -> None:
    if not found or found[-1].name not in {"RETURN_VALUE", "JUMP_ABSOLUTE", "JUMP_FORWARD", "RAISE_VARARGS"}:
        raise ValueError("it does not end by returning")
    starts = {instruction.offset for instruction in found}
    for instruction in found:
        table = _NAMED.get(instruction.name)
        if table is not None and instruction.argument >= len(getattr(code, table)):
            raise ValueError(f"{instruction.name} {instruction.argument} names nothing")
        if instruction.name in _RELATIVE_JUMPS | _ABSOLUTE_JUMPS and instruction.argument not in starts:
            raise ValueError(f"{instruction.name} leads to {instruction.argument}, where no instruction begins")
        if instruction.name == "COMPARE_OP" and instruction.argument >= len(COMPARISONS):
            raise ValueError(f"there is no comparison {instruction.argument}")


def named(code: Code, instruction: Instruction) -> Any:
    """Returns what the argument of an instruction stands for: a constant, a name; a number where it is just that."""
    table = _NAMED.get(instruction.name)
    return instruction.argument if table is None else getattr(code, table)[instruction.argument]


def disassembly(code: Code, bytecode: Bytecode) -> str:
    """Returns the instructions as text, one a line, as far as a person would read.

    Args:
        code: The function.
        bytecode: Its instructions.
    """
    shown = bytecode.instructions[:_MOST_SHOWN]
    lines = [f"{i.offset:>5} {i.name:<22}{_shown_argument(code, i)}".rstrip() for i in shown]
    if len(shown) < len(bytecode.instructions):
        lines.append(f"      ... {len(bytecode.instructions)} instructions in all")
    return "\n".join(lines)


def _shown_argument(code: Code, instruction: Instruction) -> str:
    value = named(code, instruction)
    if instruction.name == "COMPARE_OP":
        return COMPARISONS[value]
    if isinstance(value, Code):
        return f"<function {ascii(value.name)[1:60]}>"
    if instruction.name in _NAMED:
        return ascii(value)[1:-1][:60] if instruction.name != "LOAD_CONST" else reprlib.repr(value)
    return str(value) if value else ""
