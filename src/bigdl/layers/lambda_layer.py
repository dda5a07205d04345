"""A function as a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from bigdl.errors import LayerError
from bigdl.graph import Layer
from bigdl.graph.tensor import Shapes
from bigdl.graph.user_functions import call_user
from bigdl.layers.expressions import Expression
from bigdl.layers.functions import (
    Function,
    function_from_config,
    optional_function_from_config,
    part_config,
    takes_mask,
    tried_shapes,
)
from bigdl.registry import layer

_STORED = ("function", "function_type", "output_shape", "output_shape_type")


@layer()
class Lambda(Layer):
    """Any function of tensors as a layer.

    Of a file, the function is the user's own (``custom_objects`` by the layer's name or the function's), or is
    understood from its bytes without running them; else loading fails with ``UnsafeModelError``.

    Restrictions:
        A file's function is never run: it is the user's own, or one that is simple enough to be understood without.

    Args:
        function: A function of a torch tensor, or of a list of them where the layer has several inputs.
        output_shape: The shape of its output without the batch axis, or a function that returns it with the batch axis,
            given the input's. Found by trying where it is not given.
        arguments: Further arguments of the function.
        kwargs: See ``Layer``.
    """

    def __init__(
        self,
        function: Function,
        output_shape: Sequence[int | None] | Callable[[Any], Any] | None = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise LayerError(f"Layer {self.name!r} (Lambda) needs a function. Received: {function!r}.")
        self.function = function
        self.result_shape = output_shape
        self.arguments = dict(arguments or {})
        self.stored: Mapping[str, Any] | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a layer from what ``get_config`` or Keras 1.x returned; see the class for its function.

        Raises:
            UnsafeModelError: The function could only be had by running the file's bytes.
            UnsupportedLayerError: The function is only named, and not given.
        """
        name, arguments = str(config.get("name", "lambda")), config.get("arguments") or {}
        rest = {key: value for key, value in config.items() if key not in _STORED}
        bound = {**arguments, "mask": None}
        function = function_from_config(config.get("function"), config.get("function_type"), name, bound)
        shape = optional_function_from_config(config.get("output_shape"), config.get("output_shape_type"), name)
        made = cls(function, output_shape=shape, **rest)
        made.stored = {key: config[key] for key in _STORED if key in config}
        return made

    def build(self, input_shape: Shapes) -> None:
        """Tries a function of a file on such an input, before it could make too much of a real one."""
        if isinstance(self.function, Expression):
            self._tried(input_shape)

    def forward(self, x: Any) -> Any:
        """Applies the function."""
        return call_user(self.function, x, **self._arguments())

    def get_output_shape_for(self, input_shape: Shapes) -> Shapes:
        """Returns the output's shape(s)."""
        if self.result_shape is None:
            return self._tried(input_shape)
        if callable(self.result_shape):
            return tuple(self.result_shape(input_shape))
        batch = input_shape[0][0] if isinstance(input_shape, list) else input_shape[0]
        return (batch, *self.result_shape)

    def _arguments(self) -> dict[str, Any]:
        # Keras never hands a mask to a Lambda: it refuses masked inputs.
        return {**self.arguments, "mask": None} if takes_mask(self.function) else self.arguments

    def _tried(self, input_shape: Shapes) -> Shapes:
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        return tried_shapes(self.function, self._arguments(), shapes, f"Layer {self.name!r} (Lambda)")

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration: of a layer of a file what the file said, else the functions' names."""
        config = {**super().get_config(), "arguments": self.arguments}
        if self.stored is not None:
            return {**config, **self.stored}
        return {
            **config,
            **part_config("function", "function_type", self.function),
            **part_config("output_shape", "output_shape_type", self.result_shape),
        }
