"""What programs are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from bigdl.graph import Layer
from bigdl.programs.views import Views


@dataclass(frozen=True, slots=True)
class Source:
    """Where a weight is found: always that of the module as it is now.

    Attributes:
        owner: The module's parameters or buffers, by name.
        name: The name.
        is_flat: Whether its first two axes are taken for one.
    """

    owner: dict[str, Tensor | None]
    name: str
    is_flat: bool = False

    @classmethod
    def of(cls, module: nn.Module, name: str, is_flat: bool = False) -> Source:
        """Returns the place of a module's parameter or buffer."""
        parameters: Any = module._parameters
        return cls(parameters if name in parameters else module._buffers, name, is_flat)

    def __call__(self) -> Tensor:
        """Returns the weight."""
        tensor = self.owner[self.name]
        assert tensor is not None
        return tensor.flatten(0, 1) if self.is_flat else tensor


@dataclass(frozen=True, slots=True)
class Ref:
    """A value that an operation takes: the number of the operation that makes it, and how it is seen.

    Attributes:
        number: The number; inputs of the program have the first ones.
        views: What is done to its axes first.
    """

    number: int
    views: Views = ()


@dataclass(eq=False, slots=True)
class Operation:
    """One operation of a program.

    Attributes:
        inputs: What it takes.
        number: The number of what it makes.
    """

    inputs: list[Ref]
    number: int

    def sources(self) -> list[Source]:
        """Returns the weights behind it."""
        return []

    def kernel(self) -> Callable[..., Any]:
        """Returns what computes it."""
        raise NotImplementedError(
            f"{type(self).__name__} is computed in one way for prediction, in another in training"
        )


@dataclass(eq=False, slots=True)
class Apply(Operation):
    """A function of tensors.

    Attributes:
        function: The function.
        name: Keras's name of an activation, or ``"flatten"``, where it is known to be this; empty otherwise.
    """

    function: Callable[..., Any]
    name: str = ""

    def kernel(self) -> Callable[..., Any]:
        """Returns the function."""
        return self.function


@dataclass(eq=False, slots=True)
class Drop(Apply):
    """Sets some of the elements to zero; see ``bigdl.programs.dropping``.

    Attributes:
        share: Returns the share of them, 0 for nothing.
    """

    share: Callable[[], float] = field(kw_only=True)


@dataclass(eq=False, slots=True)
class Call(Apply):
    """What a layer computes.

    Attributes:
        layer: The layer.
    """

    layer: Layer = field(kw_only=True)


@dataclass(eq=False, slots=True)
class Add(Operation):
    """The sum of two tensors of one shape."""

    def kernel(self) -> Callable[..., Any]:
        """Returns the sum of torch."""
        return torch.add


@dataclass(eq=False, slots=True)
class Combine(Operation):
    """What two tensors of one shape make, value by value.

    Attributes:
        mode: ``"mul"`` for the product, ``"max"`` for the larger one, ``"rest"`` for the second one times what the
            first one lacks of 1.
    """

    mode: str

    def kernel(self) -> Callable[..., Any]:
        """Returns a function of torch."""
        functions = {"mul": torch.mul, "max": torch.maximum, "rest": lambda part, x: (1 - part) * x}
        return functions[self.mode]


@dataclass(eq=False, slots=True)
class Fold(Operation):
    """The steps of sequences as rows of a larger batch."""

    def kernel(self) -> Callable[..., Any]:
        """Returns a function that copies nothing."""
        return lambda x: x.flatten(0, 1)


@dataclass(eq=False, slots=True)
class Unfold(Operation):
    """Rows as the steps of sequences again; the second input is what was folded."""

    def kernel(self) -> Callable[..., Any]:
        """Returns a function that looks at the second input's shape only."""
        return lambda y, x: y.reshape(*x.shape[:2], *y.shape[1:])


