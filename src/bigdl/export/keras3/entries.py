"""What a model of Keras 3 is made of while it is written: layers, their calls, and the tensors between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bigdl.formats.spec import StoredArray
from bigdl.graph import Shape

if TYPE_CHECKING:
    from bigdl.export.keras3.network import Network

Arrays = Mapping[str, Sequence[StoredArray]]
"""A layer's arrays by the part of it that holds them: ``""`` for itself, ``"cell"``, ``"layer"``, ..."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the model: an output of one call of a layer.

    Attributes:
        layer: The layer's name.
        call: Which of its calls.
        number: Which output of the call.
        shape: Its shape, batch axis first; None where the length is open.
        dtype: Its dtype.
    """

    layer: str
    call: int
    number: int
    shape: Shape
    dtype: str = "float32"

    def described(self) -> dict[str, Any]:
        """Returns it as Keras 3 writes the arguments of calls."""
        history = [self.layer, self.call, self.number]
        config = {"shape": list(self.shape), "dtype": self.dtype, "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer.

    Attributes:
        arguments: The arguments, tensors among them.
        named: Those that have names.
    """

    arguments: tuple[Any, ...]
    named: Mapping[str, Any] = field(default_factory=dict)

    def tensors(self) -> list[Tensor]:
        """Returns the tensors among the arguments, in order."""
        return list(_tensors([*self.arguments, *self.named.values()]))

    def described(self) -> dict[str, Any]:
        """Returns it as Keras 3 writes it."""
        named = {key: _argument(value) for key, value in self.named.items()}
        return {"args": [_argument(value) for value in self.arguments], "kwargs": named}


@dataclass
class Entry:
    """A layer, an operator or a model inside.

    Attributes:
        module: Where Keras 3 has its class.
        class_name: Its class.
        name: Its name.
        config: Its configuration, without the name.
        arrays: Its arrays.
        kept: How many of them, the last ones, are never trained.
        calls: Its calls.
        outputs: How many tensors a call makes.
        inner: The model that it is, or that it wraps.
        inner_part: The part of it that is that model; ``""`` where it is the model itself.
    """

    module: str
    class_name: str
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)
    kept: int = 0
    calls: list[Call] = field(default_factory=list)
    outputs: int = 1
    inner: Network | None = None
    inner_part: str = ""

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer, or a model, rather than an operator."""
        return ".ops." not in self.module

    def described(self, named: bool = True) -> dict[str, Any]:
        """Returns it as Keras 3 writes objects.

        Args:
            named: Whether its name is in its configuration.
        """
        config: dict[str, Any] = {**self.config, "name": self.name} if named else self.config
        if self.inner is not None:
            config = {**config, self.inner_part: self.inner.described()} if self.inner_part else self.inner.config()
        return serialized(self.module, self.class_name, config)


def serialized(module: str, class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an object as Keras 3 writes it."""
    own = module == "keras" or module.startswith("keras.src")
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": class_name if own else None,
    }


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _argument(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.described()
    if isinstance(value, slice):
        return {"class_name": "__slice__", "config": {"start": value.start, "stop": value.stop, "step": value.step}}
    return [_argument(item) for item in value] if isinstance(value, list | tuple) else value
