"""Keeping lengths open in programs of ``torch.export`` that an example stood for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.fx.experimental._config
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from bigdl.graph import Container
from bigdl.layers.recurrent.states import StatefulLayer

_OPERATORS = {F.conv1d, F.conv2d, F.conv3d, F.conv_transpose2d, F.linear, torch.matmul, torch.bmm}


@contextlib.contextmanager
def lengths_kept_open(model: Container) -> Iterator[None]:
    """Inside the block ``torch.export`` makes no conditions on lengths that the operators do not need.

    One row, and lengths that come down to 1 on the way, as those of images in deep networks do, are then taken by the
    program, though not in the example. Loops over time need lengths of more than 1.

    Args:
        model: The model.
    """
    settings: Any = torch.fx.experimental._config
    is_open = any(None in tensor.shape[1:] for tensor in model.inputs)
    has_loops = any(isinstance(layer, StatefulLayer) for layer in model.modules())
    with settings.patch(backed_size_oblivious=is_open and not has_loops), _NoConditions():
        yield


class _NoConditions(TorchFunctionMode):
    """Keeps how products lie in memory from becoming a condition of the program.

    Torch tells from the example's lengths which kernel computes a product and in which order its result lies, and the
    program would refuse inputs for which that comes out otherwise.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        named: Mapping[str, Any] = kwargs or {}
        shapes = args[0].fake_mode.shape_env if func in _OPERATORS and isinstance(args[0], FakeTensor) else None
        with contextlib.nullcontext() if shapes is None else shapes.suppress_guards():
            return func(*args, **named)
