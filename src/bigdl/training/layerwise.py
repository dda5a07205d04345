"""An optimizer for each layer, by name, as BigDL takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from bigdl.errors import DataError
from bigdl.graph import Container, Weight
from bigdl.training.optimizers import Optimizer
from bigdl.training.triggers import Progress


class LayerwiseOptimizer:
    """Moves the weights of each layer by an optimizer of its own.

    Args:
        model: The model.
        methods: The optimizers by the names of layers; a nested model's name stands for all that is in it.

    Raises:
        LayerError: There is no layer of a name.
        DataError: A weight would be moved by none of them, or by two.
    """

    def __init__(self, model: Container, methods: Mapping[str, Optimizer]) -> None:
        self._methods: dict[str, tuple[Optimizer, list[Weight]]] = {}
        owners: dict[Weight, str] = {}
        for name, method in methods.items():
            weights = model.get_layer(name).trainable_weights
            twice = next((owners[weight] for weight in weights if weight in owners), None)
            if twice is not None:
                raise DataError(f"The optimizers of {twice!r} and {name!r} would move the same weights.")
            owners.update(dict.fromkeys(weights, name))
            self._add(name, method, weights)
        orphans = [weight.module.name for weight in model.trainable_weights if weight not in owners]
        if orphans:
            raise DataError(
                f"Model {model.name!r}: layer {orphans[0]!r} has weights to train, but no optimizer. Received "
                f"optimizers for: {', '.join(methods) or 'none'}. Give it one, or freeze it."
            )

    def _add(self, name: str, method: Optimizer, weights: list[Weight]) -> None:
        """Adds weights to those of a method, which may be given for several layers."""
        for key, (known, own) in self._methods.items():
            if known is method:
                self._methods[key] = (method, own + weights)
                return
        self._methods[name] = (method, weights)

    @property
    def iterations(self) -> int:
        """The number of steps done."""
        return max((method.iterations for method, _ in self._methods.values()), default=0)

    @property
    def progress(self) -> Progress | None:
        """How far training has come, for schedules that look at it."""
        return next((method.progress for method, _ in self._methods.values()), None)

    @progress.setter
    def progress(self, progress: Progress | None) -> None:
        for method, _ in self._methods.values():
            method.progress = progress

    def learning_rates(self) -> dict[str, float]:
        """Returns the next step's learning rates, by the names of layers."""
        return {name: float(method.learning_rate()) for name, (method, _) in self._methods.items()}

    def bind(self, weights: Sequence[Weight]) -> None:
        """Gives each optimizer the weights of its layer; those that are passed are all of them."""
        for method, own in self._methods.values():
            method.bind(own)

    def takes_table(self, parameter: Tensor) -> bool:
        """Whether the gradient of a table may be a sparse tensor; see ``Optimizer``."""
        return any(method.takes_table(parameter) for method, _ in self._methods.values())

    def step(self) -> None:
        """Moves all weights once."""
        for method, own in self._methods.values():
            if own:
                method.step()

    def state_dict(self) -> dict[str, Tensor]:
        """Returns the states of all optimizers."""
        return {
            f"{name}/{key}": tensor
            for name, (method, _) in self._methods.items()
            for key, tensor in method.state_dict().items()
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Writes what ``state_dict`` returned.

        Raises:
            WeightMismatchError: It is the state of other optimizers.
        """
        for name, (method, _) in self._methods.items():
            prefix = f"{name}/"
            method.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
