"""Several tensors into one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from bigdl.errors import LayerError
from bigdl.graph import Container, Layer, MaskKind, Shape, SymbolicTensor, trials
from bigdl.graph.user_functions import call_user
from bigdl.layers import backend as K
from bigdl.layers.expressions import Expression
from bigdl.layers.functions import (
    Function,
    function_from_config,
    optional_function_from_config,
    part_config,
    takes_mask,
    tried_shapes,
)
from bigdl.layers.merge_masks import joined_kind, joined_mask
from bigdl.layers.settings import epsilon
from bigdl.registry import layer

_MODES = ("sum", "mul", "concat", "ave", "cos", "dot", "max")
_SAME_SHAPE = ("sum", "mul", "ave", "cos", "max")
_STORED = ("mode", "mode_type", "output_shape", "output_shape_type", "output_mask", "output_mask_type")


@layer()
class Merge(Layer):
    """Merges a list of tensors into one.

    Masks:
        joined as the mode does in Keras; refused where it refuses

    Restrictions:
        A function as ``mode``: see Lambda.

    Args:
        layers: The models (or layers that have been applied) whose outputs are merged, for a ``Merge`` that is the
            first layer of a ``Sequential``. Without them the layer is applied to a list of tensors, once.
        mode: ``"sum"``, ``"mul"``, ``"ave"``, ``"max"``, ``"concat"``, ``"dot"`` or ``"cos"``; or a function of the
            list of tensors.
        concat_axis: The axis to join along, the batch being axis 0.
        dot_axes: The axis of each of two tensors that ``dot`` and ``cos`` sum over, or one for both.
        output_shape: With a function as mode, the shape of its output without the batch axis, or a function of the list
            of input shapes that returns it with the batch axis. Found by trying where it is not given.
        output_mask: With a function as mode, a function of the list of masks that gives the output's.
        arguments: Further arguments of the function.
        node_indices: The call of each of ``layers`` whose output is taken; the first by default.
        tensor_indices: The output of that call; the first by default.
        name: ``merge_N`` by default.

    Raises:
        LayerError: There is no such mode, or the outputs of ``layers`` cannot be merged.
    """

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        mode: str | Function = "sum",
        concat_axis: int = -1,
        dot_axes: int | Sequence[int] = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        node_indices: Sequence[int] | None = None,
        tensor_indices: Sequence[int] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not callable(mode) and mode not in _MODES:
            raise self._error(f"mode must be a function or one of {', '.join(_MODES)}. Received: {mode!r}.")
        self.mode = mode
        self.concat_axis = int(concat_axis)
        self.dot_axes = dot_axes
        self.result_shape = output_shape
        self._output_mask = output_mask
        self.arguments = dict(arguments or {})
        self.stored: Mapping[str, Any] | None = None
        self.consumes_mask = callable(mode) and takes_mask(mode)
        self.branches = nn.ModuleList(layers or ())
        if layers:
            nodes, tensors = node_indices or [0] * len(layers), tensor_indices or [0] * len(layers)
            models = frozenset(i for i, layer in enumerate(layers) if isinstance(layer, Container) and nodes[i] == 0)
            self.connect([self._output_of(*which) for which in zip(layers, nodes, tensors, strict=True)], models)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a layer from what ``get_config`` or Keras 1.x returned.

        Raises:
            UnsafeModelError: The mode is a function that could only be had by running the file's bytes.
            UnsupportedLayerError: The mode is a function that is only named, and not given.
        """
        name = str(config.get("name", "merge"))
        rest = {key: value for key, value in config.items() if key not in _STORED}
        parts = {
            key: optional_function_from_config(config.get(key), config.get(f"{key}_type"), name)
            for key in ("output_shape", "output_mask")
        }
        mode, kind = config.get("mode", "sum"), config.get("mode_type")
        if kind in ("raw", None):
            return cls(mode=mode, **parts, **rest)
        made = cls(mode=function_from_config(mode, kind, name, config.get("arguments") or {}), **parts, **rest)
        made.stored = {key: config[key] for key in _STORED if key in config}
        return made

    def _output_of(self, layer: Layer, node: int, tensor: int | None) -> SymbolicTensor:
        if not 0 <= node < len(layer.inbound_nodes):
            raise self._error(f"{layer.name!r} must have been applied to an input. It has no call number {node}.")
        outputs = layer.inbound_nodes[node].outputs
        if not 0 <= (tensor or 0) < len(outputs):
            raise self._error(f"{layer.name!r} has {len(outputs)} outputs. Received: tensor index {tensor}.")
        return outputs[tensor or 0]

    def _error(self, text: str) -> LayerError:
        return LayerError(f"Layer {self.name!r} (Merge): {text}")

    def connect(
        self, inputs: list[SymbolicTensor], unmasked: frozenset[int] = frozenset()
    ) -> SymbolicTensor | list[SymbolicTensor]:
        """Applies the layer to symbolic tensors, which can be done once.

        Raises:
            LayerError: It has been applied before, or these cannot be merged.
        """
        if self.inbound_nodes:
            raise self._error("it has been applied already. Use another Merge, or the function merge(tensors, ...).")
        return super().connect(inputs, unmasked)

    def build(self, input_shape: list[Shape]) -> None:
        """Checks that the inputs can be merged."""
        if not isinstance(input_shape, list) or len(input_shape) < 2:
            raise self._error(f"it needs a list of at least two tensors. Received: shape {input_shape}.")
        self.built_on = input_shape
        if isinstance(self.mode, Expression):
            self._tried(input_shape)
        if self.mode in _SAME_SHAPE and len(set(input_shape)) > 1:
            raise self._error(f"mode {self.mode!r} needs inputs of the same shape. Received: {input_shape}.")
        if self.mode == "concat":
            self._check_concat(input_shape)
        if self.mode in ("dot", "cos"):
            self._check_dot(input_shape)

    def _check_concat(self, shapes: list[Shape]) -> None:
        rank = len(shapes[0])
        if not -rank <= self.concat_axis < rank:
            raise self._error(f"concat_axis={self.concat_axis} is no axis of inputs of rank {rank}: {shapes}.")
        axis = self.concat_axis % rank
        if len({(len(shape), shape[:axis], shape[axis + 1 :]) for shape in shapes}) > 1:
            raise self._error(
                f"mode 'concat' needs inputs of the same shape but for axis {self.concat_axis}. Received: {shapes}."
            )

    def _check_dot(self, shapes: list[Shape]) -> None:
        if len(shapes) != 2 or len(shapes[0]) != len(shapes[1]):
            raise self._error(f"mode {self.mode!r} needs two inputs of the same rank. Received: {shapes}.")
        axes = self.summed_axes(len(shapes[0]))
        if shapes[0][axes[0]] != shapes[1][axes[1]]:
            raise self._error(
                f"mode {self.mode!r} needs the same length on the axes dot_axes={self.dot_axes}. Received: {shapes}."
            )
        self.dot_axes = axes
        sizes = [[n or 2 for n in shape] for shape in shapes]
        try:
            self.forward([torch.zeros(size, device=trials.devices_for(sizes)[0]) for size in sizes])
        except RuntimeError as error:
            raise self._error(f"inputs of shapes {shapes} cannot be multiplied with dot_axes={axes}.") from error

    def summed_axes(self, rank: int) -> list[int]:
        """Returns the axis of each of two tensors of this rank that ``dot`` and ``cos`` sum over.

        Raises:
            LayerError: ``dot_axes`` are no axes of such tensors.
        """
        if isinstance(self.dot_axes, int):
            axes = [self.dot_axes % rank if self.dot_axes < 0 else self.dot_axes] * 2
        else:
            axes = list(self.dot_axes)
        if len(axes) != 2 or not all(isinstance(axis, int) and -rank <= axis < rank for axis in axes):
            raise self._error(f"dot_axes must be two axes of inputs of rank {rank}. Received: {self.dot_axes}.")
        return axes

    def forward(self, x: Sequence[Tensor], mask: Any = None) -> Any:
        """Merges.

        Args:
            x: The tensors.
            mask: Their masks, for a function that takes them.
        """
        if callable(self.mode):
            return call_user(self.mode, x, **self.arguments, **({"mask": mask} if self.consumes_mask else {}))
        if self.mode == "concat":
            return torch.cat(list(x), dim=self.concat_axis)
        if self.mode in ("dot", "cos"):
            return _MATRIX_MODES[self.mode](x[0], x[1], self.summed_axes(x[0].dim()))
        return _VALUE_MODES[self.mode](x)

    def get_output_shape_for(self, input_shape: list[Shape]) -> Any:
        """Returns the output's shape; of ``cos``, as Keras does, without the axis of 1 that the output really has."""
        first, second = input_shape[:2]
        if callable(self.mode):
            return self._shape_of_function(input_shape)
        if self.mode == "concat":
            axis = self.concat_axis % len(first)
            lengths = [shape[axis] for shape in input_shape]
            total = None if None in lengths else sum(length for length in lengths if length is not None)
            return (*first[:axis], total, *first[axis + 1 :])
        if self.mode in ("dot", "cos"):
            axes = self.summed_axes(len(first))
            kept = (*_without(first, axes[0]), *_without(second, axes[1])[1:])
            return kept if len(kept) > 1 else (*kept, 1)
        return first

    def _shape_of_function(self, input_shape: list[Shape]) -> Any:
        if self.result_shape is None:
            return self._tried(input_shape)
        if callable(self.result_shape):
            return tuple(self.result_shape(input_shape))
        return (input_shape[0][0], *self.result_shape)

    def _tried(self, input_shape: list[Shape]) -> Any:
        assert callable(self.mode)
        arguments = {**self.arguments, "mask": [None] * len(input_shape)} if self.consumes_mask else self.arguments
        return tried_shapes(self.mode, arguments, input_shape, f"Layer {self.name!r} (Merge)")

    def mask_kind(self, kinds: list[MaskKind | None]) -> MaskKind | None:
        """Returns the type of the output's mask.

        Raises:
            LayerError: Keras cannot join these masks.
        """
        if callable(self.mode):
            return next(filter(None, kinds), None) if self._output_mask is not None else None
        try:
            return joined_kind(self.mode, kinds, self.concat_axis, self.built_on)
        except LayerError as error:
            raise self._error(str(error)) from None

    def compute_mask(self, x: Sequence[Tensor], mask: Sequence[Tensor | None]) -> Any:
        """Returns the mask of the output.

        Args:
            x: The tensors.
            mask: The mask of each, or None.
        """
        if callable(self.mode):
            return call_user(self._output_mask, mask) if callable(self._output_mask) else self._output_mask
        return joined_mask(self.mode, x, mask, self.concat_axis)

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration: of a function of a file what the file said, else the function's name."""
        return {
            "name": self.name,
            **part_config("mode", "mode_type", self.mode),
            **part_config("output_shape", "output_shape_type", self.result_shape),
            **part_config("output_mask", "output_mask_type", self._output_mask),
            **(self.stored or {}),
            "concat_axis": self.concat_axis,
            "dot_axes": self.dot_axes,
            "arguments": self.arguments,
        }


