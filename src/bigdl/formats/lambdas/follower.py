"""From the instructions of a Lambda's function to what it computes, without running it.

The instructions are followed on symbols: the input stands for itself, and what would be computed from it is noted as
steps. Numbers, tuples and lists of the function's own are computed here, within bounds, so that loops over ``range(3)``
and choices by an argument are followed too. Whatever else a function may do (other globals, branches on a tensor's
values, attributes set, functions made) is not understood, and then nothing of it is used.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from bigdl.formats.lambdas.bytecode import COMPARISONS, Bytecode, named
from bigdl.formats.lambdas.code import Code
from bigdl.formats.lambdas.machine import Machine
from bigdl.formats.lambdas.program import Program, Ref, Slice
from bigdl.formats.lambdas.values import (
    MODULES,
    MOST_ITEMS,
    Loop,
    Name,
    NotUnderstoodError,
    attribute,
    outer,
    plain,
    small,
)

_MOST_INSTRUCTIONS = 5000

_OPERATORS = {
    "ADD": "add",
    "SUBTRACT": "subtract",
    "MULTIPLY": "multiply",
    "TRUE_DIVIDE": "divide",
    "DIVIDE": "divide_2",
    "FLOOR_DIVIDE": "floor_divide",
    "MODULO": "modulo",
    "POWER": "power",
    "MATRIX_MULTIPLY": "matmul",
}


def understand(
    code: Code,
    bytecode: Bytecode,
    values: Mapping[str, Any],
    closure: Sequence[Any],
    known: Container[str],
    facts: Mapping[str, Any],
) -> Program:
    """Follows a function of one input.

    Args:
        code: The function; its first argument is the input.
        bytecode: Its instructions.
        values: The values of its other arguments.
        closure: The values of its free variables.
        known: The functions that steps may call.
        facts: What calls without arguments return, e.g. ``{"K.epsilon": 1e-7}``.

    Raises:
        NotUnderstoodError: It does something else.
    """
    if code.variadic or not code.arguments:
        raise NotUnderstoodError("it takes any number of arguments" if code.variadic else "it takes no argument")
    if len(closure) != len(code.free):
        raise NotUnderstoodError("the values of its free variables are not in the file")
    variables: dict[str, Any] = {code.arguments[0]: Ref(0)}
    for name in code.arguments[1:]:
        if name not in values:
            raise NotUnderstoodError(f"its argument {name!r} has no value")
        variables[name] = plain(values[name])
    cells = dict(zip(code.free, map(plain, closure), strict=True))
    return _follow(code, bytecode, Machine(bytecode, variables, cells, known, facts))


def _follow(code: Code, bytecode: Bytecode, machine: Machine) -> Program:
    for _ in range(_MOST_INSTRUCTIONS):
        if machine.next >= len(bytecode.instructions) or len(machine.stack) > MOST_ITEMS:
            break
        instruction = bytecode.instructions[machine.next]
        machine.next += 1
        kind, _, operation = instruction.name.partition("_")
        if instruction.name == "RETURN_VALUE":
            return machine.returned()
        if kind in ("BINARY", "INPLACE") and operation in _OPERATORS:
            left, right = machine.pops(2)
            machine.push(machine.binary(_OPERATORS[operation], left, right))
        elif instruction.name in _RULES:
            _RULES[instruction.name](machine, named(code, instruction))
        else:
            raise NotUnderstoodError(f"it has the instruction {instruction.name}")
    raise NotUnderstoodError("it goes on for too long")


def _negative(machine: Machine, _: Any) -> None:
    machine.push(machine.binary("multiply", machine.pop(), -1))


def _load_fast(machine: Machine, name: str) -> None:
    if name not in machine.variables:
        raise NotUnderstoodError(f"its variable {name!r} has no value")
    machine.push(machine.variables[name])


def _load_deref(machine: Machine, name: str) -> None:
    if name not in machine.cells:
        raise NotUnderstoodError(f"it shares its variable {name!r} with a function inside it")
    machine.push(machine.cells[name])


def _store_fast(machine: Machine, name: str) -> None:
    machine.variables[name] = machine.pop()


def _import_name(machine: Machine, name: str) -> None:
    wanted = machine.pops(2)[1]  # the names after "import", None for a plain "import a.b"
    path = name if wanted else name.partition(".")[0]
    if path not in MODULES:
        raise NotUnderstoodError(f"it imports {name}")
    machine.push(Name(MODULES[path]))


def _import_from(machine: Machine, name: str) -> None:
    module = machine.pop()
    machine.push(module, attribute(module, name))


def _dup_top(machine: Machine, _: Any) -> None:
    value = machine.pop()
    machine.push(value, value)


def _rot_three(machine: Machine, _: Any) -> None:
    first, second, third = machine.pops(3)
    machine.push(third, first, second)


def _build_slice(machine: Machine, count: int) -> None:
    if count not in (2, 3):
        raise NotUnderstoodError("its instructions do not fit together")
    start, stop, step = [*machine.pops(count), None][:3]
    machine.push(Slice(start, stop, step))


def _slice_2(parts: int) -> Callable[[Machine, Any], None]:
    """Returns the rule of Python 2's ``SLICE+n``: bit 1 for a start, bit 2 for a stop on the stack."""

    def rule(machine: Machine, _: Any) -> None:
        stop = machine.pop() if parts & 2 else None
        start = machine.pop() if parts & 1 else None
        machine.push(machine.subscript(machine.pop(), Slice(start, stop, None)))

    return rule


def _subscript(machine: Machine, _: Any) -> None:
    owner, index = machine.pops(2)
    machine.push(machine.subscript(owner, index))


