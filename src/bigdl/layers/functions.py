"""Functions as parts of layers: Lambda's, and those of a Merge."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch

from bigdl.errors import LayerError
from bigdl.graph import Shape, trials
from bigdl.graph.tensor import Shapes
from bigdl.graph.user_functions import call_user
from bigdl.layers.expressions import FUNCTIONS, MOST_VALUES, Expression
from bigdl.layers.settings import epsilon, image_dim_ordering
from bigdl.registry.functions import FunctionName, Vocabulary, load_function, own_function

Function = Callable[..., Any]

_REMEDY = "Give output_shape, or another function with custom_objects={layer's name: function}."


def function_from_config(value: Any, kind: str | None, layer: str, arguments: Mapping[str, Any]) -> Function:
    """Returns the function that a layer's configuration holds; see ``bigdl.registry.functions.load_function``."""
    facts = {
        "K.epsilon": epsilon(),
        "K.image_dim_ordering": image_dim_ordering(),
        "K.floatx": "float32",
        "K.backend": "tensorflow",
    }
    found = load_function(value, kind, layer, arguments, Vocabulary(FUNCTIONS.keys(), facts))
    return found if callable(found) else Expression(found)


def optional_function_from_config(value: Any, kind: str | None, layer: str) -> Any:
    """Returns what a configuration holds where a function is one of the possibilities (``output_shape``, ...).

    Args:
        value: The value, or a function's name or code.
        kind: ``"raw"`` for a value, ``"function"`` for a name, ``"lambda"`` for code.
        layer: The layer's name.

    Returns:
        The value, or the user's own function of that name; None for a function that is not given.
    """
    return value if kind in ("raw", None) else own_function(value, kind, layer)


def part_config(key: str, kind_key: str, value: Any) -> dict[str, Any]:
    """Returns what a configuration says of a value or a user's function: of that its name, never its code."""
    if not callable(value):
        return {key: value, kind_key: "raw"}
    return {key: FunctionName.of(value), kind_key: "function"}


def takes_mask(function: Function) -> bool:
    """Tells whether a function has an argument ``mask``, as Keras looks for it."""
    try:
        return "mask" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # built-in functions have no signature
        return False


def tried_shapes(function: Function, arguments: Mapping[str, Any], shapes: list[Shape], where: str) -> Shapes:
    """Returns the shape of what a function returns, found by applying it to tensors without values, or of zeros.

    It is tried on two sizes of everything open; where its results differ, the result is open too.

    Args:
        function: A function of a tensor, or of a list of tensors where there are several shapes.
        arguments: Its other arguments.
        shapes: The input's shape, or those of the inputs.
        where: Whose function it is, for messages.

    Raises:
        LayerError: It cannot be applied to such inputs.
    """
    if isinstance(function, Expression) and function.keeps_shape and len(shapes) == 1:
        return shapes[0]
    results = []
    for batch, length in trials.LENGTHS:
        sizes = [tuple((length if i else batch) if n is None else n for i, n in enumerate(shape)) for shape in shapes]
        results.append(_tried(function, arguments, sizes, where))
    first, second = results
    if [len(shape) for shape in first] != [len(shape) for shape in second]:
        raise LayerError(f"{where}: the rank of its function's result depends on the input's size. {_REMEDY}")
    joined: list[Shape] = [
        tuple(a if a == b else None for a, b in zip(one, other, strict=True))
        for one, other in zip(first, second, strict=True)
    ]
    return joined if len(joined) > 1 else joined[0]


def _tried(
    function: Function, arguments: Mapping[str, Any], sizes: list[tuple[int, ...]], where: str
) -> list[tuple[int, ...]]:
    careful = isinstance(function, Expression) or sum(map(math.prod, sizes)) > MOST_VALUES
    devices = ("meta",) if careful else trials.devices_for(sizes)
    problem: Exception | None = None
    for device in devices:
        inputs = [torch.zeros(size, device=device) for size in sizes]
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]), torch.device(device):  # for tensors it makes
                y = call_user(function, inputs if len(inputs) > 1 else inputs[0], **arguments)
            outputs = list(y) if isinstance(y, list | tuple) else [y]
            return [tuple(output.shape) for output in outputs]
        except Exception as error:  # whatever a user's function raises
            problem = error
    shown = sizes if len(sizes) > 1 else sizes[0]
    raise LayerError(
        f"{where}: its function cannot be applied to an input of shape {shown}: {problem}. {_REMEDY}"
    ) from problem
