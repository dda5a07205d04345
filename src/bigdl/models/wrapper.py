"""BigDL's ``with_bigdl_backend``: a compiled Keras model, trained and used by this library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bigdl.errors import TrainingError
from bigdl.models.converter import DefinitionLoader, WeightLoader
from bigdl.models.model import Model
from bigdl.registry import custom_object_scope
from bigdl.training import History


class KerasModelWrapper:
    """A Keras model with BigDL's ``fit``, ``evaluate`` and ``predict``.

    Data is arrays, as Keras takes it. With ``is_distributed`` they are trained on by the active session of Spark.

    Args:
        bmodel: The model that does the work, compiled if the Keras model is.

    Attributes:
        bmodel: That model.
    """

    def __init__(self, bmodel: Model) -> None:
        self.bmodel = bmodel

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        nb_epoch: int = 10,
        verbose: int = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        is_distributed: bool = False,
    ) -> History:
        """Trains for a number of epochs; see ``Model.fit``."""
        return self.bmodel.fit(
            x,
            y,
            batch_size,
            nb_epoch,
            verbose,
            callbacks,
            validation_split,
            validation_data,
            shuffle,
            class_weight,
            sample_weight,
            initial_epoch,
            distributed=is_distributed,
        )

    def evaluate(
        self, x: Any, y: Any, batch_size: int = 32, sample_weight: Any = None, is_distributed: bool = False
    ) -> list[float]:
        """Computes the metrics, without the loss, as BigDL does.

        Args:
            x: The inputs.
            y: The targets.
            batch_size: Rows at a time.
            sample_weight: A weight for each row.
            is_distributed: Without effect.

        Returns:
            The metrics that the model was compiled with, in their order.

        Raises:
            TrainingError: The model was not compiled, or without metrics.
            DataError: The data does not fit the model.
        """
        if not self.bmodel.metrics:
            raise TrainingError("There is nothing to evaluate: compile the model with metrics=['accuracy'] or others.")
        values = self.bmodel.evaluate(x, y, batch_size, verbose=0, sample_weight=sample_weight)
        outputs = len(self.bmodel.outputs)
        metrics: list[float] = values[1 if outputs == 1 else 1 + outputs :]  # behind the loss, and that of each output
        return metrics

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: int | None = None, is_distributed: bool = False
    ) -> Any:
        """Computes the outputs in evaluation mode; see ``Model.predict``."""
        return self.bmodel.predict(x, batch_size, verbose or 0)


def with_bigdl_backend(
    kmodel: Any, custom_objects: Mapping[str, Any] | None = None, original_backend: str | None = None
) -> KerasModelWrapper:
    """Lets this library train and use a Keras model.

    Args:
        kmodel: A model of this library, which is used as it is; or anything with ``to_json()`` and ``get_weights()``,
            of which a model is made. Where that is compiled (it has ``optimizer`` and ``loss``), so is the model, and
            its optimizer begins anew.
        custom_objects: The user's own layers, layer converters, objectives, metrics and other functions, by name.
        original_backend: The backend of a Keras that is not this library; see ``load_keras``.

    Raises:
        DataError: It is no such model.
        UnsupportedLayerError: A layer, objective, metric or optimizer is not known.
        WeightMismatchError: The weights do not fit the definition.
    """
    if isinstance(kmodel, Model):
        return KerasModelWrapper(kmodel)
    with custom_object_scope(custom_objects):
        bmodel = DefinitionLoader.from_kmodel(kmodel)
        WeightLoader.load_weights_from_kmodel(bmodel, kmodel, original_backend)
        optimizer, loss = getattr(kmodel, "optimizer", None), getattr(kmodel, "loss", None)
        if optimizer is not None and loss is not None:
            bmodel.compile(
                _described(optimizer),
                _by_name(loss),
                _by_name(getattr(kmodel, "metrics", None)),
                getattr(kmodel, "loss_weights", None),
                getattr(kmodel, "sample_weight_mode", None),
            )
    return KerasModelWrapper(bmodel)


def _described(optimizer: Any) -> Any:
    """Returns an optimizer of another Keras as its files describe it."""
    if not hasattr(optimizer, "get_config"):
        return optimizer
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def _by_name(value: Any) -> Any:
    """Puts names in the place of another Keras's functions, which compute on tensors of its own."""
    if isinstance(value, Mapping):
        return {key: _by_name(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_by_name(item) for item in value]
    return getattr(value, "__name__", value)
