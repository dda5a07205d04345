"""The base of every layer: Keras 1.2.2's construction, weights and configuration on a torch module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from bigdl.errors import LayerError
from bigdl.graph.arithmetic import operate
from bigdl.graph.calls import Called
from bigdl.graph.names import unique_name
from bigdl.graph.phase import learning_phase
from bigdl.graph.tensor import MaskKind, Node, Shape, Shapes, SymbolicTensor, as_list
from bigdl.graph.user_functions import call_user
from bigdl.graph.weight import Regularizer
from bigdl.graph.weighted import Array, WeightedModule


class Layer(Called, WeightedModule):
    """A layer of Keras 1.2.2 as a torch module.

    A subclass sets the class attributes below, creates its weights in ``build`` and computes in ``forward``. Called on
    symbolic tensors it adds a node to the graph; called on torch tensors it runs, as any module.

    Attributes:
        supports_masking: The mask of its input is passed on unchanged; without it, a mask is refused as Keras does.
        consumes_mask: ``forward`` takes the input's mask as ``mask=``.
        creates_mask: Its output has a mask although its input has none.
        adds_losses: It may add to ``activity_losses`` when it runs, without an ``activity_regularizer``.
        input_ndim: The ranks (batch axis included) its input may have; None where any will do.
        returns_input: Its output is always its input; see ``SymbolicTensor.source``.
        name: Its name, unique in a model.
        trainable: Whether its weights are trained.
        built: Whether its weights exist.
        file_class: The name of its class in the file that it comes from; that of its own class without one.

    Args:
        name: Its name; ``classname_N`` by default.
        trainable: Whether its weights are trained.
        input_shape: The shape of the input without the batch axis, for the first layer of a ``Sequential``.
        batch_input_shape: The same with the batch axis; wins over ``input_shape``.
        input_dtype: The dtype of that input; float32 by default.
        weights: Initial values, in the order of ``get_weights``.
        unknown: Refused.

    Raises:
        LayerError: An argument is not known.
    """

    supports_masking: ClassVar[bool] = False
    consumes_mask: bool = False
    creates_mask: bool = False
    adds_losses: ClassVar[bool] = False
    input_ndim: ClassVar[tuple[int, ...] | None] = None
    stateful: bool = False
    returns_input: bool = False

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        input_dtype: str | None = None,
        weights: Sequence[Array] | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__(trainable)
        class_name = type(self).__name__
        self.name = name or unique_name(class_name.lower())
        if unknown:
            raise LayerError(
                f"Layer {self.name!r} ({class_name}): argument not understood: {', '.join(sorted(unknown))}. "
                "Keras 1.2.2's names are expected (nb_filter, output_dim, W_regularizer, ...)."
            )
        self.built = False
        self.inbound_nodes = []
        self.initial_weights = weights
        self.batch_input_shape: Shape | None = None
        if batch_input_shape is not None:
            self.batch_input_shape = tuple(batch_input_shape)
        elif input_shape is not None:
            self.batch_input_shape = (None, *input_shape)
        self.input_dtype = input_dtype
        self.writes_input_shape = True
        self.file_class = class_name
        self.activity_regularizer: Regularizer | None = None
        self.activity_losses: list[Tensor] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "call" in vars(cls) and "forward" not in vars(cls):
            cls.forward = _forward_by_call  # type: ignore[method-assign] # the class computes in Keras's way

    # What a subclass defines.

    def build(self, input_shape: Any) -> None:
        """Creates the weights for inputs of this shape (batch axis first); a list of shapes for several inputs."""

    def forward(self, x: Any) -> Any:
        """Computes the output of one call."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def call(self, x: Any, mask: Any = None) -> Any:
        """Computes the output of one call; a subclass in Keras's style defines this instead of ``forward``.

        Args:
            x: The input, a list where there are several.
            mask: Its mask.
        """
        classes = (vars(cls) for cls in type(self).__mro__)
        own = next(c["forward"] for c in classes if c.get("forward", _forward_by_call) is not _forward_by_call)
        return own(self, x, mask=mask) if "mask" in signature(own).parameters else own(self, x)

    def get_output_shape_for(self, input_shape: Any) -> Any:
        """Returns the output's shape for an input's, batch axis first."""
        return input_shape

    def mask_kind(self, kinds: list[MaskKind | None]) -> MaskKind | None:
        """Returns the type of the output's mask for those of the inputs, before any data flows.

        Raises:
            LayerError: An input has a mask and the layer, like Keras's, cannot take one.
        """
        if self.supports_masking:
            return kinds[0]
        if any(kinds):
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}) does not support masking, but its input has a mask. "
                "Keras 1.2.2 refuses this too: remove the Masking layer or mask_zero=True before it."
            )
        return None

    def compute_mask(self, x: Any, mask: Any) -> Any:
        """Returns the mask of the output (bool, batch x time), given the input and its mask."""
        return mask if self.supports_masking else None

    # Building the graph.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a node on symbolic tensors, runs on torch tensors."""
        tensors = as_list(args[0]) if args else []
        if any(isinstance(x, SymbolicTensor) for x in tensors):
            return self.connect(tensors)
        if not self.built and tensors:
            shapes: list[Shape] = [tuple(x.shape) for x in tensors]
            self.ensure_built(shapes[0] if len(shapes) == 1 else shapes)
        return super().__call__(*args, **kwargs)

    def connect(
        self, inputs: list[SymbolicTensor], unmasked: frozenset[int] = frozenset()
    ) -> SymbolicTensor | list[SymbolicTensor]:
        """Applies the layer to symbolic tensors: builds it at the first call, then adds a node.

        Args:
            inputs: The tensors.
            unmasked: The numbers of those whose masks are left out; see ``Node``.

        Raises:
            LayerError: The inputs' number, rank, shape or mask is not what the layer takes.
        """
        shapes = [tensor.shape for tensor in inputs]
        shape: Shapes = shapes[0] if len(shapes) == 1 else shapes
        self.ensure_built(shape)
        output_shapes = self._output_shapes(shape)
        mask = self.mask_kind([None if i in unmasked else tensor.mask for i, tensor in enumerate(inputs)])
        masks = [mask] * len(output_shapes)
        return self.add_node(inputs, output_shapes, self.output_dtype(inputs), masks, unmasked)

    def add_node(
        self,
        inputs: list[SymbolicTensor],
        shapes: list[Shape],
        dtype: str,
        masks: list[MaskKind | None],
        unmasked: frozenset[int] = frozenset(),
    ) -> SymbolicTensor | list[SymbolicTensor]:
        """Records one call and returns its output tensors, a single one not in a list."""
        index = len(self.inbound_nodes)
        outputs = [
            SymbolicTensor(tuple(shape), dtype, mask, self, index, i)
            for i, (shape, mask) in enumerate(zip(shapes, masks, strict=True))
        ]
        node = Node(self, inputs, outputs, unmasked)
        self.inbound_nodes.append(node)
        for tensor in inputs:
            tensor.layer.note_follower(node)
        return outputs[0] if len(outputs) == 1 else outputs

    def output_dtype(self, inputs: list[SymbolicTensor]) -> str:
        """Returns Keras's name of the output's dtype."""
        return inputs[0].dtype if inputs[0].dtype.startswith("float") else "float32"

    def ensure_built(self, input_shape: Shapes) -> None:
        """Checks the input's rank and creates the weights, once."""
        self._check_ndim(input_shape)
        if self.built:
            return
        if not self._trained and not self._kept:  # else its user has called ``build``
            self.build(input_shape)
        self.built = True
        self._sync_requires_grad()
        if self.initial_weights is not None:
            self.set_weights(self.initial_weights)
            self.initial_weights = None

    def _check_ndim(self, input_shape: Shapes) -> None:
        if self.input_ndim is None:
            return
        if isinstance(input_shape, list) or len(input_shape) not in self.input_ndim:
            ranks = " or ".join(str(n) for n in self.input_ndim)
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}) expects an input of rank {ranks} "
                f"(batch axis included). Received: shape {input_shape}."
            )

    def _output_shapes(self, input_shape: Shapes) -> list[Shape]:
        shape: Shapes = self.get_output_shape_for(input_shape)
        return shape if isinstance(shape, list) else [shape]

    # Running inside a model.

    def run(self, x: Any, mask: Any, masked: bool) -> tuple[Any, Any]:
        """Computes output and output mask of one call in a model's plan.

        Args:
            x: The input tensor, a list where there are several.
            mask: Its mask or None; a list where there are several inputs.
            masked: Whether any of the inputs has a mask.
        """
        y = nn.Module.__call__(self, x, mask=mask) if self.consumes_mask else nn.Module.__call__(self, x)
        if self.activity_regularizer is not None:
            self.activity_losses.append(call_user(self.activity_regularizer, y))
        return y, self.compute_mask(x, mask) if masked or self.creates_mask else None

    @property
    def losses(self) -> list[Any]:
        """The penalties of the weights as they are, and those of the outputs as tensors of the graph."""
        weights = [weight.penalty() for weight in self.weights if weight.regularizer is not None]
        if self.activity_regularizer is None:
            return weights
        outputs = (tensor for node in self.inbound_nodes for tensor in node.outputs)
        return weights + [operate(self.activity_regularizer, (tensor,), {}) for tensor in outputs]

    def reset_states(self) -> None:
        """Forgets the state of a stateful layer."""

    # Configuration.

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self.batch_input_shape is not None and self.writes_input_shape:
            config["batch_input_shape"] = self.batch_input_shape
            config["input_dtype"] = self.input_dtype or "float32"
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a layer from what ``get_config`` returned."""
        made = cls(**config)
        # Any layer that was built has an input_dim in its configuration. It tells the shape of a model's input, if need
        # be, but to write that shape for every layer would not give back what was read.
        made.writes_input_shape = "batch_input_shape" in config or "input_shape" in config
        return made


def _forward_by_call(self: Layer, x: Any, mask: Any = None) -> Any:
    with learning_phase(bool(self.training)):
        return call_user(self.call, x, **({"mask": mask} if "mask" in signature(self.call).parameters else {}))
