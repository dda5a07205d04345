"""What happens when: in training or in testing, by a condition, step by step of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph.phase import is_training, set_training

Branch = Tensor | Callable[[], Tensor]
Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, Sequence[Tensor]]]


def learning_phase() -> int:
    """Returns 1 inside a layer that runs in training, else 0."""
    return int(bool(is_training()))


def set_learning_phase(value: int) -> None:
    """Sets what ``learning_phase`` returns outside of layers.

    Raises:
        LayerError: It is neither 0 nor 1.
    """
    if value not in (0, 1):
        raise LayerError(f"The learning phase is 0 (test) or 1 (training). Received: {value!r}.")
    set_training(bool(value))


def in_train_phase(x: Branch, alt: Branch) -> Tensor:
    """Returns ``x`` in training, else ``alt``; either may be a function that gives it."""
    return _value(x if is_training() else alt)


def in_test_phase(x: Branch, alt: Branch) -> Tensor:
    """Returns ``alt`` in training, else ``x``; either may be a function that gives it."""
    return _value(alt if is_training() else x)


def switch(condition: Tensor | bool, then_expression: Branch, else_expression: Branch) -> Tensor:
    """Returns one of two tensors, by a single truth value; either may be a function that gives it."""
    return _value(then_expression if bool(condition) else else_expression)


def _value(x: Branch) -> Tensor:
    return x() if callable(x) and not isinstance(x, Tensor) else x


def stop_gradient(variables: Any) -> Any:
    """Returns tensors through which no gradient flows.

    Args:
        variables: A tensor, or a list of them.
    """
    if isinstance(variables, list | tuple):
        return [variable.detach() for variable in variables]
    return variables.detach()


def gradients(loss: Tensor, variables: Any) -> list[Tensor]:
    """Returns the gradients of a tensor that was computed.

    Args:
        loss: The tensor; the sum of its values where there are several.
        variables: A tensor that it was computed from, or a list of them.

    Returns:
        A list of a tensor for each.
    """
    given = list(variables) if isinstance(variables, list | tuple) else [variables]
    return list(torch.autograd.grad(loss.sum(), given, create_graph=True, materialize_grads=True))


def rnn(
    step_function: Step,
    inputs: Tensor,
    initial_states: Sequence[Tensor],
    go_backwards: bool = False,
    mask: Tensor | None = None,
    constants: Sequence[Tensor] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Applies a function step by step along the second axis.

    Args:
        step_function: Gives ``(output, new states)`` from a step ``(batch, ...)`` and the list of states and constants.
        inputs: ``(batch, time, ...)``.
        initial_states: The states before the first step.
        go_backwards: Whether the last step comes first.
        mask: ``(batch, time)``; a masked step repeats the output before it (zeros where there is none, or the first
            state if ``unroll`` is False, as in Keras) and keeps the states.
        constants: Tensors that every step is given.
        unroll: See ``mask``.
        input_length: Keras's argument; the length is the input's.

    Returns:
        The last output ``(batch, ...)``, all outputs ``(batch, time, ...)`` in the order of processing, and the states
        after the last step.

    Raises:
        LayerError: The input has no time axis, or there is a mask but no state.
    """
    if inputs.dim() < 3:
        raise LayerError(f"rnn needs an input (batch, time, ...). Received: shape {tuple(inputs.shape)}.")
    if mask is not None and not initial_states:
        raise LayerError("rnn needs initial states where there is a mask; the first one is the output of a step.")
    states, fixed = list(initial_states), list(constants or ())
    order = range(inputs.shape[1])
    outputs: list[Tensor] = []
    for t in reversed(order) if go_backwards else order:
        output, new_states = step_function(inputs[:, t], states + fixed)
        if mask is None:
            states = list(new_states)
        else:
            kept = mask.reshape(mask.shape[:2])[:, t].bool()
            before = states[0] if not unroll else (outputs[-1] if outputs else torch.zeros_like(output))
            output = _where(kept, output, before)
            states = [_where(kept, new, old) for new, old in zip(new_states, states, strict=True)]
        outputs.append(output)
    return outputs[-1], torch.stack(outputs, 1), states


def _where(kept: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return torch.where(kept.reshape(-1, *[1] * (x.dim() - 1)), x, y)


def map_fn(fn: Callable[[Any], Tensor], elems: Any, name: str | None = None) -> Tensor:
    """Applies a function to each slice of the first axis and joins the results.

    Args:
        fn: The function.
        elems: A tensor, or a tuple of them that are walked together.
        name: Keras's argument.
    """
    slices = zip(*elems, strict=True) if isinstance(elems, list | tuple) else elems
    return torch.stack([fn(item) for item in slices])


def foldl(
    fn: Callable[[Tensor, Tensor], Tensor], elems: Tensor, initializer: Tensor | None = None, name: str | None = None
) -> Tensor:
    """Folds the slices of the first axis from the first on: ``fn(... fn(initializer, x0) ..., xn)``.

    Args:
        fn: Gives the next result from the last one and a slice.
        elems: The slices.
        initializer: The first result; the first slice by default.
        name: Keras's argument.
    """
    return _folded(fn, list(elems), initializer)


def foldr(
    fn: Callable[[Tensor, Tensor], Tensor], elems: Tensor, initializer: Tensor | None = None, name: str | None = None
) -> Tensor:
    """Folds the slices of the first axis from the last on; see ``foldl``."""
    return _folded(fn, list(elems)[::-1], initializer)


def _folded(fn: Callable[[Tensor, Tensor], Tensor], slices: list[Tensor], initializer: Tensor | None) -> Tensor:
    result, rest = (slices[0], slices[1:]) if initializer is None else (initializer, slices)
    for item in rest:
        result = fn(result, item)
    return result
