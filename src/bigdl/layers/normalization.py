"""Batch normalization."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Layer, Shape
from bigdl.layers import initializations, regularizers
from bigdl.layers.statistics import SharedBatchNorm, sum_over_workers
from bigdl.registry import layer

FEATURE_WISE, SAMPLE_WISE, FEATURE_WISE_BY_BATCH = 0, 1, 2


@layer()
class BatchNormalization(Layer):
    """``gamma (x - mean) / sqrt(variance + epsilon) + beta`` (Ioffe and Szegedy 2015).

    - Mode 0: mean and variance of each feature over the batch in training, running values otherwise. Each training
      batch moves those: ``running = momentum * running + (1 - momentum) * batch``, the variance being the biased one.
    - Mode 1: mean and variance of each sample over the last axis, and Keras's
      ``gamma (x - mean) / (sqrt(variance + epsilon) + epsilon) + beta``.
    - Mode 2: as mode 0, with the batch's values always.

    As in Keras, ``trainable=False`` keeps gamma and beta only; and ``running_std`` is a variance.

    Args:
        epsilon: Added to the variance.
        mode: 0, 1 or 2.
        axis: The axis of the features; the batch axis counts.
        momentum: The weight of the old running values.
        weights: Initial values ``[gamma, beta, running_mean, running_std]``.
        beta_init: The initialization of beta.
        gamma_init: The initialization of gamma.
        gamma_regularizer: A penalty of gamma.
        beta_regularizer: A penalty of beta.
        kwargs: See ``Layer``.

    Raises:
        LayerError: The mode is another.
    """

    supports_masking = True
    gamma: Tensor
    beta: Tensor
    running_mean: Tensor
    running_variance: Tensor

    def __init__(
        self,
        epsilon: float = 1e-3,
        mode: int = 0,
        axis: int = -1,
        momentum: float = 0.99,
        weights: Any = None,
        beta_init: Any = "zero",
        gamma_init: Any = "one",
        gamma_regularizer: Any = None,
        beta_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(weights=weights, **kwargs)
        self.epsilon = float(epsilon)
        self.mode = int(mode)
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.moves_running_values = self.mode == FEATURE_WISE
        self.beta_init = beta_init
        self.gamma_init = gamma_init
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        if self.mode not in (FEATURE_WISE, SAMPLE_WISE, FEATURE_WISE_BY_BATCH):
            raise LayerError(f"Layer {self.name!r} (BatchNormalization): mode must be 0, 1 or 2. Received: {mode!r}.")

    def build(self, input_shape: Shape) -> None:
        """Creates gamma, beta and the running values.

        Raises:
            LayerError: The axis is not one of the input's, is the batch's, or has no known length.
        """
        rank = len(input_shape)
        features = input_shape[self.axis] if -rank < self.axis < rank and self.axis != 0 else None
        if features is None:
            raise LayerError(
                f"Layer {self.name!r} (BatchNormalization): axis must be an axis of known length, not the batch's. "
                f"Received: axis={self.axis} for an input of shape {input_shape}."
            )
        self.feature_axis = 1 if self.axis % rank == 1 else self.axis % rank - rank
        shape = (features,)
        gamma_init, beta_init = initializations.get(self.gamma_init), initializations.get(self.beta_init)
        self.add_weight("gamma", shape, gamma_init, attribute="gamma", regularizer=self.gamma_regularizer)
        self.add_weight("beta", shape, beta_init, attribute="beta", regularizer=self.beta_regularizer)
        self.add_weight("running_mean", shape, initializations.zero, attribute="running_mean", trainable=False)
        self.add_weight("running_std", shape, initializations.one, attribute="running_variance", trainable=False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalizes; the shape is kept."""
        if self.mode == SAMPLE_WISE:
            return self.normalize_samples(x)
        # Sequences as images of one column: torch has fast channels-last kernels for images, none for sequences.
        images = x.unsqueeze(2) if x.dim() == 3 else x
        y = self.normalize_features(images.movedim(self.feature_axis, 1)).movedim(1, self.feature_axis)
        return y.squeeze(2) if x.dim() == 3 else y

    def normalize_samples(self, x: Tensor) -> Tensor:
        """Normalizes each sample over its last axis."""
        variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
        return self.gamma * ((x - mean) / (torch.sqrt(variance + self.epsilon) + self.epsilon)) + self.beta

    def normalize_features(self, x: Tensor) -> Tensor:
        """Normalizes each feature of a tensor ``(batch, features, ...)``; moves the running values in training."""
        if not self._uses_batch:
            return self._batch_norm(x, self.running_mean, self.running_variance, training=False)
        total = sum_over_workers()
        if total is not None:
            y, mean, biased = SharedBatchNorm.apply(x, self.gamma, self.beta, self.epsilon, total)  # type: ignore[no-untyped-call]
        else:
            mean, variance = torch.zeros_like(self.running_mean), torch.zeros_like(self.running_variance)
            y = self._batch_norm(x, mean, variance, training=True)
            count = x.numel() // x.shape[1]  # of the cells of which torch gives the unbiased variance
            biased = variance * ((count - 1) / count) if count > 1 else torch.zeros_like(variance)
        self.take_statistics(mean, biased)
        return cast(Tensor, y)

    @property
    def _uses_batch(self) -> bool:
        return self.mode != FEATURE_WISE or self.training

    @property
    def uses_batch_alone(self) -> bool:
        """Whether features are normalized by the mean and the variance of the batch, and no worker has a part of it."""
        return self._uses_batch and sum_over_workers() is None

    def take_statistics(self, mean: Tensor, variance: Tensor) -> None:
        """Takes note of the mean and the biased variance of a batch by which features were normalized."""
        if self.moves_running_values:
            self._move_running_values(mean, variance)

    def _batch_norm(self, x: Tensor, mean: Tensor, variance: Tensor, training: bool) -> Tensor:
        """Normalizes by the given values, or in training by those of the batch, which it then writes there."""
        return torch.batch_norm(
            x, self.gamma, self.beta, mean, variance, training, 1.0, self.epsilon, torch.backends.cudnn.enabled
        )

    @torch.no_grad()
    def _move_running_values(self, mean: Tensor, variance: Tensor) -> None:
        """Moves the running values towards those of a batch."""
        self.running_mean.lerp_(mean.to(self.running_mean), 1.0 - self.momentum)
        self.running_variance.lerp_(variance.to(self.running_variance), 1.0 - self.momentum)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them: without the initializations."""
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "mode": self.mode,
            "axis": self.axis,
            "momentum": self.momentum,
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
        }
