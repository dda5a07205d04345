"""The computation as a program of ``torch.export``, which runs without this library."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.nn.modules.module import register_module_forward_pre_hook

from bigdl import files
from bigdl.errors import BigDLError, ExportError
from bigdl.export.open_lengths import lengths_kept_open
from bigdl.export.tracing import fixed_axes, quiet, reason
from bigdl.export.training_state import warn_of_training
from bigdl.graph import Container, Layer, Shape
from bigdl.layers import TimeDistributed
from bigdl.training.data import Placement
from bigdl.training.inference import in_mode
from bigdl.training.regularization import forget_activity, penalised_layers

RESTRICTIONS: dict[type[Layer], str] = {
    TimeDistributed: "An open number of steps together with a fixed batch size only around layers that treat each "
    "sample by itself.",
}
"""What of which layers cannot be followed."""

# Lengths that stand for open ones: the one after the first at which every layer has an output, as torch takes a length
# of 1 on the way for a fixed one. The batch is never one row for the same reason.
_LENGTHS = (6, 24, 96, 384, 1536)
_ROWS = 2


def write_program(model: Container, path: files.Uri) -> None:
    """Writes a model as a program of torch, for prediction: ``torch.export.load(path).module()(*inputs)``.

    The number of rows is open, and so are lengths that the model leaves open. A stateful layer keeps its state from
    call to call. Whole programs are described in ``docs/exports.md``.

    Args:
        model: The model.
        path: A path or a URI.

    Raises:
        ExportError: ``torch.export`` cannot follow a layer, or fixes a length that the model leaves open.
        StorageError: The file cannot be written there.
    """
    program = exported_program(model)
    warn_of_training(model, path)
    with files.write_atomic(path) as local, open(local, "wb") as file, quiet():  # it wonders about kernels' strides
        torch.export.save(program, file)


def exported_program(model: Container) -> ExportedProgram:
    """Returns a model as a program of torch; see ``write_program``.

    Its parameters share the model's memory, and ask for no gradients.

    Args:
        model: The model.

    Raises:
        ExportError: See ``write_program``.
    """
    shapes = [tensor.shape for tensor in model.inputs]
    rows = Dim("batch")
    dims = [{i: Dim.AUTO if i else rows for i, n in enumerate(shape) if n is None} for shape in shapes]
    with in_mode(model, training=False), torch.no_grad(), _told_by_layer(model), lengths_kept_open(model):
        program = torch.export.export(_Program(model), example_inputs(model), dynamic_shapes=tuple(dims), strict=False)
    _check_open(model, program)
    for name, value in program.state_dict.items():
        if isinstance(value, nn.Parameter):  # with gradients, each call would trace the loops over time anew
            program.state_dict[name] = nn.Parameter(value.detach(), requires_grad=False)
    return program


class _Program(nn.Module):
    """A model whose inputs are arguments of their names."""

    def __init__(self, model: Container) -> None:
        super().__init__()
        self._modules = model._modules

        penalised = penalised_layers(model)

        def forward(*inputs: Tensor) -> Any:
            outputs = model.run(list(inputs))[0]
            forget_activity(penalised)
            return tuple(outputs) if isinstance(outputs, list) else outputs

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        names = dict.fromkeys(
            re.sub(r"\W", "_", f"_{name}" if name[0].isdigit() else name) for name in model.input_names
        )
        forward.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
        self.forward = forward


def example_inputs(model: Container) -> tuple[Tensor, ...]:
    """Returns zeros that the model takes, a few rows of them.

    Args:
        model: The model.

    Raises:
        ExportError: There is no length for the open axes at which every layer has an output.
    """
    place = Placement.of(model)
    shapes = _example_shapes(model)
    return tuple(
        torch.zeros(shape, dtype=place.cast(tensor.dtype), device=place.device)
        for shape, tensor in zip(shapes, model.inputs, strict=True)
    )


def _example_shapes(model: Container) -> list[tuple[int, ...]]:
    problem: BigDLError | None = None
    for length, larger in itertools.pairwise(_LENGTHS):
        shapes = [_sized(tensor.shape, length) for tensor in model.inputs]
        try:
            model.get_output_shape_for(list(shapes) if len(shapes) > 1 else shapes[0])
        except BigDLError as error:
            problem = error
        else:
            return [_sized(tensor.shape, larger) for tensor in model.inputs]
    raise ExportError(f"Model {model.name!r}: no length of its open axes was found that all layers take.") from problem


def _sized(shape: Shape, length: int) -> tuple[int, ...]:
    return tuple((length if i else _ROWS) if n is None else n for i, n in enumerate(shape))


@contextlib.contextmanager
def _told_by_layer(model: Container) -> Iterator[None]:
    """Turns what torch raises inside the block into an ``ExportError`` that names the layer."""
    running: list[Layer] = []
    hook = register_module_forward_pre_hook(
        lambda module, _: running.append(module) if isinstance(module, Layer) else None
    )
    try:
        yield
    except Exception as error:  # torch raises many kinds
        where = f"layer {running[-1].name!r} ({type(running[-1]).__name__})" if running else "the model"
        raise ExportError(
            f"Model {model.name!r} cannot be a program of torch.export: it stopped at {where}. "
            f"{reason(error)}. If the model has functions of your own, write them with torch's operators only, "
            "without looking at values; if axes are open, give the model's first layers a full input_shape."
        ) from error
    finally:
        hook.remove()


def _check_open(model: Container, program: ExportedProgram) -> None:
    """Checks that axes that the model leaves open are open in the program.

    Raises:
        ExportError: One of them is not.
    """
    axes = fixed_axes(program, [tensor.shape for tensor in model.inputs])
    for tensor, fixed in zip(model.inputs, axes, strict=True):
        if fixed:
            raise ExportError(
                f"Model {model.name!r} leaves axis {fixed[0]} of its input {tensor.layer.name!r} open, shape "
                f"{tensor.shape}, but computes in a way that torch.export can follow for one length only. Give the "
                "first layer a full input_shape."
            )
