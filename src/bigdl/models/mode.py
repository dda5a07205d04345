"""One attribute for two habits: torch's ``module.training`` is a flag, BigDL's ``model.training()`` a method."""

from __future__ import annotations

from typing import Any, Self


class TrainingMode(int):
    """A flag that is true in training mode; called, it switches the mode of its model."""

    _model: Any

    def __new__(cls, value: bool, model: Any) -> Self:
        """Makes the flag of a model."""
        flag = super().__new__(cls, bool(value))
        flag._model = model
        return flag

    def __call__(self, is_training: bool = True) -> Any:
        """Puts the model into training mode, or into evaluation mode.

        Args:
            is_training: Whether it shall be training mode.

        Returns:
            The model.
        """
        return self._model.train(is_training)

    def __repr__(self) -> str:
        return repr(bool(self))
