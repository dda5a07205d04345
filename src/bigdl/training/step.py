"""What happens to one batch: outputs, loss, gradients, new weights."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from operator import attrgetter, is_

import torch
from torch import Tensor

from bigdl.graph import Container, Weight
from bigdl.graph.arithmetic import known_values
from bigdl.layers.statistics import shared_statistics
from bigdl.layers.tables import gradients_of_rows
from bigdl.programs import DirectNetwork, Program, program_for
from bigdl.training import losses
from bigdl.training.batches import Batch
from bigdl.training.data import Placement
from bigdl.training.diagnosis import NonFiniteElsewhereError, check_sizes, non_finite_loss
from bigdl.training.division import Division
from bigdl.training.goal import Goal
from bigdl.training.gradients import requiring_gradients
from bigdl.training.group import Group, SingleWorker
from bigdl.training.inference import run_on
from bigdl.training.losses import LossTerm, Regularization, vector
from bigdl.training.mover import Mover
from bigdl.training.penalties import WeightPenalties
from bigdl.training.regularization import forget_activity, penalised_layers

_GRADIENT = attrgetter("grad")
_NO_MASKS: list[Tensor | None] = [None]

_Slope = tuple[Tensor, Tensor | None]
"""What has gradients, and the objective's gradient by it; None where it is the objective itself."""


