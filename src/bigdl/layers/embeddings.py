"""From numbers of words to vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import DataError
from bigdl.graph import Layer, MaskKind, Shape
from bigdl.layers import constraints, initializations, regularizers
from bigdl.layers.tables import has_gradient_of_rows, looked_up
from bigdl.registry import layer


@layer()
class Embedding(Layer):
    """Looks up a vector for each number of ``(batch, time)``.

    Masks:
        made with ``mask_zero``

    Args:
        input_dim: The number of vectors; the input's numbers are below it.
        output_dim: The length of a vector.
        init: The initialization of W ``(input_dim, output_dim)``.
        input_length: The number of steps, where it is fixed.
        W_regularizer: A penalty of W.
        activity_regularizer: A penalty of the output.
        W_constraint: A constraint of W.
        mask_zero: Whether steps with the number 0 are masked.
        weights: Initial values ``[W]``.
        dropout: The share of vectors that is set to zero in training, a word wherever it stands in the batch (Gal and
            Ghahramani 2016).
        kwargs: See ``Layer``.
    """

    weight: Tensor

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        init: Any = "uniform",
        input_length: int | None = None,
        W_regularizer: Any = None,
        activity_regularizer: Any = None,
        W_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "input_shape": (input_length,), "input_dtype": "int32"}, weights=weights)
        self.input_dim = int(input_dim)
        self.output_dim = int(output_dim)
        self.init = init
        self.input_length = input_length
        self.W_regularizer = regularizers.get(W_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.mask_zero = bool(mask_zero)
        self.creates_mask = self.mask_zero
        self.dropout = float(dropout)

    def build(self, input_shape: Shape) -> None:
        """Creates W."""
        self.add_weight(
            "W",
            (self.input_dim, self.output_dim),
            initializations.get(self.init),
            attribute="weight",
            regularizer=self.W_regularizer,
            constraint=self.W_constraint,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Looks the vectors up.

        Args:
            x: Numbers from 0 to ``input_dim - 1``, ``(batch, time)``, whole or floating (then their fraction is cut).

        Raises:
            DataError: A number is out of range.
        """
        numbers = x if x.dtype in (torch.int32, torch.int64) else x.long()
        try:
            vectors = looked_up(numbers, self.weight, self.has_gradient_of_rows())
        except IndexError as error:
            # The kernel looks at every number anyway; a check of our own would read them twice.
            raise DataError(
                f"Layer {self.name!r} (Embedding) takes numbers from 0 to {self.input_dim - 1} (input_dim="
                f"{self.input_dim}). Received: numbers from {int(numbers.min())} to {int(numbers.max())}. Limit the "
                "vocabulary of the data to what the model was made for."
            ) from error
        if self.training and 0.0 < self.dropout < 1.0:
            kept = F.dropout(self.weight.new_ones(self.input_dim, 1), self.dropout)
            vectors = vectors * F.embedding(numbers, kept)
        return vectors

    def has_gradient_of_rows(self) -> bool:
        """Whether the gradient of W is to be a sparse tensor; see ``bigdl.layers.tables``."""
        # That of a penalty is one of all rows.
        return self.W_regularizer is None and has_gradient_of_rows(self.weight)

    def mask_kind(self, kinds: list[MaskKind | None]) -> MaskKind | None:
        """Returns the type of Keras's ``K.not_equal``, if zeros are masked."""
        return "bool" if self.mask_zero else None

    def compute_mask(self, x: Tensor, mask: Any) -> Tensor | None:
        """Returns True where the number is not 0, if zeros are masked."""
        return x != 0 if self.mask_zero else None

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        if self.input_length and len(input_shape) == 2:
            return (input_shape[0], self.input_length, self.output_dim)
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "init": initializations.name_of(self.init),
            "input_length": self.input_length,
            "mask_zero": self.mask_zero,
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "W_regularizer": regularizers.serialize(self.W_regularizer),
            "W_constraint": constraints.serialize(self.W_constraint),
            "dropout": self.dropout,
        }
