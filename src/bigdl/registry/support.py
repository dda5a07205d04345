"""The page of supported layers, made from what is registered: ``bigdl layers``, ``docs/layers.md``."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator

from bigdl.graph import Layer
from bigdl.registry.classes import Entry, entry_for, supported_layers

_COMMON = ("name", "trainable", "input_shape", "batch_input_shape", "input_dtype", "weights")
_PAGE = """\
# Supported layers

The {number} classes that model files may name, and the arguments that their configurations may have, as in Keras 1.2.2.
Every layer takes {common} too.

*Rank* is that of the input, batch axis included. *Masks* says what becomes of the mask of the input; where it is
refused, the model cannot be built, as in Keras. A class that is not here is added with `custom_objects=` or
`register_layer`.

This page is made from the layers themselves, by `make docs`.

| layer | arguments | rank | masks | restrictions |
|---|---|---|---|---|
{rows}
"""


def support_page() -> str:
    """Returns the page, in Markdown."""
    entries = [entry for entry in map(entry_for, supported_layers()) if entry is not None]
    common = ", ".join(f"`{name}`" for name in _COMMON[:-1]) + f" and `{_COMMON[-1]}`"
    return _PAGE.format(number=len(entries), common=common, rows="\n".join(map(_row, entries)))


def arguments_of(layer_class: type[Layer]) -> list[inspect.Parameter]:
    """Returns the arguments of a layer's constructor that not every layer has, with those that go to its bases.

    A constructor that hands ``**kwargs`` on takes what the next one takes, except what it gives to it by itself.

    Args:
        layer_class: The layer.
    """
    found: dict[str, inspect.Parameter] = {}
    hidden = set(_COMMON)
    if getattr(layer_class, "rank", None) == 1:
        hidden.add("dim_ordering")  # sequences have no ordering in Keras
    for cls in _constructors(layer_class):
        parameters = list(inspect.signature(cls).parameters.values())
        named = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
        found.update((each.name, each) for each in named if each.name not in {*hidden, *found})
        if len(named) == len(parameters):
            break
        hidden.update(_given_to_base(cls))
    return list(found.values())


def _constructors(layer_class: type[Layer]) -> list[type[Layer]]:
    bases = [cls for cls in layer_class.__mro__ if issubclass(cls, Layer) and "__init__" in cls.__dict__]
    return bases[: bases.index(Layer)]


def _given_to_base(cls: type[Layer]) -> Iterator[str]:
    """Gives the names of the arguments that a constructor writes out when it calls the next one."""
    following = next(base for base in cls.__mro__[1:] if "__init__" in base.__dict__)
    names = list(inspect.signature(following).parameters)
    for call in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(cls)))):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
            yield from names[: len(call.args)]
            yield from (word.arg for word in call.keywords if word.arg)


def _row(entry: Entry) -> str:
    cls = entry.layer_class
    if cls is None:
        return f"| {entry.class_name} | (made by a function) | | | |"
    arguments = ", ".join(map(_argument, arguments_of(cls)))
    ranks = ", ".join(map(str, cls.input_ndim or ())) or "any"
    restrictions = _section(cls, "Restrictions")
    cells = [entry.class_name, f"`{arguments}`" if arguments else "", ranks, _masks(cls), restrictions]
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def _argument(parameter: inspect.Parameter) -> str:
    required = parameter.default is parameter.empty
    return parameter.name if required else f"{parameter.name}={parameter.default!r}"


def _masks(cls: type[Layer]) -> str:
    if text := _section(cls, "Masks"):
        return text
    if cls.creates_mask:
        return "made"
    return "passed on" if cls.supports_masking else "refused"


def _section(cls: type[Layer], title: str) -> str:
    """Returns a section of the docstring of a layer, or of the nearest of its bases that has it, in one line."""
    for base in cls.__mro__:
        match = re.search(rf"^{title}:\n((?:    .*\n?)+)", inspect.cleandoc(base.__doc__ or ""), re.MULTILINE)
        if match:
            return " ".join(match.group(1).replace("``", "`").split())
    return ""