class Step:
    """Trains or tests a model on one batch at a time.

    The model is run in the mode that it is in.

    Args:
        model: The model.
        goal: What to make small.
        optimizer: Moves the weights.
        weights: The weights to move.
        clip: Limits the gradients before the optimizer sees them.
        group: The workers among which batches are divided.

    Attributes:
        wants_to_stop: Asked at each step whether training is to end with it; one worker's yes is enough.
        stopped: Whether a worker wanted the last step to be the last one.
        shares_statistics: Whether batch normalization takes its statistics over the rows of all workers, as one worker
            alone would; else over each worker's own, and the running values move by their mean, weighted by the rows.
        in_bf16: Whether products are of bfloat16; see ``bigdl.programs.precision``.
    """

    in_bf16 = False

    def __init__(
        self,
        model: Container,
        goal: Goal,
        optimizer: Mover,
        weights: Sequence[Weight],
        clip: Callable[[list[Tensor]], list[Tensor]] | None = None,
        group: Group | None = None,
    ) -> None:
        self.model = model
        self.goal = goal
        self.optimizer = optimizer
        self.clip = clip
        self.group: Group = group or SingleWorker()
        self.wants_to_stop: Callable[[], bool] = _never
        self.stopped = False
        self.shares_statistics = False
        self._penalised = penalised_layers(model)
        self._regularization = Regularization(model)
        self._parameters = tuple({id(weight.parameter): weight.parameter for weight in weights}.values())
        self._weight_penalties = WeightPenalties(self._regularization.penalties, self._parameters)
        self._division = Division(goal, bool(self._penalised))
        self._by_outputs_alone = goal.is_of_outputs and not self._penalised
        self._is_plain = self._by_outputs_alone and not self._regularization.penalties and bool(self._parameters)
        self._is_plain &= not goal.uses_graph
        self._direct: DirectNetwork | None = None
        self._buffers = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
        optimizer.bind(weights)

    def train(self, batch: Batch, where: str) -> list[float]:
        """Moves the weights once.

        Args:
            batch: The batch.
            where: Which one it is, for messages.

        Returns:
            The loss, its terms and the measures, computed with the weights before they were moved.

        Raises:
            TrainingError: The loss is not finite; the weights are left as they were.
        """
        outputs = self._directly(self._program(), batch) if self._is_plain and batch.held else None
        graded = None if outputs is None else self.goal.graded(outputs, _NO_MASKS, batch)
        if outputs is None or graded is None or self._direct is None:
            return self._train(batch, where, outputs)
        # Nothing else has a part in it; all that is done for what others need would take longer than a small network.
        term, of_output = graded
        results, _ = self._summed([*map(float, self._values([term], 0.0, outputs, batch))], 0.0)
        if not math.isfinite(results[0]):
            raise non_finite_loss(self.model, self.goal.names, batch, results, where)
        self._move(self._direct.gradients(of_output))
        return results

    def _train(self, batch: Batch, where: str, outputs: list[Tensor] | None = None) -> list[float]:
        """Does what ``train`` does, whatever has a part in it.

        Args:
            batch: The batch.
            where: Which one it is.
            outputs: The outputs, where ``self._direct`` has computed them.
        """
        before = [buffer.clone() for buffer in self._buffers] if self.group.size > 1 else []
        with requiring_gradients(self._parameters), self._statistics(), gradients_of_rows(self._takes_table):
            slope, values = self._run(batch, outputs)
            penalty, of_penalty = self._penalty()
            own_are_finite = self.group.size > 1 and bool(torch.isfinite(values).all())
            gradients, (*moves, values) = self.group.sum_gradients(
                self._parameters,
                lambda: self._gradients(slope),
                lambda: [(new - old) * batch.held for new, old in zip(self._buffers, before, strict=False)] + [values],
            )
        for buffer, old, move in zip(self._buffers, before, moves, strict=False):
            buffer.copy_(old + move / batch.rows)
        results, divisor_of_one = self._summed(values.tolist(), penalty)
        if not math.isfinite(results[0]):
            if own_are_finite:
                raise NonFiniteElsewhereError(f"Training stopped at {where}: the loss is {results[0]}.")
            raise non_finite_loss(self.model, self.goal.names, batch, results, where)
        if self._parameters:
            if self._division.later(batch, self.group) and batch.rows != divisor_of_one:
                gradients = list(torch._foreach_mul(gradients, batch.rows / divisor_of_one))
            if of_penalty:
                gradients = [a if b is None else a + b for a, b in zip(gradients, of_penalty, strict=True)]
            self._move(gradients)
        return results

    def _move(self, gradients: list[Tensor]) -> None:
        if self.clip is not None:
            gradients = self.clip(gradients)
        if not all(map(is_, gradients, map(_GRADIENT, self._parameters))):
            for parameter, gradient in zip(self._parameters, gradients, strict=True):
                parameter.grad = gradient
        self.optimizer.step()

    def test(self, batch: Batch) -> list[float]:
        """Computes what ``train`` returns, and moves nothing."""
        with torch.no_grad(), self._statistics():
            _, values = self._run(batch)
            (values,) = self.group.all_reduce([values])
            return self._summed(values.tolist(), self._penalty()[0])[0]

    # One worker's part. What all workers' parts add up to: the gradients, and behind them the values of ``_run``.

    def _run(self, batch: Batch, known: list[Tensor] | None = None) -> tuple[_Slope | None, Tensor]:
        """Runs the model on this worker's rows.

        Args:
            batch: The rows.
            known: The outputs, where ``self._direct`` has computed them.

        Returns:
            What has gradients, None for no rows. And a vector: numerator and parts of each term, the penalties of
            activations, the measures multiplied by the rows, the rows, and whether to stop.
        """
        forget_activity(self._penalised)
        if not batch.held:
            return self._slope_of_no_rows(batch), self._no_rows(batch)
        with known_values(self.goal.uses_graph):
            try:
                outputs, masks = self._outputs(batch) if known is None else (known, _NO_MASKS)
            except (RuntimeError, IndexError):
                check_sizes(self.model, batch.inputs)
                raise
            alone = self._by_outputs_alone and torch.is_grad_enabled() and not self._division.later(batch, self.group)
            graded = self.goal.graded(outputs, masks, batch) if alone and known is None else None
            if graded is None:
                if self._direct is not None:
                    outputs[0].requires_grad_()
                terms = self.goal.terms(outputs, masks, batch)
                objective = self._division.objective(terms, batch, self.group)
            else:
                terms = [graded[0]]
            penalties = self._regularization.activities()
            if isinstance(penalties, Tensor):
                objective = objective + penalties
            with torch.no_grad():
                slope = (objective, None) if graded is None else (outputs[0], graded[1])
                return slope, vector(self._values(terms, penalties, outputs, batch), outputs[0])

    def _values(
        self, terms: Sequence[LossTerm], penalties: Tensor | float, outputs: list[Tensor], batch: Batch
    ) -> list[Tensor | float]:
        measures = [value * batch.held for value in self.goal.measures(outputs, batch)]
        values = [x for term in terms for x in (term.numerator, *term.counted())]
        return [*values, penalties, *measures, float(batch.held), float(self.wants_to_stop())]

    def _outputs(self, batch: Batch) -> tuple[list[Tensor], list[Tensor | None]]:
        program = self._program()
        if program is None or program.has_masks:  # of which the loss has to know
            self._direct = None
            return run_on(self.model, batch)
        outputs = self._directly(program, batch)
        if outputs is None:
            outputs = program.run_recorded(batch.inputs) if self._is_alone() else program.run(batch.inputs)
        return outputs, [None] * len(outputs)

    def _program(self) -> Program | None:
        return None if self._shared else program_for(self.model, bool(self.model.training), self.in_bf16)

    def _is_alone(self) -> bool:
        """Whether there are gradients, and none but by the outputs of this worker and by the weights themselves."""
        return self.group.size == 1 and not self._penalised and torch.is_grad_enabled()

    def _directly(self, program: Program | None, batch: Batch) -> list[Tensor] | None:
        """Returns the output, computed without torch's record by ``self._direct``; None where that cannot be."""
        self._direct = None
        if program is None or program.has_masks or not self._is_alone():
            return None
        direct = program.direct(self._parameters)
        if direct is None or not direct.takes(batch.inputs):
            return None
        with gradients_of_rows(self._takes_table):
            output = direct.run(batch.inputs)
        self._direct = None if output is None else direct
        return None if output is None else [output]

    def _no_rows(self, batch: Batch) -> Tensor:
        if self._division.first(batch, self.group):
            self.group.all_reduce([torch.zeros(len(self.goal.names), 3, dtype=torch.float64)])
        place = Placement.of(self.model)
        size = 4 * len(self.goal.names) + self.goal.measure_count + 3
        values = torch.zeros(size, dtype=place.dtype, device=place.device)
        values[-1] = float(self.wants_to_stop())
        return values

    def _slope_of_no_rows(self, batch: Batch) -> _Slope | None:
        """Returns 0, after running the model only where others wait for this worker's statistics."""
        if not self.shares_statistics:
            return None
        outputs, _ = run_on(self.model, batch)
        return torch.stack([output.sum() for output in outputs]).sum(), None

    def _statistics(self) -> contextlib.AbstractContextManager[None]:
        return shared_statistics((lambda vector: self.group.all_reduce([vector])[0]) if self._shared else None)

    @property
    def _shared(self) -> bool:
        """Whether layers of statistics sum them over all workers."""
        return self.shares_statistics and self.group.size > 1

    def _gradients(self, slope: _Slope | None) -> list[Tensor]:
        if slope is not None and slope[1] is not None and self._direct is not None:
            return self._direct.gradients(slope[1])
        if slope is None or not self._parameters or not slope[0].requires_grad:
            return [torch.zeros_like(parameter) for parameter in self._parameters]
        of, by = slope
        if self._direct is None:
            return list(torch.autograd.grad(of, self._parameters, by, materialize_grads=True))
        return self._direct.gradients_of(of, self._by_outputs_alone)

    # What the sums mean.

    def _summed(self, numbers: list[float], penalty: float) -> tuple[list[float], float]:
        """Returns the loss, its terms and the measures; and what the first term was divided by."""
        results, divisor_of_one, stop = losses.results(self.goal.factors, numbers, penalty)
        self.stopped = stop > 0
        return results, divisor_of_one

    def _penalty(self) -> tuple[float, Sequence[Tensor | None]]:
        """Returns the penalty of the weights, which each worker computes for itself, and its gradients, if any."""
        return self._weight_penalties.value_and_gradients(wanted=torch.is_grad_enabled())

    def _takes_table(self, parameter: Tensor) -> bool:
        return self.group.size == 1 and self.clip is None and self.optimizer.takes_table(parameter)


def _never() -> bool:
    return False
