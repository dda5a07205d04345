"""BigDL's ``LocalOptimizer``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from bigdl.graph import Container
from bigdl.training.base_optimizer import BaseOptimizer
from bigdl.training.optim_methods import OptimMethod
from bigdl.training.triggers import Trigger


class LocalOptimizer(BaseOptimizer):
    """BigDL's ``LocalOptimizer``: as ``Optimizer``, with arrays.

    Args:
        X: The inputs: an array, or a list of arrays.
        Y: The targets.
        model: The model to train, in place.
        criterion: The loss.
        end_trigger: When to stop.
        batch_size: Rows for each step.
        optim_method: How the weights are moved, SGD by default; or one for each layer, by name.
        cores: How many threads to compute with.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self,
        X: Any,
        Y: Any,
        model: Container,
        criterion: Any,
        end_trigger: Trigger | None = None,
        batch_size: int = 32,
        optim_method: OptimMethod | Mapping[str, OptimMethod] | None = None,
        cores: int | None = None,
        bigdl_type: str = "float",
    ) -> None:
        super().__init__(model, (X, Y), criterion, end_trigger, batch_size, optim_method, cores)

    def set_validation(
        self,
        batch_size: int,
        X_val: Any = None,
        Y_val: Any = None,
        trigger: Trigger | None = None,
        val_method: Any = None,
        *,
        val_rdd: Any = None,
    ) -> Self:
        """Validates when a trigger holds.

        Args:
            batch_size: Rows at a time.
            X_val: The inputs.
            Y_val: The targets.
            trigger: When.
            val_method: What is computed, a list; ``[Top1Accuracy()]`` by default.
            val_rdd: Both in place of the two, as ``Optimizer`` takes them.
        """
        return self._validate_on((X_val, Y_val) if val_rdd is None else val_rdd, batch_size, trigger, val_method)
