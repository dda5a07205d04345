"""What a model of Keras 1.2.2 is trained by: what ``compile`` settles, and what callbacks look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl import training
from bigdl.errors import TrainingError
from bigdl.graph import Container
from bigdl.training import Compiled, History
from bigdl.training.batches import Samples


class CompiledFace(Container):
    """The part of Keras 1.2.2's ``Model`` and ``Sequential`` that ``compile`` settles."""

    _compiled: Compiled | None = None
    history: History | None = None
    held_out: Samples | None = None
    stop_training: bool = False

    def compile(
        self,
        optimizer: Any,
        loss: Any,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        *,
        lr_multipliers: Mapping[str, float] | None = None,
        precision: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Settles what the model is trained by.

        The weights to move are settled here too: after a change of ``trainable``, compile again.

        Args:
            optimizer: A name (``"adadelta"``) or an optimizer.
            loss: The name of an objective, or a function of ``(y_true, y_pred)`` on torch tensors; for several
                outputs also a list, or a mapping by the outputs' names.
            metrics: Names or functions; a mapping by the outputs' names for different ones.
            loss_weights: The factor of each output's loss.
            sample_weight_mode: ``"temporal"`` where samples are weighted step by step.
            lr_multipliers: The factor of the learning rate of layers, by name or by patterns such as ``"block1_*"``,
                also of those inside nested models; where several fit, the last one counts. Keras has no such argument.
            precision: ``"bf16"`` trains and evaluates with products of bfloat16, which is faster where processors have
                it and less exact; weights stay float32. Layers that masks reach are left as they are.
            kwargs: Without effect; Keras hands them to Theano.

        Raises:
            UnsupportedLayerError: There is no optimizer, objective or metric of a name.
            DataError: A list or mapping does not fit the outputs, a multiplier is negative, or there is no such
                precision.
            LayerError: No layer's name fits a pattern.
        """
        self._compiled = Compiled(
            *(self, optimizer, loss, metrics, loss_weights, sample_weight_mode),
            lr_multipliers=lr_multipliers,
            precision=precision,
        )

    @property
    def compiled(self) -> Compiled:
        """What the model was compiled with.

        Raises:
            TrainingError: It was not.
        """
        if self._compiled is None:
            raise TrainingError(f"Model {self.name!r} must be compiled first: model.compile(optimizer, loss).")
        return self._compiled

    @property
    def optimizer(self) -> training.optimizers.Optimizer:
        """The optimizer that the model was compiled with."""
        return self.compiled.optimizer

    @property
    def loss(self) -> Any:
        """The loss that the model was compiled with, as it was given."""
        return self.compiled.loss

    @property
    def metrics(self) -> Any:
        """The metrics that the model was compiled with, as they were given."""
        return self.compiled.metrics

    @property
    def loss_weights(self) -> Any:
        """The factors of the outputs' losses, as they were given."""
        return self.compiled.loss_weights

    @property
    def sample_weight_mode(self) -> Any:
        """In which way samples are weighted, as it was given."""
        return self.compiled.sample_weight_mode

    @property
    def metrics_names(self) -> list[str]:
        """The names of what ``evaluate`` and ``train_on_batch`` return."""
        return self.compiled.metrics_names

    @property
    def validation_data(self) -> list[NDArray[Any]] | None:
        """What ``fit`` validates on, for callbacks: inputs, targets and sample weights; None for nothing."""
        held_out = self.held_out
        if held_out is None:
            return None
        columns = [column.numpy() for column in (*held_out.inputs, *held_out.targets)]
        ones = np.ones(len(held_out), np.float32)
        return columns + [ones if weights is None else weights.numpy() for weights in held_out.weights]
