"""Two functions of Keras 1.2.2's ``engine.training`` that work on losses without a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from bigdl.errors import DataError
from bigdl.graph import Shape
from bigdl.training import objectives
from bigdl.training.losses import terms
from bigdl.training.objectives import Objective

# Keras compares targets with outputs for these only.
_SAME_SHAPE = ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy")


def weighted_objective(fn: Objective) -> Callable[..., Tensor]:
    """Returns a function of ``(y_true, y_pred, weights, mask=None)`` that gives the loss of a batch.

    Args:
        fn: The objective.
    """

    def weighted(y_true: Tensor, y_pred: Tensor, weights: Tensor | None, mask: Tensor | None = None) -> Tensor:
        return terms(fn, y_true, y_pred, weights, mask).value

    return weighted


def check_loss_and_target_compatibility(
    targets: Sequence[NDArray[Any]], losses: Sequence[Objective], output_shapes: Sequence[Shape]
) -> None:
    """Checks targets against objectives and outputs.

    Args:
        targets: The targets of each output.
        losses: The objective of each.
        output_shapes: The shape of each.

    Raises:
        DataError: Targets are not of the shape that the objective needs.
    """
    for target, loss, shape in zip(targets, losses, output_shapes, strict=True):
        name = objectives.name_of(loss)
        if name == "categorical_crossentropy" and target.shape[-1] == 1:
            raise DataError(
                f"You are passing a target array of shape {target.shape} while using as loss "
                "categorical_crossentropy, which expects a column for each class. For class numbers use "
                "sparse_categorical_crossentropy, or make columns of them with to_categorical."
            )
        wrong = any(n is not None and n != m for n, m in zip(shape[1:], target.shape[1:], strict=False))
        if name in _SAME_SHAPE and (wrong or len(shape) != len(target.shape)):
            raise DataError(
                f"{name} expects targets to have the same shape as the output, {tuple(shape)}. Received: "
                f"{target.shape}."
            )
