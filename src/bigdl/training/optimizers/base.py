"""What all optimizers share: the state beside each parameter, clipping, decay, constraints, saving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.errors import DataError, TrainingError, UnsupportedLayerError, WeightMismatchError
from bigdl.graph import Weight
from bigdl.training.optimizers.blocks import Blocks
from bigdl.training.optimizers.clipping import clip_by_norm, clip_by_value
from bigdl.training.optimizers.native import Rule as Rule
from bigdl.training.optimizers.native import decayed
from bigdl.training.optimizers.stored import Stored
from bigdl.training.optimizers.variable import ONE, Variable
from bigdl.training.schedules import Moment, Schedule
from bigdl.training.triggers import Progress


class Optimizer(Stored, ABC):
    """Moves parameters against their gradients, as Keras 1.2.2's optimizers do.

    A subclass names its accumulators and gives the rule of one step. Numbers that Keras keeps as variables (``lr``,
    ...) are kept here as float32 too, so that what is computed from them rounds alike.

    Attributes:
        accumulators: What is kept beside each parameter, in the order in which Keras saves it.
        saves_iterations: Whether Keras saves the step counter before the accumulators.
        moves_tables: Whether the rule may be one that takes gradients of rows.
        lr: The learning rate.
        decay: The learning rate of step ``i``, from 0, is ``lr / (1 + decay i)``.
        iterations: The number of steps done.
        clipnorm: The largest norm of all gradients together; None for no clipping.
        clipvalue: The largest absolute value of a gradient; None for no clipping.
        weight_decay: The share of each parameter that is added to its gradient (BigDL's; 0 in Keras).
        schedule: Gives the learning rate instead of ``decay`` (BigDL's); None for none.
        progress: How far training has come, for schedules that look at it; set by the loop.
        loaded: What ``load`` has read, and the next ``bind`` takes; None for nothing.
        multipliers: By what the steps of a weight are multiplied, 1 where nothing is said; set before ``bind``.
        config_name: The class that ``get_config`` is for: the class itself, or the one whose maths it uses.

    Args:
        lr: The learning rate.
        decay: How fast it decays.
        clipnorm: See above.
        clipvalue: See above.
        weight_decay: See above.
    """

    accumulators: ClassVar[tuple[str, ...]] = ()
    saves_iterations: ClassVar[bool] = False
    moves_tables: ClassVar[bool] = False
    config_name: ClassVar[str]

    lr = Variable()
    decay = Variable()

    def __init_subclass__(cls, config_class: type | None = None) -> None:
        cls.config_name = (config_class or cls).__name__
        if "get_updates" in vars(cls):
            raise UnsupportedLayerError(
                f"Class {cls.__name__!r} defines get_updates, which describes a graph of TensorFlow or Theano. Define "
                "rule() instead, which returns a function that moves (parameters, gradients, *accumulators) in place, "
                "and name in `accumulators` what is kept beside each parameter; see docs/custom.md."
            )

    def __init__(
        self,
        lr: float,
        decay: float = 0.0,
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        weight_decay: float = 0.0,
    ) -> None:
        self.lr = lr
        self.decay = decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.weight_decay = weight_decay
        self.schedule: Schedule | None = None
        self.progress: Progress | None = None
        self.multipliers: Mapping[Weight, float] = {}
        self.loaded: Mapping[str, Tensor] | None = None
        self.iterations = 0
        self._weights: list[Weight] = []
        self._constrained: list[Weight] = []
        self._parameters: list[Tensor] = []
        self._blocks = Blocks([], {})

    @abstractmethod
    def rule(self) -> Rule:
        """Returns the rule of the next step, with its numbers worked out."""

    def learning_rate(self) -> np.float32:
        """Returns the next step's learning rate."""
        if self.schedule is not None:
            return np.float32(self.schedule.rate(float(self.lr), self._moment()))
        if not self.decay:
            return np.float32(self.lr)
        return np.float32(self.lr * (ONE / (ONE + self.decay * np.float32(self.iterations))))

    def learning_rates(self) -> dict[str, float]:
        """Returns the next step's learning rate, without a name as there is one for all layers."""
        return {"": float(self.learning_rate())}

    def _moment(self) -> Moment:
        now = self.progress
        if now is None:
            return Moment(self.iterations, float(self.decay))
        return Moment(self.iterations, float(self.decay), now.epoch, now.loss, now.score)

    def kept_rows(self) -> tuple[str, ...]:
        """Returns what is kept beside each parameter."""
        return self.accumulators

    def initial_value(self, accumulator: str) -> float:
        """Returns what an accumulator starts from."""
        return 0.0

    # Stepping.

    def bind(self, weights: Sequence[Weight]) -> None:
        """Takes the weights to move and gives each parameter its accumulators; the same weights again keep theirs.

        Args:
            weights: The trainable weights of a model; several may be views of one parameter.
        """
        ordered = sorted(dict.fromkeys(weights), key=_saved_name)
        if self._weights and ordered == self._weights:
            self._scale()
            return
        self._weights = ordered
        self._constrained = [weight for weight in ordered if weight.constraint is not None]
        # As they are given, not by name: a model that is made again in one process has other names.
        self._parameters = list({id(weight.parameter): weight.parameter for weight in weights}.values())
        self.reset()
        if self.loaded is not None:
            self.load_state_dict(self.loaded)
            self.loaded = None

    def reset(self) -> None:
        """Forgets what past gradients left in the accumulators; the step counter stays, as in Keras."""
        self._blocks = Blocks(self._parameters, {name: self.initial_value(name) for name in self.kept_rows()})
        self._scale()

    def _scale(self) -> None:
        factors = {id(weight.parameter): factor for weight, factor in self.multipliers.items()}
        self._blocks.scale([factors.get(id(p), 1.0) for p in self._parameters])

    def step(self) -> None:
        """Moves the parameters once, reading their ``.grad`` (None counts as 0), then applies constraints.

        Raises:
            TrainingError: No weights are bound.
        """
        if not self._weights:
            raise TrainingError("The optimizer has no weights to move: call bind(model.trainable_weights) first.")
        gradients = self._blocks.gradients()
        with torch.no_grad():
            self.apply(self._clipped(gradients))
            for weight in self._constrained:
                weight.constrain()
        self.iterations += 1

    def takes_table(self, parameter: Tensor) -> bool:
        """Whether ``step`` takes the gradient of a table as a sparse tensor of the rows that were used."""
        if not self.moves_tables or self.clipnorm or self.clipvalue or self.weight_decay:
            return False
        return self._blocks.takes_table(parameter)

    def apply(self, gradients: list[Tensor]) -> None:
        """Moves the parameters by these gradients, one for each parameter, in its memory layout."""
        rule, weight_decay = self.rule(), self.weight_decay
        self._blocks.apply(decayed(rule, weight_decay) if weight_decay else rule, gradients)

    def _clipped(self, gradients: list[Tensor]) -> list[Tensor]:
        if self.clipnorm:
            gradients = clip_by_norm(gradients, self.clipnorm)
        if self.clipvalue:
            gradients = clip_by_value(gradients, -self.clipvalue, self.clipvalue)
        return gradients

    # Saving.

    def get_weights(self) -> list[NDArray[np.float32]]:
        """Returns the state as Keras 1.2.2 saves it: the accumulators, each in the order of the weights' names."""
        state: list[NDArray[np.float32]] = [np.array(self.iterations, np.float32)] if self.saves_iterations else []
        state += [np.array(view.numpy(), order="C") for view in self._views()]
        return state

    def set_weights(self, weights: Sequence[NDArray[Any]]) -> None:
        """Writes the state, in the order and layout of ``get_weights``.

        Raises:
            WeightMismatchError: The number of arrays or a shape differs; nothing is written then.
        """
        views = self._views()
        arrays = list(weights)
        expected = [()] * self.saves_iterations + [tuple(view.shape) for view in views]
        received = [tuple(array.shape) for array in arrays]
        if expected != received:
            raise WeightMismatchError(
                f"The state of {type(self).__name__} is {len(expected)} arrays of shapes {expected}. "
                f"Received: {len(received)} arrays of shapes {received}."
            )
        if self.saves_iterations:
            self.iterations = int(arrays.pop(0))
        for view, array in zip(views, arrays, strict=True):
            view.copy_(torch.from_numpy(np.array(array, dtype=np.float32)))

    def _views(self) -> list[Tensor]:
        """The state in Keras's layout: views that can be read and written."""
        kept = self.by_parameter().values()
        return [weight.view(beside[weight.parameter]) for beside in kept for weight in self._weights]

    def by_parameter(self) -> dict[str, dict[Tensor, Tensor]]:
        """Returns each accumulator as views that look like the parameters, to be read and written."""
        kept = self._blocks.accumulators()
        return {name: dict(zip(self._parameters, tensors, strict=True)) for name, tensors in kept.items()}

    def state_dict(self) -> dict[str, Tensor]:
        """Returns all that the next steps depend on, for an exact resume: counter, numbers and accumulators."""
        return self._fixed_state()

    def _fixed_state(self) -> dict[str, Tensor]:
        """The part of the state whose keys and shapes follow from the weights."""
        state = {"iterations": torch.tensor(self.iterations)}
        state.update((name, torch.tensor(float(value))) for name, value in self.numbers.items())
        for name, tensors in self._blocks.accumulators().items():
            state.update((f"{name}.{i}", tensor.contiguous().clone()) for i, tensor in enumerate(tensors))
        if self.schedule is not None:
            kept = self.schedule.state_dict()
            state.update((f"schedule.{key}", torch.tensor(value, dtype=torch.float64)) for key, value in kept.items())
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Writes what ``state_dict`` returned; the same weights must be bound.

        Raises:
            WeightMismatchError: Something is missing or has another shape; nothing is written then.
        """
        expected = self._fixed_state()
        wrong = [key for key in expected if key not in state or state[key].shape != expected[key].shape]
        if wrong or len(state) != len(expected):
            raise WeightMismatchError(
                f"This is not the state of a {type(self).__name__} of these weights. Expected: {len(expected)} "
                f"tensors. Received: {len(state)}; missing or of another shape: {', '.join(wrong) or 'none'}."
            )
        self.iterations = int(state["iterations"])
        for name in self.numbers:
            setattr(self, name, float(state[name]))
        for name, tensors in self._blocks.accumulators().items():
            for i, tensor in enumerate(tensors):
                tensor.copy_(state[f"{name}.{i}"])
        if self.schedule is not None:
            mark = "schedule."
            self.schedule.load_state_dict({k[len(mark) :]: float(v) for k, v in state.items() if k.startswith(mark)})

    # Configuration.

    @property
    def numbers(self) -> dict[str, NDArray[np.float32]]:
        """The numbers that may change between steps (``lr``, ``decay``, ...), by name."""
        kept: dict[str, NDArray[np.float32]] = self.__dict__.setdefault("_variable_values", {})
        return kept

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        clipping = {"clipnorm": self.clipnorm, "clipvalue": self.clipvalue}
        config: dict[str, Any] = {name: value for name, value in clipping.items() if value is not None}
        return {**config, "weight_decay": self.weight_decay} if self.weight_decay else config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes an optimizer from what ``get_config`` returned.

        Raises:
            DataError: An argument is not known.
        """
        try:
            return cls(**config)
        except TypeError as error:
            raise DataError(f"Optimizer {cls.__name__}: {error}. Received: {dict(config)}.") from error


def _saved_name(weight: Weight) -> str:
    """The name by which Keras on TensorFlow sorts the weights that it trains."""
    return f"{getattr(weight.module, 'name', '')}_{weight.name}:0"
