"""From a file's arrays into a model's layers, by position or by name, as Keras 1.2.2 matches them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bigdl.errors import WeightMismatchError
from bigdl.formats.spec import LayerArrays, StoredArray, WeightsSpec
from bigdl.graph import Container, Layer
from bigdl.graph.weighted import WeightedModule
from bigdl.registry.classes import WeightConverter, entry_for


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


def load_by_position(model: Container, weights: WeightsSpec) -> LoadReport:
    """Loads arrays in the order of layers; layers without weights do not count, names play no part.

    Args:
        model: The model.
        weights: The file's arrays.

    Raises:
        WeightMismatchError: Another number of layers, of arrays in a layer, or another shape; nothing is loaded then.
    """
    layers = [layer for layer in model.weight_layers if layer.weights]
    stored = [arrays for arrays in weights if arrays.arrays]
    if len(layers) != len(stored):
        raise WeightMismatchError(
            f"{weights.source} holds weights of {len(stored)} layers, the model {model.name!r} has "
            f"{len(layers)} layers with weights. In the file: {_names([s.name for s in stored])}; in the model: "
            f"{_names([layer.name for layer in layers])}. Are these weights of another model? by_name=True loads only "
            "layers of the same name."
        )
    matches = [
        (layer, _fitting(layer, arrays, weights.source, position=i))
        for i, (layer, arrays) in enumerate(zip(layers, stored, strict=True))
    ]
    return _assign(matches, LoadReport())


def load_by_name(model: Container, weights: WeightsSpec, skip_mismatch: bool = False) -> LoadReport:
    """Loads the arrays of layers whose name is in the file; the others keep their initial values.

    Args:
        model: The model.
        weights: The file's arrays.
        skip_mismatch: Whether a layer whose arrays differ in number or shape is left alone instead of an error.

    Raises:
        WeightMismatchError: The file's layers have no names, or a layer of the same name has other arrays and
            ``skip_mismatch`` is False; nothing is loaded then.
    """
    if not weights.named:
        raise WeightMismatchError(
            f"{weights.source} is of the oldest kind, without layer names: it loads by position only."
        )
    by_name: defaultdict[str, list[Layer]] = defaultdict(list)
    for layer in model.weight_layers:
        by_name[layer.name].append(layer)
    report = LoadReport()
    matches: list[tuple[Layer, Sequence[StoredArray]]] = []
    for arrays in weights:
        if arrays.name not in by_name and arrays.arrays:
            report.skipped[arrays.name] = "no layer of this name in the model"
        for layer in by_name.get(arrays.name, []):
            try:
                matches.append((layer, _fitting(layer, arrays, weights.source)))
            except WeightMismatchError as error:
                if not skip_mismatch:
                    raise
                report.skipped[arrays.name] = str(error)
    matched = {layer for layer, _ in matches}
    report.initial = [layer.name for layer in model.weight_layers if layer.weights and layer not in matched]
    return _assign(matches, report)


def _fitting(layer: Layer, stored: LayerArrays, source: str, position: int | None = None) -> Sequence[StoredArray]:
    """Returns the stored arrays in the layer's present layout, checked against its weights."""
    place = "" if position is None else f", number {position} of those with weights"
    where = f"Layer {layer.name!r} ({type(layer).__name__}{place}) and {stored.name!r} of {source}"
    arrays = _converted(layer, stored.arrays, where)
    expected = layer.weights
    if len(arrays) != len(expected):
        raise WeightMismatchError(
            f"{where}: the layer expects {len(expected)} arrays "
            f"({', '.join(f'{weight.name}{weight.shape}' for weight in expected) or 'none'}). "
            f"Received: {len(arrays)} ({', '.join(f'{a.name}{a.shape}' for a in arrays) or 'none'})."
        )
    for weight, shape, array in zip(expected, _expected_shapes(layer, arrays), arrays, strict=True):
        if shape != array.shape:
            raise WeightMismatchError(
                f"{where}: {weight.name!r} must have shape {shape}. Received: {array.name!r} with shape "
                f"{array.shape}. Are these weights of another model?"
            )
    return arrays


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


def _assign(matches: Sequence[tuple[Layer, Sequence[StoredArray]]], report: LoadReport) -> LoadReport:
    for layer, arrays in matches:
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
