"""What a model of BigDL can do: classes counted from 1, freezing by name, modes by method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from bigdl.graph import Container, matching_layers
from bigdl.models.mode import TrainingMode
from bigdl.training import predict, predict_class


class BigDLFace(Container):
    """The verbs of BigDL's ``Model`` that Keras's has not."""

    @property
    def training(self) -> bool:
        """Whether the model is in training mode; ``training()`` and ``training(False)`` switch it, as in BigDL."""
        return cast(bool, TrainingMode(self.__dict__["_training"], self))

    @training.setter
    def training(self, value: bool) -> None:
        self.__dict__["_training"] = bool(value)

    def is_training(self) -> bool:
        """Returns whether the model is in training mode."""
        return bool(self.training)

    def predict_class(self, x: Any, batch_size: int | None = None) -> NDArray[np.int64]:
        """Returns the most probable class of each row, counted from 1.

        Args:
            x: The data, as for ``predict``.
            batch_size: Rows at a time; 32 by default.

        Raises:
            DataError: The data does not fit the model, or the model has several outputs.
        """
        return predict_class(self, x, batch_size)

    predict_class_local = predict_class

    def predict_local(self, X: Any, batch_size: int | None = None) -> Any:
        """Computes the outputs on this machine; see ``predict``."""
        return predict(self, X, batch_size)

    def freeze(self, names: str | Sequence[str] | None = None) -> Self:
        """Stops the training of layers, from the next ``compile`` or ``optimize`` on.

        Args:
            names: The layers, by name or by patterns such as ``"block1_*"``, also those inside nested models; all of
                them by default.

        Raises:
            LayerError: No layer's name fits one of them; none is frozen then.
        """
        return self._set_trainable(names, False)

    def unfreeze(self, names: str | Sequence[str] | None = None) -> Self:
        """Lets layers be trained again; see ``freeze``."""
        return self._set_trainable(names, True)

    def _set_trainable(self, names: str | Sequence[str] | None, value: bool) -> Self:
        patterns = [names] if isinstance(names, str) else names
        chosen = (
            self.layers
            if patterns is None
            else [layer for pattern in patterns for layer in matching_layers(self, pattern)]
        )
        for layer in chosen:
            layer.trainable = value
        return self
