"""Functions of Lambda and Merge layers as operators of Keras 3: torch follows them, each of its steps is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from bigdl.errors import BigDLError, ExportError
from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.masks import Masks
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import OTHERWISE
from bigdl.export.keras3.weights import weight_like
from bigdl.export.refusals import refused
from bigdl.export.tracing import followed, quiet, reason, shape_of
from bigdl.graph import Layer, Shape
from bigdl.layers import Lambda


@CONVERTERS.of(Lambda)
def lambda_layer(network: Network, layer: Lambda, inputs: Sequence[Tensor], masks: Masks) -> Tensor | list[Tensor]:
    """Operators.

    Restrictions:
        Functions of simple steps: arithmetic, with arrays too, elementwise functions, sums and means, parts, changes of
        shape.
    """
    return traced(network, layer, inputs)


def traced(network: Network, layer: Layer, inputs: Sequence[Tensor]) -> Tensor | list[Tensor]:
    """Writes what a layer computes as operators.

    Args:
        network: The network.
        layer: The layer.
        inputs: What it is applied to.

    Raises:
        ExportError: A step of its function has no form here.
    """
    program = _followed(layer, inputs)
    signature = program.graph_signature
    given: dict[str, Any] = dict(zip(map(str, signature.user_inputs), inputs, strict=True))
    given.update((name, program.constants[key]) for name, key in signature.inputs_to_lifted_tensor_constants.items())
    values: dict[Node, Any] = {}
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name not in given:
            raise _refused(layer, "it uses weights of other layers")
        if node.op == "placeholder":
            values[node] = given[node.name]
        elif node.op == "output":
            outputs: Any = node.args[0]
            made = [values[each] for each in outputs]
            return made if len(made) > 1 else made[0]
        else:
            values[node] = _written(network, layer, node, values)
    raise AssertionError("a graph of torch ends in its output")


def _followed(layer: Layer, inputs: Sequence[Tensor]) -> ExportedProgram:
    def run(*tensors: torch.Tensor) -> Any:
        return layer.run(tensors[0] if len(tensors) == 1 else list(tensors), None, False)[0]

    try:
        with quiet():
            program = followed(run, [(tensor.shape, getattr(torch, tensor.dtype)) for tensor in inputs])
            simplified: ExportedProgram = program.run_decompositions()
            return simplified
    except BigDLError:
        raise
    except Exception as error:  # torch raises many kinds
        raise _refused(layer, f"torch cannot follow it: {reason(error)}") from error


def _refused(layer: Layer, why: str) -> ExportError:
    return refused(layer, f"computes with a function that cannot be written for Keras 3: {why}", OTHERWISE)


def _written(network: Network, layer: Layer, node: Node, values: dict[Node, Any]) -> Any:
    name = str(node.target).removeprefix("aten.")
    arguments = [values.get(each, each) if isinstance(each, Node) else _filled(each, values) for each in node.args]
    if name == "sym_size.int":
        return -1  # of a length to be found out
    if not _tensors(arguments) and callable(node.target):
        return node.target(*arguments, **node.kwargs)  # a constant
    if name in _ELEMENTWISE:
        beside = next((each for each in arguments if isinstance(each, Tensor) and each.dtype == "float32"), None)
        arguments = [_constant(network, layer, node, each, beside) for each in arguments]
    arguments = [each.tolist() if isinstance(each, torch.Tensor) else each for each in arguments]
    result = node.meta["val"]
    shape = shape_of(result)
    dtype = str(result.dtype).removeprefix("torch.")

    def op(class_name: str, *operands: Any, **config: Any) -> Tensor:
        return network.op(class_name, *operands, owner=layer.name, shape=shape, dtype=dtype, **config)

    if name in _SAME:
        return arguments[0]
    if name in _PLAIN:
        return op(_PLAIN[name], *arguments[: 2 if name.endswith(("Tensor", "Scalar")) or name in _BINARY else 1])
    write = _OPERATORS.get(name)
    if write is None:
        raise _refused(layer, f"for its step {name} there is no form here")
    return write(op, shape, *arguments, **node.kwargs)


def _constant(network: Network, layer: Layer, node: Node, value: Any, beside: Tensor | None) -> Any:
    """Returns an array as a tensor of the shape of the one beside it, as Keras 3's arithmetic takes no arrays."""
    if not isinstance(value, torch.Tensor):
        return value
    if value.numel() == 1:
        return value.item()
    lengths = beside.shape if beside is not None else ()
    shape = (1,) * (len(lengths) - value.dim()) + tuple(value.shape)
    if len(shape) > len(lengths) or shape[0] > 1 or any(n not in (1, m) for n, m in zip(shape, lengths, strict=True)):
        raise _refused(layer, f"it computes with an array of shape {tuple(value.shape)} beside none of such a shape")
    assert beside is not None
    axes = [axis for axis, length in enumerate(shape) if length > 1]
    return weight_like(network, beside, f"{layer.name}_{node.name}", value.squeeze(), axes, trainable=False)


def _filled(value: Any, values: dict[Node, Any]) -> Any:
    if isinstance(value, list | tuple):
        return [values[item] if isinstance(item, Node) else item for item in value]
    return value


def _tensors(value: Any) -> bool:
    """Tells whether there are tensors of the network among arguments."""
    return isinstance(value, Tensor) or (isinstance(value, list | tuple) and any(map(_tensors, value)))


Op = Callable[..., Tensor]

