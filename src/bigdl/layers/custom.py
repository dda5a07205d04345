"""Layers that users wrote for Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bigdl.errors import LayerError
from bigdl.graph import SAME, Layer, MaskKind, Weight, trials
from bigdl.graph.tensor import Shapes, as_list
from bigdl.graph.weight import Constraint, Regularizer
from bigdl.layers import initializations

# Lengths that stand for those that are not fixed when a layer's mask is found out.
_SOME_LENGTH = 2


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a layer expects of an input.

    Attributes:
        dtype: Kept for Keras's signature; data is cast to the input's dtype.
        shape: Its shape, batch axis first, None where any length will do.
        ndim: Its rank, or the least one as in ``"2+"``.
    """

    dtype: str | None = None
    shape: Sequence[int | None] | None = None
    ndim: int | str | None = None

    def fits(self, shape: Sequence[int | None]) -> bool:
        """Tells whether an input of this shape is as expected."""
        expected = tuple(self.shape) if self.shape is not None else None
        if expected is not None:
            same = all(a is None or b is None or a == b for a, b in zip(expected, shape, strict=False))
            return same and len(expected) == len(shape)
        if isinstance(self.ndim, str):
            return len(shape) >= int(self.ndim.removesuffix("+"))
        return self.ndim is None or self.ndim == len(shape)


