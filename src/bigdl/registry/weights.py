"""From a file's arrays into a model's layers, by position or by name, as Keras 1.2.2 matches them."""

from __future__ import annotations

import contextlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bigdl.errors import WeightMismatchError
from bigdl.formats.spec import LayerArrays, StoredArray, WeightsSpec
from bigdl.graph import Container, Layer, Weight
from bigdl.graph.weighted import WeightedModule
from bigdl.registry.classes import WeightConverter, entry_for

Adapt = Callable[[Mapping[Weight, StoredArray]], Mapping[Weight, StoredArray]]
"""Changes the arrays that are about to be loaded, by the weight that they are for."""


@dataclass(slots=True)
class LoadReport:
    """What loading did.

    Attributes:
        loaded: Layers whose arrays came from the file.
        skipped: Layers of the file that were not used, with the reason.
        initial: Layers with weights that keep their initial values.
    """

    loaded: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    initial: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Match:
    """A layer and what a file has for it, in the layer's present layout; its place is for messages."""

    layer: Layer
    arrays: Sequence[StoredArray]
    where: str


def load_by_position(
    model: Container, weights: WeightsSpec, adapt: Adapt | None = None, fresh: bool = False
) -> LoadReport:
    """Loads arrays in the order of layers; layers without weights do not count, names play no part.

    The oldest files keep the arrays of all branches of a ``Merge`` under one layer. Where such a file has fewer layers
    than the model, its arrays are dealt out to the model's layers in order.

    Args:
        model: The model.
        weights: The file's arrays.
        adapt: Changes the arrays of the whole model before they are checked.
        fresh: Whether the model is thrown away if an array cannot be read; otherwise all are read once beforehand.

    Raises:
        WeightMismatchError: Another number of layers, of arrays in a layer, or another shape; nothing is loaded then.
        FormatError: An array cannot be read; nothing is loaded then, unless the model is ``fresh``.
    """
    layers = [layer for layer in model.weight_layers if layer.weights]
    stored = [arrays for arrays in weights if arrays.arrays]
    if not weights.named and len(stored) < len(layers):
        stored = _dealt_out(layers, stored, weights.source)
    if len(layers) != len(stored):
        raise WeightMismatchError(
            f"{weights.source} holds weights of {len(stored)} layers, the model {model.name!r} has "
            f"{len(layers)} layers with weights. In the file: {_names([s.name for s in stored])}; in the model: "
            f"{_names([layer.name for layer in layers])}. Are these weights of another model? by_name=True loads only "
            "layers of the same name."
        )
    matches = [
        _match(layer, arrays, weights.source, f", number {i} of those with weights")
        for i, (layer, arrays) in enumerate(zip(layers, stored, strict=True))
    ]
    _adapt(matches, adapt)
    for match in matches:
        _check(match)
    return _assign(matches, LoadReport(), fresh)


def load_by_name(
    model: Container,
    weights: WeightsSpec,
    skip_mismatch: bool = False,
    adapt: Adapt | None = None,
    fresh: bool = False,
) -> LoadReport:
    """Loads the arrays of layers whose name is in the file; the others keep their initial values.

    Args:
        model: The model.
        weights: The file's arrays.
        skip_mismatch: Whether a layer whose arrays differ in number or shape is left alone instead of an error.
        adapt: Changes the arrays of the whole model before they are checked.
        fresh: See ``load_by_position``.

    Raises:
        WeightMismatchError: The file's layers have no names, or a layer of the same name has other arrays and
            ``skip_mismatch`` is False; nothing is loaded then.
        FormatError: See ``load_by_position``.
    """
    if not weights.named:
        raise WeightMismatchError(
            f"{weights.source} is of the oldest kind, without layer names: it loads by position only."
        )
    by_name: defaultdict[str, list[Layer]] = defaultdict(list)
    for layer in model.weight_layers:
        by_name[layer.name].append(layer)
    report = LoadReport()
    matches = []
    for arrays in weights:
        if arrays.name not in by_name and arrays.arrays:
            report.skipped[arrays.name] = "no layer of this name in the model"
        for layer in by_name.get(arrays.name, []):
            with _skipping(report, arrays.name, skip_mismatch):
                matches.append(_match(layer, arrays, weights.source))
    _adapt(matches, adapt)
    fitting = []
    for match in matches:
        with _skipping(report, match.layer.name, skip_mismatch):
            _check(match)
            fitting.append(match)
    matched = {match.layer for match in fitting}
    report.initial = [layer.name for layer in model.weight_layers if layer.weights and layer not in matched]
    return _assign(fitting, report, fresh)


def _dealt_out(layers: Sequence[Layer], stored: Sequence[LayerArrays], source: str) -> list[LayerArrays]:
    """Returns the arrays of a file without names by layer of the model, each as many as it has weights."""
    arrays = [(group.name, array) for group in stored for array in group.arrays]
    expected = sum(len(layer.weights) for layer in layers)
    if len(arrays) != expected:
        raise WeightMismatchError(
            f"{source} holds {len(arrays)} arrays in {len(stored)} layers without names, the {len(layers)} layers with "
            f"weights of the model ({_names([layer.name for layer in layers])}) have {expected}. Are these weights of "
            "another model?"
        )
    remaining = iter(arrays)
    taken = [list(islice(remaining, len(layer.weights))) for layer in layers]
    return [LayerArrays(share[0][0], tuple(array for _, array in share)) for share in taken]


