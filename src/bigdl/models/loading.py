"""From files to a live model."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from bigdl.errors import DataError
from bigdl.files import Uri
from bigdl.formats import read_model, read_weights
from bigdl.formats.spec import ModelSpec, WeightsSpec
from bigdl.graph import without_initialization
from bigdl.models.aliases import one_of
from bigdl.models.compiled_state import restore_frozen, restore_training
from bigdl.models.orderings import with_orderings
from bigdl.models.origins import Origin
from bigdl.registry import LoadReport, build_graph, custom_object_scope, load_by_name, load_by_position

if TYPE_CHECKING:
    from bigdl.models.model import Model

logger = logging.getLogger("bigdl")


def load_keras(
    def_path: Uri | None = None,
    weights_path: Uri | None = None,
    by_name: bool = False,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    skip_mismatch: bool = False,
    compile: bool = True,
    original_backend: str | None = None,
    keras_version: str | None = None,
    dim_ordering: str | None = None,
    json_path: Uri | None = None,
    hdf5_path: Uri | None = None,
) -> Model:
    """Loads a Keras 1.x model from any file system.

    A definition that is a full save of a compiled model gives a compiled model, and training goes on from the state of
    its optimizer. Where a loss, metric or optimizer is not known, the log says so and the model is not compiled.

    Args:
        def_path: The definition: JSON or YAML, or a full HDF5 save, which also holds the weights. A path or a URI.
        weights_path: The weights: an HDF5 file of weights, or a full save. Without it, and without weights in the
            definition, the model is initialized as its layers say.
        by_name: False: weights are matched with layers in execution order. True: only layers of the same name take
            theirs, the others are initialized.
        custom_objects: The user's own layers, layer converters and functions, by the name the files use.
        skip_mismatch: With ``by_name``, whether layers whose arrays differ in shape are left alone instead of an error.
        compile: Whether a model that was compiled when it was saved is compiled again.
        original_backend: ``"tensorflow"`` or ``"theano"``: the backend of Keras that wrote the weights. Theano turns
            the kernels of convolutions around; with ``"theano"`` they are turned back, and where those of the file have
            the other ``dim_ordering`` than the model, they and the rows behind ``Flatten`` are reordered. By default
            nothing is turned, and the log warns of weights that seem to be Theano's.
        keras_version: The version of Keras that wrote the weights, such as ``"1.0.3"``; by default the one that the
            definition tells. Up to 1.0.6 ``running_std`` of ``BatchNormalization`` was a standard deviation; from
            these versions it is turned into the variance that 1.2.2 has there. The log warns where it may be so old.
        dim_ordering: ``"tf"`` or ``"th"``: the ordering of layers whose files lack it, as Keras writes none for
            padding, cropping, upsampling and spatial dropout. By default that of the layers around, or the only one
            that fits, else the process's default, which is Keras's (``~/.keras/keras.json``). The log says which.
        json_path: BigDL's later name of ``def_path``.
        hdf5_path: BigDL's later name of ``weights_path``; alone, a full HDF5 save.

    Returns:
        The model, in training mode as BigDL's. It is a ``torch.nn.Module``.

    Raises:
        DataError: No definition is given, or one argument twice, or there is no such backend or version.
        FormatError: A file is not what it should be.
        UnsupportedLayerError: A layer's class is not known.
        LayerError: A layer's configuration or input is not one Keras 1.2.2 takes.
        WeightMismatchError: The weights do not fit the layers.
        UnsafeModelError: A layer could only be had by executing code from the file.
    """
    definition = one_of("def_path", def_path, "json_path", json_path)
    weights = one_of("weights_path", weights_path, "hdf5_path", hdf5_path)
    if definition is None:
        definition, weights = weights, None
    if definition is None:
        raise DataError("load_keras needs a definition: def_path='model.json', or a full HDF5 save. Received: nothing.")
    Origin(original_backend, keras_version)  # which refuses what is none, before any file is read
    with read_model(definition, weights) as spec:
        return from_spec(
            spec,
            by_name,
            skip_mismatch,
            custom_objects,
            compile,
            original_backend=original_backend,
            keras_version=keras_version,
            dim_ordering=dim_ordering,
        )


def load_model(filepath: Uri, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """Loads a full save as Keras 1.2.2's ``load_model`` does: what was compiled is compiled again, or it is an error.

    Args:
        filepath: A full HDF5 save, or a model saved by this library. A path or a URI.
        custom_objects: The user's own layers, layer converters, objectives, metrics, optimizers and other functions,
            by the name the file uses.

    Returns:
        The model.

    Raises:
        UnsupportedLayerError: A layer, objective, metric or optimizer is not known.
        BigDLError: See ``load_keras``.
    """
    with read_model(filepath) as spec:
        return from_spec(spec, custom_objects=custom_objects, strict=True)


def from_spec(
    spec: ModelSpec,
    by_name: bool = False,
    skip_mismatch: bool = False,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    strict: bool = False,
    original_backend: str | None = None,
    keras_version: str | None = None,
    dim_ordering: str | None = None,
) -> Model:
    """Makes a live model of a description; see ``load_keras`` for the arguments.

    ``strict``: a model that cannot be compiled as it was saved is an error instead of a warning.
    """
    # Arrays matched by position fill every weight, so that initial values would be thrown away.
    complete = spec.weights is not None and not by_name
    with custom_object_scope(custom_objects):
        spec = with_orderings(spec, dim_ordering, by_name)
        for note in spec.notes:
            logger.info("%s", note)
        with without_initialization() if complete else contextlib.nullcontext():
            model = cast("Model", build_graph(spec.graph))
        restore_frozen(model, spec)
        if spec.weights is not None:
            origin = Origin(original_backend, keras_version or spec.keras_version)
            _load(model, spec.weights, by_name, skip_mismatch, origin, fresh=True)
        if compile:
            restore_training(model, spec, strict)
    return model


def load_weights(
    model: Model,
    path: Uri,
    by_name: bool = False,
    skip_mismatch: bool = False,
    original_backend: str | None = None,
    keras_version: str | None = None,
) -> None:
    """Reads weights into a model; see ``Model.load_weights``."""
    origin = Origin(original_backend, keras_version)
    with read_weights(path) as weights:
        _load(model, weights, by_name, skip_mismatch, origin, fresh=False)


def _load(
    model: Model,
    weights: WeightsSpec,
    by_name: bool,
    skip_mismatch: bool,
    origin: Origin,
    fresh: bool,
) -> None:
    adapt = origin.adaptation(model)
    if by_name:
        model.load_report = load_by_name(model, weights, skip_mismatch, adapt, fresh)
        _log(model.load_report, weights.source)
    else:
        model.load_report = load_by_position(model, weights, adapt, fresh)
    for hint in origin.hints(model, weights):
        logger.warning("%s", hint)


def _log(report: LoadReport, source: str) -> None:
    logger.info(
        "%s: loaded %d layers by name; left at their initial values: %s; not used: %s",
        source,
        len(report.loaded),
        ", ".join(report.initial) or "none",
        "; ".join(f"{name} ({reason})" for name, reason in report.skipped.items()) or "none",
    )