class _Base(type):
    """Makes the library's own layers instances of a base that users know, e.g. all layers of ``KerasLayer``."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return cls.__subclasscheck__(type(instance))

    def __subclasscheck__(cls, subclass: type) -> bool:
        return super().__subclasscheck__(subclass) or issubclass(subclass, vars(cls).get("stands_for", ()))


class KerasLayer(Layer, metaclass=_Base):
    """Keras 1.2.2's ``Layer``, for layers that its users wrote.

    A subclass defines ``call(x, mask=None)`` on torch tensors with the functions of ``bigdl.keras.backend``, and as in
    Keras ``build``, ``get_output_shape_for``, ``compute_mask`` and ``get_config`` as needed. Its weights come from
    ``add_weight``, or are tensors (of ``K.variable`` or an initialization) in a list that it assigns to
    ``trainable_weights`` or ``non_trainable_weights``.

    Attributes:
        input_spec: An ``InputSpec`` for each input; None where anything goes.
        constraints: Constraints by the tensors that they are for.
        uses_learning_phase: Keras's attribute; ``K.in_train_phase`` works without it.
        stands_for: The library's own base of the layers that count as this class's.

    Args:
        kwargs: ``name``, ``trainable``, ``input_shape``, ``batch_input_shape``, ``input_dtype``.
    """

    stands_for: ClassVar[type] = Layer
    consumes_mask = True
    adds_losses = True
    # Class attributes, so that a subclass may set its own before it calls __init__, and delete them again.
    supports_masking = False
    uses_learning_phase = False
    initial_weights: Any = None
    input_spec: Sequence[InputSpec | None] | None = None

    def __init__(self, **kwargs: Any) -> None:
        own = dict(self.__dict__)  # Keras's layers set their attributes before they call this
        super().__init__(**kwargs)
        self.constraints: dict[Tensor, Constraint] = {}
        for name, value in own.items():
            self.__dict__.pop(name, None)
            setattr(self, name, value)
        self.creates_mask = type(self).compute_mask is not Layer.compute_mask
        self._input_shapes: Shapes = []

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, nn.Module) and "_modules" not in self.__dict__:
            self.__dict__[name] = value  # torch takes no modules before its __init__, Keras's layers set them there
            return
        provisional = self._holder(value) if isinstance(value, Tensor) and "_kept" in self.__dict__ else None
        if provisional is not None and provisional != name and provisional.startswith("weight_"):
            self._rename(provisional, name)
            return
        super().__setattr__(name, value)

    # Weights.

    def add_weight(  # type: ignore[override] # Keras's signature
        self,
        shape: Sequence[int],
        initializer: Any,
        name: str | None = None,
        trainable: bool = True,
        regularizer: Regularizer | None = None,
        constraint: Constraint | None = None,
    ) -> Tensor:
        """Creates a weight and returns it.

        Args:
            shape: Its shape.
            initializer: The name of an initialization, or a function of the shape.
            name: Its name; the layer's name before it is left out.
            trainable: Whether it is trained.
            regularizer: Its penalty.
            constraint: Applied after each step.
        """
        attribute = f"weight_{len(self._trained) + len(self._kept)}"
        short = (name or attribute).removeprefix(f"{self.name}_")
        super().add_weight(
            short,
            tuple(shape),
            initializations.get(initializer),
            attribute=attribute,
            trainable=trainable,
            regularizer=regularizer,
            constraint=constraint,
        )
        tensor: Tensor = getattr(self, attribute)
        return tensor

    @property
    def trainable_weights(self) -> list[Weight]:
        """The arrays an optimizer moves; may be set to a list of tensors, or of weights of layers inside."""
        return super().trainable_weights

    @trainable_weights.setter
    def trainable_weights(self, weights: Sequence[Tensor | Weight]) -> None:
        self._trained = [self._as_weight(weight, True) for weight in weights]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The arrays no optimizer moves; may be set as ``trainable_weights``."""
        return super().non_trainable_weights

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: Sequence[Tensor | Weight]) -> None:
        self._kept = [self._as_weight(weight, False) for weight in weights]

    def _as_weight(self, value: Tensor | Weight, trainable: bool) -> Weight:
        if isinstance(value, Weight):
            return value
        known = next((w for w in self._trained + self._kept if w.module is self and w.parameter is value), None)
        if known is not None:
            return replace(known, trainable=trainable)
        attribute = self._holder(value) or f"weight_{len(self._parameters) + len(self._buffers)}"
        self.__dict__.pop(attribute, None)
        if trainable:
            # The tensor becomes a parameter itself, so that whatever else holds it sees it change.
            value._is_param = True
            self.register_parameter(attribute, value.requires_grad_())  # type: ignore[arg-type]
        else:
            self.register_buffer(attribute, value)
        return Weight(attribute, self, attribute, SAME.to_keras, trainable)

    def _holder(self, tensor: Tensor) -> str | None:
        """Returns the attribute that holds a tensor, None where there is none."""
        for held in (self._parameters, self._buffers, self.__dict__):
            for name, value in held.items():
                if value is tensor:
                    return name
        return None

    def _rename(self, old: str, new: str) -> None:
        held: dict[str, Any] = self._parameters if old in self._parameters else self._buffers
        held[new] = held.pop(old)
        for weights in (self._trained, self._kept):
            weights[:] = [replace(w, attribute=new) if w.attribute == old else w for w in weights]

    def ensure_built(self, input_shape: Shapes) -> None:
        """Checks the input and creates the weights, once.

        Raises:
            LayerError: The input is not what ``input_spec`` says.
        """
        self._input_shapes = input_shape
        self._check_input(input_shape)
        if self.built:
            return
        super().ensure_built(input_shape)
        self._trained = [self._constrained(weight) for weight in self._trained]
        self._sync_requires_grad()

    def _check_input(self, input_shape: Shapes) -> None:
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        for spec, shape in zip(self.input_spec or (), shapes, strict=False):
            if spec is not None and not spec.fits(shape):
                raise LayerError(
                    f"Layer {self.name!r} ({type(self).__name__}) expects an input of "
                    f"{f'rank {spec.ndim}' if spec.shape is None else f'shape {tuple(spec.shape)}'} "
                    f"(batch axis included). Received: shape {shape}."
                )

    def _constrained(self, weight: Weight) -> Weight:
        found = next((c for tensor, c in self.constraints.items() if tensor is weight.parameter), None)
        return weight if found is None else replace(weight, constraint=found)

    # Computing.

    def call(self, x: Any, mask: Any = None) -> Any:
        """Returns the input; a subclass computes here."""
        return x

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds to the loss of the batch; to be called in ``call``.

        Args:
            losses: A tensor, or a list of them.
            inputs: Keras's argument.

        Raises:
            LayerError: The layer is being built, so that the tensor would stay as it is now for ever.
        """
        if not self.built:
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}): add_loss belongs into call, where it is computed anew "
                "for each batch. For the penalty of a weight use add_weight(..., regularizer=...)."
            )
        if losses is not None:
            self.activity_losses.extend(as_list(losses))

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Writes new values into tensors, in training; to be called in ``call``.

        Args:
            updates: Pairs ``(tensor, new value)``; what ``K.update`` and the like return is written already.
            inputs: Keras's argument.
        """
        pairs = [updates] if isinstance(updates, tuple) else as_list(updates)
        for pair in pairs:
            if isinstance(pair, tuple) and self.training:
                with torch.no_grad():
                    pair[0].copy_(torch.as_tensor(pair[1]))

    def mask_kind(self, kinds: list[MaskKind | None]) -> MaskKind | None:
        """Returns the type of the output's mask, found by trying ``compute_mask`` where the layer has its own.

        Raises:
            LayerError: An input has a mask and the layer does not take any.
        """
        if not self.creates_mask:
            return super().mask_kind(kinds)
        shapes = self._input_shapes if isinstance(self._input_shapes, list) else [self._input_shapes]
        sizes = [[_SOME_LENGTH if n is None else n for n in shape] for shape in shapes]
        with torch.device(trials.devices_for(sizes)[0]):
            x = [torch.zeros(size) for size in sizes]
            masks = [
                None if kind is None else torch.ones(tensor.shape[:2], dtype=torch.bool)
                for kind, tensor in zip(kinds, x, strict=True)
            ]
        single = len(x) == 1
        made = self.compute_mask(x[0] if single else x, masks[0] if single else masks)
        return None if made is None else next(filter(None, kinds), "bool")


class OwnRegularizer:
    """The base of penalties that users wrote for Keras 1.2.2."""

    def __call__(self, x: Tensor) -> Tensor | float:
        """Returns the penalty of a weight or an output."""
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration: the class's name, and in a subclass the constructor's arguments."""
        return {"name": type(self).__name__}


class OwnConstraint:
    """The base of constraints that users wrote for Keras 1.2.2."""

    def __call__(self, p: Tensor) -> Tensor:
        """Returns the constrained weight."""
        return p

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration: the class's name, and in a subclass the constructor's arguments."""
        return {"name": type(self).__name__}
