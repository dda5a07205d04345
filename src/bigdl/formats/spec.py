"""The one neutral form of a model: every dialect reads into it, every writer writes from it.

Nothing here knows a file format or torch. Configurations are those of Keras 1.2.2's ``get_config``; what another
version wrote is turned into them by the reader.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class TensorRef:
    """One output of one call of a layer: ``[layer, node_index, tensor_index]`` in the files."""

    layer: str
    node: int = 0
    tensor: int = 0


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer of a graph.

    Attributes:
        class_name: Keras's class name, e.g. ``"Dense"``; ``"Model"`` and ``"Sequential"`` are nested models.
        name: The name in the graph, which stands for one layer. A nested ``Sequential`` that has none in its file is
            named by the reader, ``sequential_N``.
        config: What the class's ``from_config`` takes; for a nested model as the file has it (see ``graph``).
        inbound: For each call of the layer the tensors it is applied to; empty in a ``Sequential`` and for inputs.
        graph: The nested model's own graph, where the layer is one.
        branches: The models under a legacy ``Merge`` (first in a ``Sequential``), empty otherwise.
    """

    class_name: str
    name: str
    config: Mapping[str, Any]
    inbound: tuple[tuple[TensorRef, ...], ...] = ()
    graph: "GraphSpec | None" = None
    branches: tuple["LayerSpec", ...] = ()


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """The layers of a model and how they are connected.

    A ``Sequential`` is a chain in the order of ``layers``; its ``inputs`` and ``outputs`` are empty, as in its file. A
    layer that occurs there again is the same layer, applied again.
    """

    kind: Literal["Model", "Sequential"]
    name: str | None
    layers: tuple[LayerSpec, ...]
    inputs: tuple[TensorRef, ...] = ()
    outputs: tuple[TensorRef, ...] = ()


@runtime_checkable
class PieceReader(Protocol):
    """A way to read an array that can also be gone in pieces."""

    def __call__(self) -> Array:
        """Returns the array."""

    def pieces(self) -> Iterator[Array]:
        """Gives the array in pieces along its first axis; each lasts until the next is asked for."""


@dataclass(frozen=True, slots=True)
class StoredArray:
    """One array of a file, read only when asked for.

    Attributes:
        name: Its name in the file, e.g. ``"dense_1_W:0"``.
        shape: Its shape in the file.
        dtype: Its dtype in the file.
        read: Returns the array, at each call afresh.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], Array] | PieceReader

    def pieces(self) -> Iterator[Array]:
        """Gives the array in pieces along its first axis, so that copying it takes little memory.

        Each lasts until the next is asked for. What cannot be read in pieces is given as a whole.
        """
        if isinstance(self.read, PieceReader):
            yield from self.read.pieces()
        else:
            yield self.read()

    @classmethod
    def of(cls, name: str, array: Array) -> "StoredArray":
        """Holds an array that is in memory already."""
        return cls(name, tuple(array.shape), array.dtype, lambda: array)


@dataclass(frozen=True, slots=True)
class LayerArrays:
    """The arrays of one layer, in file order, which is the order of Keras's ``get_weights``."""

    name: str
    arrays: tuple[StoredArray, ...]


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """The arrays of a model, by layer in file order (layers without arrays included).

    Attributes:
        layers: The layers' arrays.
        named: False for the oldest files (``nb_layers``), whose layers have no names: they load by position only.
        source: The file, for messages.
    """

    layers: tuple[LayerArrays, ...]
    named: bool = True
    source: str = "memory"

    def __iter__(self) -> Iterator[LayerArrays]:
        return iter(self.layers)


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """How a saved model was compiled, and the state of its optimizer.

    Attributes:
        config: Keras's ``training_config``: ``optimizer_config``, ``loss``, ``metrics``, ``sample_weight_mode``,
            ``loss_weights``.
        optimizer_arrays: The optimizer's state in the order of its ``get_weights``; empty if it had not trained.
    """

    config: Mapping[str, Any]
    optimizer_arrays: tuple[StoredArray, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as its files describe it.

    Attributes:
        graph: The layers and their connections.
        weights: The arrays, where a file has them.
        training: How it was compiled, where a file says so.
        keras_version: The version that wrote the definition, where it says so.
        source: The file, for messages.
        notes: What a reader found that the user may want to know.
        extra: What this library keeps in its own format beside the model.
    """

    graph: GraphSpec
    weights: WeightsSpec | None = None
    training: TrainingSpec | None = None
    keras_version: str | None = None
    source: str = "memory"
    notes: tuple[str, ...] = field(default=())
    extra: Mapping[str, Any] = field(default_factory=dict)
