"""A model of Keras 3 while it is written: its layers, their calls, and where its file keeps their arrays."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bigdl.export.keras3.entries import Arrays, Call, Entry, Tensor, serialized
from bigdl.export.keras3.order import layer_order
from bigdl.formats.spec import StoredArray
from bigdl.graph import Shape

# Operators that Keras keeps apart from those of NumPy's names.
_NN = {"Relu", "Sigmoid", "Softplus", "Softmax", "Elu"}


class Network:
    """A graph of layers.

    Args:
        name: The model's name.
        trainable: Whether the model is.
        hands_masks_on: See below.

    Attributes:
        entries: The layers, operators and models by name.
        inputs: The inputs.
        outputs: The outputs.
        hands_masks_on: Whether Keras 3 is left to hand masks on by itself; else they are given to layers as tensors.
    """

    def __init__(self, name: str, trainable: bool = True, hands_masks_on: bool = True) -> None:
        self.name = name
        self.trainable = trainable
        self.entries: dict[str, Entry] = {}
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.hands_masks_on = hands_masks_on
        self._scope: tuple[str, ...] = ()

    # Building.

    @contextlib.contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Puts a name before the names of what is added inside the block."""
        before = self._scope
        self._scope = (*before, name)
        try:
            yield
        finally:
            self._scope = before

    def input(self, name: str, shape: Shape, dtype: str) -> Tensor:
        """Adds an input."""
        entry = Entry("keras.layers", "InputLayer", self._unique(name), {"batch_shape": list(shape), "dtype": dtype})
        self.entries[entry.name] = entry
        self.inputs.append(Tensor(entry.name, 0, 0, shape, dtype))
        return self.inputs[-1]

    def layer(
        self,
        class_name: str,
        name: str,
        config: Mapping[str, Any],
        inputs: Tensor | Sequence[Tensor],
        shape: Shape,
        arrays: Arrays | None = None,
        **named: Any,
    ) -> Tensor:
        """Calls a layer, which is added at its first call.

        Args:
            class_name: Its class in ``keras.layers``.
            name: Its name.
            config: Its configuration.
            inputs: What it is called on.
            shape: The shape of its output.
            arrays: Its arrays.
            named: Other arguments of the call.
        """
        entry = Entry("keras.layers", class_name, name, dict(config), arrays or {})
        return self.call(entry, inputs, [shape], **named)[0]

    def call(
        self, entry: Entry, inputs: Tensor | Sequence[Tensor], shapes: Sequence[Shape], **named: Any
    ) -> list[Tensor]:
        """Calls a layer or a model, which is added at its first call; returns its outputs."""
        name = self._full(entry.name)
        entry = self.entries.setdefault(name, replace(entry, name=name))
        entry.outputs = len(shapes)
        entry.calls.append(Call((inputs if isinstance(inputs, Tensor) else list(inputs),), named))
        return [Tensor(entry.name, len(entry.calls) - 1, i, shape) for i, shape in enumerate(shapes)]

    def op(
        self, class_name: str, *arguments: Any, owner: str, shape: Shape, dtype: str = "float32", **config: Any
    ) -> Tensor:
        """Applies an operator of ``keras.ops``.

        Args:
            class_name: Its class, as in ``Add``.
            arguments: What it is applied to: tensors and numbers.
            owner: The name of the layer that it is a part of.
            shape: The shape of the result.
            dtype: The dtype of the result.
            config: The operator's other arguments.
        """
        module = "keras.src.ops.nn" if class_name in _NN else "keras.src.ops.numpy"
        name = self._unique(f"{owner}_{snake_case(class_name)}")
        self.entries[name] = Entry(module, class_name, name, dict(config), calls=[Call(arguments)])
        return Tensor(name, 0, 0, shape, dtype)

    def _full(self, name: str) -> str:
        return re.sub("[/.]", "_", "_".join((*self._scope, name)))  # as Keras 3 refuses these signs

    def _unique(self, name: str) -> str:
        name = self._full(name)
        numbered = (f"{name}_{i}" if i else name for i in itertools.count())
        return next(each for each in numbered if each not in self.entries)

    # Writing.

    @property
    def chain(self) -> list[Entry] | None:
        """The layers, where each is called once, on the only output of the one before; None where not."""
        entries = list(self.entries.values())
        if len(self.inputs) != 1 or len(self.outputs) != 1 or len(entries) < 2:
            return None
        for before, entry in itertools.pairwise(entries):
            arguments = entry.calls[0].arguments if len(entry.calls) == 1 and not entry.calls[0].named else ()
            follows = len(arguments) == 1 and isinstance(arguments[0], Tensor) and arguments[0].layer == before.name
            if not follows or not entry.is_layer or entry.outputs > 1:
                return None
        return entries if self.outputs[0].layer == entries[-1].name else None

    def described(self) -> dict[str, Any]:
        """Returns the model as Keras 3 writes objects: a ``Sequential`` where it is a chain of layers."""
        module, class_name = ("keras", "Sequential") if self.chain else ("keras.src.models.functional", "Functional")
        return serialized(module, class_name, self.config())

    def config(self) -> dict[str, Any]:
        """Returns the model's configuration."""
        common = {"name": self.name, "trainable": self.trainable}
        if self.chain:
            return {**common, "layers": [entry.described() for entry in self.chain]}
        return {
            **common,
            "layers": [
                {
                    **entry.described(named=entry.is_layer or self._may_clash(entry)),
                    "name": entry.name,
                    "inbound_nodes": [call.described() for call in entry.calls],
                }
                for entry in self.entries.values()
            ],
            "input_layers": self._references(self.inputs),
            "output_layers": self._references(self.outputs),
        }

    def _may_clash(self, entry: Entry) -> bool:
        """Tells whether the name that Keras 3 would give an operator may be that of a layer.

        Only from version 3.12 on it takes names of all operators from the file.
        """
        own = snake_case(entry.class_name)
        return any(re.fullmatch(rf"{own}(_\d+)?", name) for name in self.entries)

    def _references(self, tensors: Sequence[Tensor]) -> list[Any]:
        # A functional model inside has a call of its own before all others.
        own = [self.entries[tensor.layer].class_name == "Functional" for tensor in tensors]
        found = [[tensor.layer, tensor.call + more, tensor.number] for tensor, more in zip(tensors, own, strict=True)]
        return found if len(found) > 1 else found[0]

    def all_arrays(self, path: str = "") -> Iterator[tuple[str, Sequence[StoredArray]]]:
        """Gives the places of the model's file and the arrays there, also where there are none.

        Args:
            path: The place of the model.
        """
        yield path, ()
        counts: dict[str, int] = {}
        for entry in self._layers():
            kind = snake_case(entry.class_name)
            number = counts.get(kind, 0)
            counts[kind] = number + 1
            place = _joined(path, "layers", f"{kind}_{number}" if number else kind)
            for part, arrays in {"": (), **entry.arrays}.items():
                yield _joined(place, part), arrays
            if entry.inner is not None:
                yield from entry.inner.all_arrays(_joined(place, entry.inner_part))

    def trainable_arrays(self) -> Iterator[StoredArray]:
        """Gives the arrays that Keras 3 trains, in the order of its trainable variables."""
        for entry in self._layers() if self.trainable else ():
            if entry.config.get("trainable", True):
                arrays = [array for part in entry.arrays.values() for array in part]
                yield from arrays[: len(arrays) - entry.kept]
                if entry.inner is not None:
                    yield from entry.inner.trainable_arrays()

    def _layers(self) -> list[Entry]:
        """Returns the layers in the order in which Keras 3 has them once it has read the model."""
        return [entry for entry in self.chain or layer_order(self) if entry.is_layer]


def snake_case(name: str) -> str:
    """Returns a class's name as Keras 3 writes it in paths: ``Conv2DTranspose`` is ``conv2d_transpose``."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)
