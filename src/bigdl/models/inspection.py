"""What is in model files, layer by layer, whether or not the model can be loaded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bigdl.errors import BigDLError, DataError, FormatError, UnsafeModelError, UnsupportedLayerError
from bigdl.files import Uri, display
from bigdl.formats import Backend, likely_backend, read_architecture, read_model, read_weights
from bigdl.formats.spec import GraphSpec, LayerArrays, ModelSpec, StoredArray
from bigdl.graph import Layer, Shape, Weight
from bigdl.models.inspection_arrays import Pair, arrays_by_finding, owners_of
from bigdl.models.inspection_table import table
from bigdl.models.orderings import with_orderings
from bigdl.models.origins import Origin
from bigdl.models.trial import on_trial, weight_problems
from bigdl.registry import Finding, Survey, custom_object_scope, survey
from bigdl.registry.functions import read_function

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WeightInspection:
    """One array of a layer.

    Attributes:
        name: Keras's short name, e.g. ``"W"``; of an array that the layer does not expect, its name in the file.
        expected: The shape that the layer expects; None where it expects no such array, or is not known.
        found: The shape in the file; None where the file has no such array, or there is no file of weights.
        stored_as: The array's name in the file.
    """

    name: str
    expected: tuple[int, ...] | None = None
    found: tuple[int, ...] | None = None
    stored_as: str | None = None


@dataclass(frozen=True, slots=True)
class LayerInspection:
    """One layer.

    Attributes:
        name: Its name.
        class_name: Its class in the file.
        depth: 0 in the model itself, 1 in a model inside it, and so on.
        output_shapes: The different shapes of its outputs, batch axis first; empty where they cannot be told.
        params: The number of values in its arrays; None where they cannot be told.
        supported: Whether layers of this class can be loaded; False also for functions that would have to be run.
        problem: What is wrong with it; None if nothing.
        weights: The arrays that it expects and those that the file has for it.
        functions: What can be told, without running them, of the functions that the file holds for it.
    """

    name: str
    class_name: str
    depth: int
    output_shapes: tuple[Shape, ...]
    params: int | None
    supported: bool
    problem: str | None
    weights: tuple[WeightInspection, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is in model files. ``str()`` of it is a table.

    Attributes:
        source: The file of the definition.
        weights_source: The file of the weights; None where there are none.
        kind: ``"Model"`` or ``"Sequential"``; None where there is no definition.
        name: The model's name, where the file has one.
        keras_version: The version that wrote the definition, where it says so.
        backend: The backend that probably wrote the weights; None where nothing tells.
        optimizer: The optimizer's class in a full save of a compiled model.
        layers: The layers in the order of the file, those of an inner model behind it.
        unused: Layers in the file of weights that no layer of the model takes, with their arrays.
        problems: What would go wrong on loading, as the errors would say it.
        notes: What else the user may want to know.
    """

    source: str
    weights_source: str | None
    kind: str | None
    name: str | None
    keras_version: str | None
    backend: Backend | None
    optimizer: str | None
    layers: tuple[LayerInspection, ...]
    unused: tuple[tuple[str, tuple[WeightInspection, ...]], ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def params(self) -> int:
        """The number of values in the arrays of the layers that can be built."""
        shapes = [weight.expected for layer in self.layers for weight in layer.weights]
        return sum(math.prod(shape) for shape in shapes if shape is not None)

    @property
    def loads(self) -> bool:
        """Whether ``load_keras`` would load these files."""
        return not self.problems

    def __str__(self) -> str:
        return table(self)


def inspect(
    def_path: Uri | None = None,
    weights_path: Uri | None = None,
    by_name: bool = False,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    skip_mismatch: bool = False,
    original_backend: str | None = None,
    keras_version: str | None = None,
    dim_ordering: str | None = None,
) -> Inspection:
    """Looks into model files without loading the model: no memory is taken for its weights, no array is read.

    Args:
        def_path: As in ``load_keras``; a file that holds only weights is shown too.
        weights_path: As in ``load_keras``.
        by_name: As in ``load_keras``.
        custom_objects: As in ``load_keras``.
        skip_mismatch: As in ``load_keras``.
        original_backend: As in ``load_keras``.
        keras_version: As in ``load_keras``.
        dim_ordering: As in ``load_keras``.

    Returns:
        What is there, and what would go wrong on loading. Damaged files are no error here.

    Raises:
        DataError: No file is given, or there is no such backend or version.
        MissingFileError: A file does not exist.
        StorageError: A file cannot be read.
        LayerError: ``dim_ordering`` is no ordering.
    """
    if def_path is None:
        def_path, weights_path = weights_path, None
    if def_path is None:
        raise DataError("inspect needs a file: def_path='model.json', or a full HDF5 save. Received: nothing.")
    matching = _Matching(by_name, skip_mismatch, Origin(original_backend, keras_version))
    with ExitStack() as stack:
        spec, problems = _read(stack, def_path, weights_path)
        stack.enter_context(custom_object_scope(custom_objects))
        spec = with_orderings(spec, dim_ordering, by_name)
        # As load_keras: with weights by position no initial value is asked for.
        stack.enter_context(on_trial(initialize=spec.weights is None or by_name))
        return _inspection(spec, display(def_path), problems, matching)


@dataclass(frozen=True, slots=True)
class _Matching:
    """How a file's arrays are matched with layers."""

    by_name: bool
    skip_mismatch: bool
    origin: Origin


def _read(stack: ExitStack, definition: Uri, weights: Uri | None) -> tuple[ModelSpec, list[str]]:
    """Opens the files; of files that cannot be read as a model, the parts that can be."""
    problems: list[str] = []
    spec = _attempt(stack, read_model(definition, weights), problems)
    if spec is not None:
        return spec, problems
    try:
        spec = read_architecture(definition)
    except FormatError:
        spec = ModelSpec(GraphSpec("Sequential", None, ()), source=display(definition))
    arrays = _attempt(stack, read_weights(weights or definition), problems if weights else [])
    return replace(spec, weights=arrays), list(dict.fromkeys(problems))


def _attempt(stack: ExitStack, opened: AbstractContextManager[T], problems: list[str]) -> T | None:
    try:
        return stack.enter_context(opened)
    except FormatError as error:
        problems.append(str(error))
        return None


def _inspection(spec: ModelSpec, source: str, problems: list[str], matching: _Matching) -> Inspection:
    found = survey(spec.graph) if spec.graph.layers else Survey()
    problems += [str(finding.problem) for finding in found.findings if finding.problem is not None]
    if found.problem is not None:
        problems.append(str(found.problem))
    owners: dict[LayerArrays, Finding] = {}
    hints: list[str] = []
    if spec.weights is not None:
        owners = owners_of(found.model, found.findings, spec.weights, matching.by_name)
    if spec.weights is not None and found.model is not None:
        origin = replace(matching.origin, keras_version=matching.origin.keras_version or spec.keras_version)
        adapt = origin.adaptation(found.model)
        problems += weight_problems(found.model, spec.weights, matching.by_name, matching.skip_mismatch, adapt)
        hints = origin.hints(found.model, spec.weights)
    arrays = arrays_by_finding(found.findings, owners)
    return Inspection(
        source=source,
        weights_source=spec.weights.source if spec.weights is not None else None,
        kind=spec.graph.kind if found.findings else None,
        name=spec.graph.name,
        keras_version=spec.keras_version,
        backend=likely_backend(spec.weights) if spec.weights is not None else None,
        optimizer=str(spec.training.config["optimizer_config"]["class_name"]) if spec.training is not None else None,
        layers=tuple(_layer(finding, arrays[finding]) for finding in found.findings),
        unused=tuple((a.name, _unexpected(a.arrays)) for a in spec.weights or () if a.arrays and a not in owners),
        problems=tuple(dict.fromkeys(problems)),
        notes=(*spec.notes, *hints),
    )


def _layer(finding: Finding, arrays: list[Pair]) -> LayerInspection:
    layer, problem = finding.layer, finding.problem
    connected = layer is not None and problem is None and bool(layer.inbound_nodes)
    return LayerInspection(
        name=finding.spec.name,
        class_name=finding.spec.class_name,
        depth=finding.depth,
        output_shapes=_output_shapes(layer) if layer is not None and connected else (),
        params=layer.count_params() if layer is not None and connected else None,
        supported=not isinstance(problem, UnsupportedLayerError | UnsafeModelError),
        problem=str(problem) if problem is not None else None,
        weights=tuple(_weight(weight, array) for weight, array in arrays),
        functions=_functions(finding.spec.config, finding.spec.name),
    )


def _output_shapes(layer: Layer) -> tuple[Shape, ...]:
    return tuple(dict.fromkeys(tensor.shape for node in layer.inbound_nodes for tensor in node.outputs))


def _weight(weight: Weight | None, array: StoredArray | None) -> WeightInspection:
    name = weight.name if weight is not None else array.name if array is not None else "?"
    return WeightInspection(
        name,
        weight.shape if weight is not None else None,
        array.shape if array is not None else None,
        array.name if array is not None else None,
    )


def _unexpected(arrays: Iterable[StoredArray]) -> tuple[WeightInspection, ...]:
    return tuple(_weight(None, array) for array in arrays)


def _functions(config: Any, name: str) -> tuple[str, ...]:
    """Describes the functions that a configuration holds as bytecode, also that of a layer inside a wrapper."""
    if not isinstance(config, Mapping):
        return ()
    keys = [key.removesuffix("_type") for key, kind in config.items() if key.endswith("_type") and kind == "lambda"]
    own = tuple(f"{key}: {_described(config.get(key), name)}" for key in keys)
    inner = config.get("layer")
    return own + _functions(inner.get("config"), name) if isinstance(inner, Mapping) else own


def _described(value: Any, name: str) -> str:
    try:
        return read_function(value, f"Layer {name!r}").describe()
    except BigDLError as error:
        return str(error)