@dataclass(eq=False, slots=True)
class Scale(Operation):
    """A factor and a summand for each feature (axis 1): batch normalization by known means and variances.

    Attributes:
        gamma: The factor of what is normalized.
        beta: What is added to it.
        mean: The means.
        variance: The variances.
        epsilon: Added to the variances.
        rank: The rank of what is scaled.
        relu: Whether ``max(x, 0)`` comes last.
    """

    gamma: Source
    beta: Source
    mean: Source
    variance: Source
    epsilon: float
    rank: int
    relu: bool = False

    def factors(self) -> tuple[Tensor, Tensor]:
        """Returns factor and summand, in float64."""
        gamma, beta, mean, variance = (s().detach().double() for s in (self.gamma, self.beta, self.mean, self.variance))
        factor = gamma / torch.sqrt(variance + self.epsilon)
        return factor, beta - mean * factor

    def sources(self) -> list[Source]:
        """Returns the weights behind it."""
        return [self.gamma, self.beta, self.mean, self.variance]


@dataclass(eq=False, slots=True)
class Affine(Operation):
    """A product with a weight, and what is done to it afterwards: scaled, added to the second input, ``relu``.

    Attributes:
        weight: The weight, output features first.
        bias: What is added to each output feature; None for nothing.
        scales: What multiplies the output features, the first one first.
        relu: Whether ``max(x, 0)`` is the last step, but for dropping.
        drop: What drops a part of the result in the end; None for nothing.
    """

    weight: Source
    bias: Source | None
    scales: list[Scale] = field(default_factory=list)
    relu: bool = False
    drop: Drop | None = None

    @property
    def is_finished(self) -> bool:
        """Whether something comes after the scales already."""
        return self.relu or len(self.inputs) > 1

    def sources(self) -> list[Source]:
        """Returns the weights behind it."""
        own = [self.weight] if self.bias is None else [self.weight, self.bias]
        return own + [source for scale in self.scales for source in scale.sources()]

    def folded(self) -> tuple[Tensor, Tensor | None]:
        """Returns weight and bias with the scales in them; those of the layer itself where there are none."""
        weight, bias = self.weight().detach(), None if self.bias is None else self.bias().detach()
        if not self.scales:
            return weight, bias
        total = torch.ones(len(weight), dtype=torch.float64, device=weight.device)
        shift = torch.zeros_like(total) if bias is None else bias.double()
        for scale in self.scales:
            factor, summand = scale.factors()
            total, shift = total * factor, shift * factor + summand
        return (weight * total.view(-1, *(1,) * (weight.dim() - 1))).to(weight.dtype), shift.to(weight.dtype)


@dataclass(eq=False, slots=True)
class Multiply(Affine):
    """A product with a matrix over the last axis.

    Attributes:
        rank: The rank of what is multiplied.
    """

    rank: int = 2


@dataclass(eq=False, slots=True)
class Chain(Operation):
    """Products with matrices, activations, normalization and dropping, one after the other; all of rank 2.

    Attributes:
        parts: Each takes what the one before makes; an ``Apply`` that drops nothing is an activation whose name is
            known, behind a product or a normalization.
    """

    parts: list[Operation] = field(default_factory=list)

    def sources(self) -> list[Source]:
        """Returns the weights behind it."""
        return [source for part in self.parts for source in part.sources()]


@dataclass(eq=False, slots=True)
class Convolve(Affine):
    """A convolution of a channels-first tensor.

    Attributes:
        size: The kernel's lengths.
        stride: Its steps.
        dilation: The distance of its cells.
        pads: Returns the zeros around images of some lengths, before and after, by axis.
        padded: Whether there may be any.
        window: The lengths of the windows, side by side, of whose values the largest is taken in the end; None for
            none.
        over_all: Whether the largest value over all positions is taken in the end.
        in_place: Whether the result may take the memory of what is added, which nobody needs any more.
    """

    size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    pads: Callable[[Sequence[int]], Sequence[tuple[int, int]]] = field(kw_only=True)
    padded: bool = True
    window: tuple[int, ...] | None = None
    over_all: bool = False
    in_place: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether something comes after the scales already."""
        return self.relu or self.window is not None or self.over_all or len(self.inputs) > 1


def uses(operations: Sequence[Operation], outputs: Sequence[Ref]) -> dict[int, int]:
    """Returns how often each value is taken, outputs of the program included."""
    counts: dict[int, int] = {}
    for ref in [ref for operation in operations for ref in operation.inputs] + list(outputs):
        counts[ref.number] = counts.get(ref.number, 0) + 1
    return counts