def _without(shape: Shape, axis: int) -> Shape:
    return tuple(length for i, length in enumerate(shape) if i != axis % len(shape))


def _average(x: Sequence[Tensor]) -> Tensor:
    return functools.reduce(torch.add, x) / len(x)


def _cosine(a: Tensor, b: Tensor, axes: list[int]) -> Tensor:
    """The quotient is taken elementwise, of matrices too, and gets an axis of 1 behind the batch."""
    norms = K.sqrt(K.batch_dot(a, a, axes) * K.batch_dot(b, b, axes))
    return (K.batch_dot(a, b, axes) / norms.clamp(min=epsilon())).unsqueeze(1)


_MATRIX_MODES: Mapping[str, Callable[[Tensor, Tensor, list[int]], Tensor]] = {"dot": K.batch_dot, "cos": _cosine}

_VALUE_MODES: Mapping[str, Callable[[Sequence[Tensor]], Tensor]] = {
    "sum": functools.partial(functools.reduce, torch.add),
    "mul": functools.partial(functools.reduce, torch.mul),
    "max": functools.partial(functools.reduce, K.maximum),
    "ave": _average,
}


def merge(inputs: Sequence[Any], mode: str | Function = "sum", *options: Any, **named: Any) -> Any:
    """Merges tensors, symbolic or of torch; ``Merge`` has the arguments from ``mode`` on."""
    return Merge(None, mode, *options, **named)(list(inputs))
