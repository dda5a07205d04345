"""What a model of BigDL can do: classes counted from 1, freezing by name, modes by method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

import numpy as np
import torch

from bigdl.graph import Container, Layer, matching_layers
from bigdl.graph.tensor import as_list
from bigdl.models.mode import TrainingMode
from bigdl.models.spark_face import predict_on_spark
from bigdl.spark.kinds import is_spark_data
from bigdl.training import inputs_for, predict, predict_class
from bigdl.training.regularization import forget_activity, penalised_layers


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

    def predict_class(self, x: Any, batch_size: int | None = None, **on_spark: Any) -> Any:
        """Returns the most probable class of each row, counted from 1.

        Args:
            x: The data, as for ``predict``.
            batch_size: Rows at a time; 32 by default.
            on_spark: ``features_col``, ``output_col``, ``bad_rows`` and ``preprocess``; see ``predict``.

        Raises:
            DataError: The data does not fit the model, or the model has several outputs.
        """
        if is_spark_data(x):
            return predict_on_spark(self, x, batch_size, 1, **on_spark)
        return predict_class(self, x, batch_size)

    predict_class_local = predict_class
    predict_class_distributed = predict_class

    def predict_distributed(self, data_rdd: Any, batch_size: int | None = None, **on_spark: Any) -> Any:
        """Computes the outputs for the rows of an RDD or a DataFrame; see ``predict``."""
        return predict_on_spark(self, data_rdd, batch_size, None, **on_spark)

    def predict_local(self, X: Any, batch_size: int | None = None) -> Any:
        """Computes the outputs on this machine; see ``predict``."""
        return predict(self, X, batch_size)

    def get_input_shape(self) -> Any:
        """Returns the shape of the input, a list of them where there are several; the batch axis first."""
        return self.input_shape

    def get_output_shape(self) -> Any:
        """Returns the shape of the output; see ``get_input_shape``."""
        return self.output_shape

    def flattened_layers(self, include_container: bool = False) -> list[Layer]:
        """Returns the layers, those of nested models in their models' place.

        Args:
            include_container: Whether nested models are listed too, each before its layers.
        """
        found: list[Layer] = []
        for layer in self.layers:
            if not isinstance(layer, BigDLFace):
                found.append(layer)
                continue
            found += [layer] if include_container else []
            found += layer.flattened_layers(include_container)
        return found

    def is_with_weights(self) -> bool:
        """Returns whether the model has weights."""
        return bool(self.weights)

    def set_name(self, name: str) -> Self:
        """Names the model."""
        self.name = name
        return self

    def set_seed(self, seed: int = 123) -> Self:
        """Starts the random numbers of initial weights, shuffling and dropout anew."""
        torch.manual_seed(seed)
        return self

    def reset(self) -> Self:
        """Gives all weights new initial values."""
        model: Any = self
        model.set_weights(type(model).from_config(model.get_config()).get_weights())
        return self

    def backward(self, input: Any, grad_output: Any) -> Any:
        """Computes the gradient of the inputs, and adds that of the weights to their parameters' ``.grad``.

        Args:
            input: What ``forward`` was given: an array, or a list of them.
            grad_output: The gradient of the output, likewise.

        Returns:
            The gradient of the input, in the form of the input.
        """
        inputs = [tensor.clone().requires_grad_(tensor.is_floating_point()) for tensor in inputs_for(self, input)]
        outputs = as_list(self.run(inputs if len(inputs) > 1 else inputs[0])[0])
        given = grad_output if isinstance(grad_output, list | tuple) else [grad_output]
        gradients = [torch.as_tensor(np.asarray(each)).to(y) for each, y in zip(given, outputs, strict=True)]
        torch.autograd.backward(outputs, gradients)
        forget_activity(penalised_layers(self))
        found = [np.zeros(x.shape, np.float32) if x.grad is None else x.grad.cpu().numpy() for x in inputs]
        return found if isinstance(input, list | tuple) else found[0]

    def zero_grad_parameters(self) -> None:
        """Forgets the gradients of the weights."""
        self.zero_grad()

    def update_parameters(self, learning_rate: float) -> None:
        """Moves the weights once against their gradients."""
        with torch.no_grad():
            for parameter in self.parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=learning_rate)

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