def _compare(machine: Machine, number: int) -> None:
    left, right = machine.pops(2)
    machine.push(machine.compare(COMPARISONS[number], left, right))


def _call(machine: Machine, count: int) -> None:
    pairs: list[Any] = []
    if machine.python != "3.6":  # the upper byte counts the keywords, each a name and a value
        count, named_arguments = count & 0xFF, count >> 8
        pairs = machine.pops(2 * named_arguments)
    arguments = machine.pops(count)
    machine.push(machine.call(machine.pop(), arguments, _keywords(pairs[::2], pairs[1::2])))


def _call_with_names(machine: Machine, count: int) -> None:
    if machine.python != "3.6":
        raise NotUnderstoodError("it calls a function with **keywords")
    names, values = machine.pop(), machine.pops(count)
    if not isinstance(names, tuple) or len(names) > count:
        raise NotUnderstoodError("its instructions do not fit together")
    cut = count - len(names)
    machine.push(machine.call(machine.pop(), values[:cut], _keywords(names, values[cut:])))


def _keywords(names: Sequence[Any], values: Sequence[Any]) -> dict[str, Any]:
    if not all(isinstance(name, str) for name in names):
        raise NotUnderstoodError("its instructions do not fit together")
    return dict(zip(names, values, strict=True))


def _unpack(machine: Machine, count: int) -> None:
    owner = machine.pop()
    if isinstance(owner, tuple | list) and len(owner) != count:
        raise NotUnderstoodError(f"it takes {count} values out of {len(owner)}")
    for i in reversed(range(count)):
        machine.push(machine.subscript(owner, i))


def _iterate(machine: Machine, _: Any) -> None:
    items = machine.pop()
    if not isinstance(items, tuple | list):
        raise NotUnderstoodError("it loops over what data decides")
    machine.push(Loop(iter(tuple(items))))


def _for(machine: Machine, end: int) -> None:
    loop = machine.pop()
    if not isinstance(loop, Loop):
        raise NotUnderstoodError("its instructions do not fit together")
    try:
        machine.push(loop, next(loop.items))
    except StopIteration:
        machine.jump(end)


def _end_block(machine: Machine) -> tuple[int, int]:
    if not machine.blocks:
        raise NotUnderstoodError("its instructions do not fit together")
    return machine.blocks.pop()


def _pop_block(machine: Machine, _: Any) -> None:
    _end_block(machine)


def _break(machine: Machine, _: Any) -> None:
    end, depth = _end_block(machine)
    machine.pops(len(machine.stack) - depth)
    machine.jump(end)


def _jump_if(wanted: bool, keep: bool) -> Callable[[Machine, int], None]:
    """Returns the rule of a jump on a condition; ``keep`` leaves the condition's value there if it jumps."""

    def rule(machine: Machine, offset: int) -> None:
        value = machine.pop()
        if machine.truth(value) == wanted:
            machine.jump(offset)
            if keep:
                machine.push(value)

    return rule


_RULES: Mapping[str, Callable[[Machine, Any], Any]] = {
    "POP_TOP": lambda m, _: m.pops(1),
    "NOP": lambda m, _: None,
    "DUP_TOP": _dup_top,
    "ROT_TWO": lambda m, _: m.push(*reversed(m.pops(2))),
    "ROT_THREE": _rot_three,
    "LOAD_CONST": lambda m, value: m.push(plain(value)),
    "LOAD_FAST": _load_fast,
    "STORE_FAST": _store_fast,
    "LOAD_DEREF": _load_deref,
    "LOAD_GLOBAL": lambda m, name: m.push(outer(name)),
    "LOAD_ATTR": lambda m, name: m.push(attribute(m.pop(), name)),
    "LOAD_METHOD": lambda m, name: m.push(attribute(m.pop(), name)),
    "IMPORT_NAME": _import_name,
    "IMPORT_FROM": _import_from,
    "UNARY_NEGATIVE": _negative,
    "UNARY_POSITIVE": lambda m, _: None,
    "UNARY_NOT": lambda m, _: m.push(not m.truth(m.pop())),
    "BINARY_SUBSCR": _subscript,
    "BUILD_SLICE": _build_slice,
    "SLICE+0": _slice_2(0),
    "SLICE+1": _slice_2(1),
    "SLICE+2": _slice_2(2),
    "SLICE+3": _slice_2(3),
    "BUILD_TUPLE": lambda m, count: m.push(small(tuple(m.pops(count)))),
    "BUILD_LIST": lambda m, count: m.push(small(m.pops(count))),
    "UNPACK_SEQUENCE": _unpack,
    "COMPARE_OP": _compare,
    "CALL_FUNCTION": _call,
    "CALL_FUNCTION_KW": _call_with_names,
    "CALL_METHOD": _call,
    "GET_ITER": _iterate,
    "FOR_ITER": _for,
    "SETUP_LOOP": lambda m, end: m.blocks.append((end, len(m.stack))),
    "POP_BLOCK": _pop_block,
    "BREAK_LOOP": _break,
    "JUMP_FORWARD": lambda m, offset: m.jump(offset),
    "JUMP_ABSOLUTE": lambda m, offset: m.jump(offset),
    "CONTINUE_LOOP": lambda m, offset: m.jump(offset),
    "POP_JUMP_IF_FALSE": _jump_if(False, keep=False),
    "POP_JUMP_IF_TRUE": _jump_if(True, keep=False),
    "JUMP_IF_FALSE_OR_POP": _jump_if(False, keep=True),
    "JUMP_IF_TRUE_OR_POP": _jump_if(True, keep=True),
}