_SAME = {"clone.default", "alias.default", "_to_copy.default", "detach.default", "contiguous.default"}
_BINARY = {"maximum.default", "minimum.default", "pow.Tensor_Scalar", "pow.Tensor_Tensor"}
_PLAIN = {
    "sub.Tensor": "Subtract",
    "mul.Tensor": "Multiply",
    "mul.Scalar": "Multiply",
    "div.Tensor": "TrueDivide",
    "div.Scalar": "TrueDivide",
    "pow.Tensor_Scalar": "Power",
    "pow.Tensor_Tensor": "Power",
    "maximum.default": "Maximum",
    "minimum.default": "Minimum",
    "neg.default": "Negative",
    "abs.default": "Absolute",
    "exp.default": "Exp",
    "log.default": "Log",
    "sqrt.default": "Sqrt",
    "sin.default": "Sin",
    "cos.default": "Cos",
    "tanh.default": "Tanh",
    "floor.default": "Floor",
    "ceil.default": "Ceil",
    "round.default": "Round",
    "sign.default": "Sign",
    "sigmoid.default": "Sigmoid",
    "relu.default": "Relu",
    "gt.Scalar": "Greater",
    "gt.Tensor": "Greater",
    "ge.Scalar": "GreaterEqual",
    "ge.Tensor": "GreaterEqual",
    "lt.Scalar": "Less",
    "lt.Tensor": "Less",
    "le.Scalar": "LessEqual",
    "le.Tensor": "LessEqual",
    "ne.Scalar": "NotEqual",
    "eq.Scalar": "Equal",
}
"""Operators of torch that take the same arguments as one of Keras 3."""
_ELEMENTWISE = {*_PLAIN, "add.Tensor", "where.self"}


def _add(op: Op, shape: Shape, x: Any, y: Any, alpha: float = 1) -> Tensor:
    return op("Add", x, op("Multiply", y, alpha) if alpha != 1 else y)


def _reversed_subtract(op: Op, shape: Shape, x: Any, y: Any, alpha: float = 1) -> Tensor:
    return op("Subtract", y, op("Multiply", x, alpha) if alpha != 1 else x)


def _clamp(op: Op, shape: Shape, x: Tensor, least: float | None = None, most: float | None = None) -> Tensor:
    x = x if least is None else op("Maximum", x, least)
    return x if most is None else op("Minimum", x, most)


def _reduction(class_name: str) -> Callable[..., Tensor]:
    def write(op: Op, shape: Shape, x: Tensor, axes: Any = None, keepdims: bool = False, **_: Any) -> Tensor:
        axis = list(range(len(x.shape))) if axes in (None, []) else axes
        return op(class_name, x, axis=axis, keepdims=keepdims)

    return write


def _slice(
    op: Op, shape: Shape, x: Tensor, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    most = None if end is None or end >= 2**31 else end
    key = [slice(None)] * (axis % len(x.shape)) + [slice(start, most, step)]
    return op("GetItem", x, key)


def _select(op: Op, shape: Shape, x: Tensor, axis: int, index: int) -> Tensor:
    return op("GetItem", x, [slice(None)] * (axis % len(x.shape)) + [index])


def _index_select(op: Op, shape: Shape, x: Tensor, axis: int, index: Any) -> Tensor:
    return op("Take", x, index, axis=axis)


def _index(op: Op, shape: Shape, x: Tensor, indices: Sequence[Any]) -> Tensor:
    given = [(axis, index) for axis, index in enumerate(indices) if index is not None]
    (axis, index), *others = given
    if others:
        raise NotImplementedError
    return op("Take", x, index.tolist() if isinstance(index, torch.Tensor) else index, axis=axis)


def _squeeze(op: Op, shape: Shape, x: Tensor, axes: Any) -> Tensor:
    return op("Squeeze", x, axis=axes)


_OPERATORS: dict[str, Callable[..., Tensor]] = {
    "add.Tensor": _add,
    "add.Scalar": _add,
    "rsub.Scalar": _reversed_subtract,
    "clamp.default": _clamp,
    "clamp_min.default": _clamp,
    "rsqrt.default": lambda op, shape, x: op("TrueDivide", 1.0, op("Sqrt", x)),
    "reciprocal.default": lambda op, shape, x: op("TrueDivide", 1.0, x),
    "mean.dim": _reduction("Mean"),
    "sum.dim_IntList": _reduction("Sum"),
    "amax.default": _reduction("Max"),
    "amin.default": _reduction("Min"),
    "prod.dim_int": _reduction("Prod"),
    "_softmax.default": lambda op, shape, x, axis, _: op("Softmax", x, axis=axis),
    "cat.default": lambda op, shape, parts, axis=0: op("Concatenate", parts, axis=axis),
    "permute.default": lambda op, shape, x, axes: op("Transpose", x, axes=axes),
    "unsqueeze.default": lambda op, shape, x, axis: op("ExpandDims", x, axis=axis),
    "squeeze.dim": _squeeze,
    "squeeze.dims": _squeeze,
    "view.default": lambda op, shape, x, lengths: op("Reshape", x, newshape=[-1 if n is None else n for n in shape]),
    "flip.default": lambda op, shape, x, axes: op("Flip", x, axis=axes),
    "slice.Tensor": _slice,
    "select.int": _select,
    "index_select.default": _index_select,
    "index.Tensor": _index,
    "where.self": lambda op, shape, condition, x, y: op("Where", condition, x, y),
}
