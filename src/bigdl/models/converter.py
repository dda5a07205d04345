"""BigDL's way from a Keras model to a model of its own, in steps: the definition, the weights, single layers.

In BigDL the Keras model is Keras's and the other BigDL's. Here one model speaks both languages, and Keras is not
needed; a *Keras model* is a model of this library, or anything with ``to_json()`` and ``get_weights()``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.errors import DataError
from bigdl.files import Uri
from bigdl.formats.spec import LayerArrays, StoredArray, WeightsSpec
from bigdl.graph import Container, Layer
from bigdl.models.definitions import layer_from_config, model_from_json
from bigdl.models.loading import load_keras
from bigdl.models.model import Model
from bigdl.models.origins import Origin
from bigdl.registry import entry_for, load_by_position

Objects = Mapping[str, Any]
Arrays = list[NDArray[Any]]


class DefinitionLoader:
    """From definitions to models.

    The methods that BigDL lets return the Keras model and its own return the same model twice.
    """

    @staticmethod
    def from_kmodel(kmodel: Any, custom_objects: Objects | None = None) -> Model:
        """Makes a model of the same definition, weights at their initial values.

        Args:
            kmodel: A Keras model.
            custom_objects: The user's own layers, layer converters and functions, by name.

        Raises:
            DataError: It has no ``to_json``.
            BigDLError: See ``model_from_json``.
        """
        return model_from_json(_method(kmodel, "to_json")(), custom_objects)

    @staticmethod
    def from_json_path(json_path: Uri, custom_objects: Objects | None = None) -> tuple[Model, Model]:
        """Makes a model from a file that holds what ``to_json`` returned; see ``load_keras``."""
        model = load_keras(json_path, custom_objects=custom_objects)
        return model, model

    @staticmethod
    def from_json_str(json_str: str, custom_objects: Objects | None = None) -> tuple[Model, Model]:
        """Makes a model from what ``to_json`` returned; see ``model_from_json``."""
        model = model_from_json(json_str, custom_objects)
        return model, model

    @staticmethod
    def from_hdf5_path(hdf5_path: Uri, custom_objects: Objects | None = None) -> tuple[Model, Model]:
        """Loads a full save, with its weights; see ``load_keras``."""
        return DefinitionLoader.from_json_path(hdf5_path, custom_objects)


class WeightLoader:
    """From weights to the weights of a model."""

    @staticmethod
    def load_weights_from_json_hdf5(
        def_json: Uri, weights_hdf5: Uri, by_name: bool = False, custom_objects: Objects | None = None
    ) -> Model:
        """Loads a model from its definition and its weights; see ``load_keras``."""
        return load_keras(def_json, weights_hdf5, by_name, custom_objects=custom_objects)

    @staticmethod
    def load_weights_from_hdf5(
        bmodel: Model, kmodel: Any, filepath: Uri, by_name: bool = False, original_backend: str | None = None
    ) -> None:
        """Reads weights from a file into a model.

        Args:
            bmodel: The model.
            kmodel: Not needed; BigDL reads the file through it.
            filepath: An HDF5 file of weights or a full save.
            by_name: Whether layers are matched by name instead of order.
            original_backend: The backend of Keras that wrote the weights; see ``load_keras``.

        Raises:
            BigDLError: See ``Model.load_weights``.
        """
        bmodel.load_weights(filepath, by_name, original_backend=original_backend)

    @staticmethod
    def load_weights_from_kmodel(bmodel: Model, kmodel: Any, original_backend: str | None = None) -> None:
        """Gives a model the weights of a Keras model, through the weight converters of its layers.

        Args:
            bmodel: The model.
            kmodel: A Keras model of the same definition.
            original_backend: The backend of a Keras that is not this library; see ``load_keras``.

        Raises:
            DataError: ``kmodel`` has no ``get_weights``, or there is no such backend.
            WeightMismatchError: The weights do not fit; none is changed then.
        """
        origin = Origin(original_backend)
        arrays = _method(kmodel, "get_weights")()
        if isinstance(kmodel, Container):  # its arrays are in the layout of this library's layers already
            bmodel.set_weights(arrays)
            return
        name = str(getattr(kmodel, "name", type(kmodel).__name__))
        stored = LayerArrays(name, _stored(arrays))
        spec = WeightsSpec((stored,), named=False, source=f"the Keras model {name!r}")
        load_by_position(bmodel, spec, origin.adaptation(bmodel))


class LayerConverter:
    """From one layer of Keras to one of this library, by what ``register_layer`` says of its class.

    Args:
        klayer: The layer: its class has the name that files use, and it has ``get_config()``.
        kclayer: Its description, ``{"class_name": ..., "config": ...}``, in place of what ``klayer`` says of itself.
    """

    def __init__(self, klayer: Any, kclayer: Mapping[str, Any] | None = None) -> None:
        self.klayer = klayer
        self.config = kclayer

    def create(self) -> Layer:
        """Makes the layer; its weights come when it is applied.

        Raises:
            UnsupportedLayerError: The class is not known.
            LayerError: The configuration is not one the class takes.
        """
        config = self.config
        if config is None:
            config = {"class_name": type(self.klayer).__name__, "config": _method(self.klayer, "get_config")()}
        return layer_from_config(config)


class WeightsConverter:
    """From the arrays of Keras's layers to those of this library's, by what ``register_layer`` says of their class."""

    @staticmethod
    def get_converter(class_name: str) -> Callable[[Layer, Sequence[NDArray[Any]]], Arrays]:
        """Returns the weight converter of a class: a function of a layer and arrays.

        Classes without one keep their arrays as they are.
        """
        return partial(_convert, class_name)

    @staticmethod
    def to_bigdl_weights(klayer: Any, weights: Sequence[NDArray[Any]]) -> Arrays:
        """Converts the arrays of a layer.

        Args:
            klayer: A layer of this library, or one for ``LayerConverter``.
            weights: Its arrays, as in a file.

        Returns:
            The arrays as ``get_weights`` of this library's layer returns them.
        """
        if isinstance(klayer, Layer):
            return _convert(klayer.file_class, klayer, weights)
        return _convert(type(klayer).__name__, LayerConverter(klayer).create(), weights)

    @staticmethod
    def get_bigdl_weights_from_klayer(klayer: Any) -> Arrays:
        """Returns a layer's arrays as ``get_weights`` of this library's layer returns them."""
        weights: Arrays = _method(klayer, "get_weights")()
        return weights if isinstance(klayer, Layer) else WeightsConverter.to_bigdl_weights(klayer, weights)

    @staticmethod
    def get_weights_from_kmodel(kmodel: Any) -> Arrays:
        """Returns a Keras model's arrays as ``get_weights`` of this library's model returns them."""
        bmodel = DefinitionLoader.from_kmodel(kmodel)
        WeightLoader.load_weights_from_kmodel(bmodel, kmodel)
        return bmodel.get_weights()


def _convert(class_name: str, layer: Layer, weights: Sequence[NDArray[Any]]) -> Arrays:
    entry = entry_for(class_name)
    if entry is None or entry.convert_weights is None:
        return list(weights)
    found = entry.convert_weights(layer, _stored(weights))
    return [each.read() if isinstance(each, StoredArray) else each for each in found]


def _stored(arrays: Sequence[Any]) -> tuple[StoredArray, ...]:
    return tuple(StoredArray.of(f"array {i}", np.asarray(array)) for i, array in enumerate(arrays))


def _method(value: Any, name: str) -> Callable[[], Any]:
    method: Callable[[], Any] | None = getattr(value, name, None)
    if method is None:
        raise DataError(f"Expected a model or layer of Keras with {name}(). Received: {type(value).__name__}.")
    return method
