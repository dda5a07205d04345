"""Prediction of one array for each input, in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bigdl.graph import Container
from bigdl.programs import Program, program_for
from bigdl.training.regularization import penalised_layers


class QuickPrediction:
    """Predicts one batch of arrays that need no conversion, with everything looked up beforehand.

    Of a single sample and a small network, looking things up would take most of the time.

    Args:
        model: A model, in float32 on the CPU.
        program: Its program.
    """

    def __init__(self, model: Container, program: Program) -> None:
        self._own = vars(model)
        self._program = program
        self._modes = [vars(module) for layer in program.called for module in layer.modules()]
        self._run_array = program.run_array
        self._parameter = next(model.parameters(), None)
        self._forms = [(entry.shape[1:], np.dtype(entry.dtype)) for entry in model.inputs]
        self._form = self._forms[0] if len(self._forms) == 1 else None

    @classmethod
    def of(cls, model: Container) -> QuickPrediction | None:
        """Returns that of a model, made anew when its layers have changed; None where there cannot be one."""
        kept = model.graph.plan.kept
        before: QuickPrediction | None = kept.get(cls)
        if cls not in kept or (before is not None and not before._program.is_current()):
            program = program_for(model, training=False)
            possible = program is not None and not model.stateful and _have_modes(program)
            kept[cls] = cls(model, program) if possible and program is not None else None
        found: QuickPrediction | None = kept[cls]
        return found

    def takes(self, x: NDArray[Any], batch_size: Any) -> bool:
        """Whether an array is one batch that needs no conversion, and the model is what it was.

        Args:
            x: The array of the only input.
            batch_size: Rows at a time.
        """
        return type(batch_size) is int and _is_of(x, self._form) and 0 < len(x) <= batch_size and self._is_plain()

    def takes_all(self, arrays: Sequence[Any], batch_size: Any) -> bool:
        """Whether that is so of what is given for the inputs.

        Args:
            arrays: One for each input.
            batch_size: Rows at a time.
        """
        if type(batch_size) is not int or len(arrays) != len(self._forms):
            return False
        if not all(type(x) is np.ndarray and _is_of(x, form) for x, form in zip(arrays, self._forms, strict=True)):
            return False
        return 0 < len(arrays[0]) <= batch_size and len({*map(len, arrays)}) == 1 and self._is_plain()

    def _is_plain(self) -> bool:
        p = self._parameter
        return (p is None or (p.dtype is torch.float32 and p.is_cpu)) and "run" not in self._own

    def __call__(self, *arrays: NDArray[Any]) -> Any:
        """Returns the output, or a list where there are several.

        Args:
            arrays: One for each input.
        """
        self._program.refresh()
        if self._run_array is not None and arrays[0].flags.c_contiguous:
            return self._run_array(*arrays)
        in_training = [own for own in self._modes if own["training"]]
        for own in in_training:  # past torch's way to set it, which takes longer than a small network
            own["training"] = False
        try:
            with torch.inference_mode():
                results = [y.numpy().copy() for y in self._program.run([*map(torch.from_numpy, arrays)])]
        finally:
            for own in in_training:
                own["training"] = True
        return results[0] if len(results) == 1 else results


def _is_of(x: NDArray[Any], form: tuple[Any, np.dtype[Any]] | None) -> bool:
    """Whether an array's rows have a shape and a type, and it can be looked at as a tensor."""
    return form is not None and x.shape[1:] == form[0] and x.dtype == form[1] and x.flags.writeable


def _have_modes(program: Program) -> bool:
    """Whether the layers that a program calls know by an attribute in which mode they are, and remember nothing."""
    modules = [module for layer in program.called for module in layer.modules()]
    return not any(map(penalised_layers, program.called)) and all("training" in vars(module) for module in modules)