@contextlib.contextmanager
def _skipping(report: LoadReport, name: str, skip: bool) -> Iterator[None]:
    """Notes a layer whose arrays do not fit instead of an error, if that is asked for."""
    try:
        yield
    except WeightMismatchError as error:
        if not skip:
            raise
        report.skipped[name] = str(error)


def _match(layer: Layer, stored: LayerArrays, source: str, place: str = "") -> _Match:
    where = f"Layer {layer.name!r} ({type(layer).__name__}{place}) and {stored.name!r} of {source}"
    return _Match(layer, _converted(layer, stored.arrays, where), where)


def _adapt(matches: Sequence[_Match], adapt: Adapt | None) -> None:
    if adapt is None:
        return
    pairs = [pair for match in matches for pair in zip(match.layer.weights, match.arrays, strict=False)]
    adapted = adapt(dict(pairs))
    for match in matches:
        known = len(match.layer.weights)  # more or fewer arrays are refused later
        weights = match.layer.weights[: len(match.arrays)]
        match.arrays = [*(adapted[weight] for weight in weights), *match.arrays[known:]]


def _check(match: _Match) -> None:
    """Compares the arrays with what the layer expects."""
    expected, arrays = match.layer.weights, match.arrays
    if len(arrays) != len(expected):
        raise WeightMismatchError(
            f"{match.where}: the layer expects {len(expected)} arrays "
            f"({', '.join(f'{weight.name}{weight.shape}' for weight in expected) or 'none'}). "
            f"Received: {len(arrays)} ({', '.join(f'{a.name}{a.shape}' for a in arrays) or 'none'})."
        )
    for weight, shape, array in zip(expected, _expected_shapes(match.layer, arrays), arrays, strict=True):
        if shape != array.shape:
            raise WeightMismatchError(
                f"{match.where}: {weight.name!r} must have shape {shape}. Received: {array.name!r} with shape "
                f"{array.shape}. Are these weights of another model?"
            )


def _converted(layer: Layer, arrays: Sequence[StoredArray], where: str) -> Sequence[StoredArray]:
    """Returns the arrays as the weight converters of the layer, or of those inside it, turn them."""
    convert = _converter(layer)
    if convert is not None:
        return _called(convert, layer, arrays, where)
    modules = _by_module(layer)
    if len(arrays) != len(layer.weights):
        return arrays  # whose they are is not known; refused by the caller
    turned = list(arrays)
    for module, places in modules.items():
        convert = _converter(module)
        if module is layer or convert is None:
            continue
        found = _called(convert, module, [arrays[i] for i in places], where)
        if len(found) != len(places):
            raise WeightMismatchError(
                f"{where}: the weight converter of {module.name!r} must return {len(places)} arrays. "
                f"Received: {len(found)}."
            )
        for place, array in zip(places, found, strict=True):
            turned[place] = array
    return turned


def _converter(module: WeightedModule) -> WeightConverter | None:
    entry = entry_for(module.file_class) if isinstance(module, Layer) else None
    return None if entry is None else entry.convert_weights


def _called(
    convert: WeightConverter, module: WeightedModule, arrays: Sequence[StoredArray], where: str
) -> Sequence[StoredArray]:
    assert isinstance(module, Layer)
    try:
        found = convert(module, arrays)
        return tuple(each if isinstance(each, StoredArray) else StoredArray.of(module.name, each) for each in found)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise WeightMismatchError(f"{where}: the weight converter of {module.name!r} failed: {error}") from error


def _expected_shapes(layer: Layer, arrays: Sequence[StoredArray]) -> list[tuple[int, ...]]:
    """Returns the shapes that stored arrays must have; some layers take others than their own."""
    expected = [weight.shape for weight in layer.weights]
    for module, places in _by_module(layer).items():
        shapes = module.stored_shapes([arrays[i].shape for i in places])
        for place, shape in zip(places, shapes, strict=True):
            expected[place] = shape
    return expected


def _by_module(layer: Layer) -> dict[WeightedModule, list[int]]:
    """Returns the places of a layer's arrays by the module that holds them; a nested model has several."""
    places: defaultdict[WeightedModule, list[int]] = defaultdict(list)
    for i, weight in enumerate(layer.weights):
        places[weight.module].append(i)
    return places


def _assign(matches: Sequence[_Match], report: LoadReport, fresh: bool) -> LoadReport:
    if not fresh:
        for array in (array for match in matches for array in match.arrays):
            deque(array.pieces(), maxlen=0)
    for match in matches:
        layer, arrays = match.layer, match.arrays
        for module, places in _by_module(layer).items():
            module.resize([arrays[i].shape for i in places])
        for weight, array in zip(layer.weights, arrays, strict=True):
            weight.assign_pieces(array.pieces())
        if arrays:
            report.loaded.append(layer.name)
    return report


def _names(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(names[:most]) or "none"
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"
