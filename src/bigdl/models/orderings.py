"""The ``dim_ordering`` of layers whose file lacks it: the user's word, else what the model shows, else the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bigdl.formats.dim_ordering import fill_orderings, infer_orderings, unordered_layers
from bigdl.formats.spec import ModelSpec
from bigdl.models.trial import on_trial, weight_problems
from bigdl.registry import survey
from bigdl.settings import DimOrdering, checked_dim_ordering, image_dim_ordering

_ORDERINGS: tuple[DimOrdering, ...] = ("tf", "th")


def with_orderings(spec: ModelSpec, given: str | None = None, by_name: bool = False) -> ModelSpec:
    """Returns a model in which every layer has its ordering, with notes on those that were not in the file.

    Args:
        spec: The model.
        given: The ordering of the layers that lack it; None to find it out.
        by_name: Whether the weights are matched by name.

    Raises:
        LayerError: ``given`` is no ordering.
    """
    lacking = unordered_layers(spec.graph)
    if not lacking:
        return spec
    if given is not None:
        return _filled(spec, checked_dim_ordering(given), "as asked for")
    inferred = replace(spec, graph=infer_orderings(spec.graph))
    open_layers = unordered_layers(inferred.graph)
    found = [name for name in lacking if name not in open_layers]
    if found:
        inferred = _noted(inferred, found, "that of the layers around")
    if not open_layers:
        return inferred
    possible = [ordering for ordering in _ORDERINGS if _is_possible(inferred, ordering, by_name)]
    if len(possible) == 1:
        return _filled(inferred, possible[0], "without which the model and its weights would not fit")
    return _filled(
        inferred, image_dim_ordering(), "the default, as nothing in the files tells (dim_ordering= sets another)"
    )


def _is_possible(spec: ModelSpec, ordering: DimOrdering, by_name: bool) -> bool:
    """Tries an ordering on a model without memory."""
    with on_trial():
        model = survey(fill_orderings(spec.graph, ordering)).model
        if model is None or spec.weights is None:
            return model is not None
        return not weight_problems(model, spec.weights, by_name, skip_mismatch=False)


def _filled(spec: ModelSpec, ordering: DimOrdering, reason: str) -> ModelSpec:
    names = unordered_layers(spec.graph)
    return _noted(replace(spec, graph=fill_orderings(spec.graph, ordering)), names, f"{ordering!r}, {reason}")


def _noted(spec: ModelSpec, names: Sequence[str], what: str) -> ModelSpec:
    shown = ", ".join(names[:8]) + (f", ... ({len(names)} in all)" if len(names) > 8 else "")
    note = f"{spec.source} does not say the dim_ordering of {shown}. Taken: {what}."
    return replace(spec, notes=(*spec.notes, note))
