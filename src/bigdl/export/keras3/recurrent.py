"""Recurrent layers, in one direction and in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor as TorchTensor

from bigdl.export.keras3.convolution import kernel, window
from bigdl.export.keras3.core import common, output_shape
from bigdl.export.keras3.dispatch import converted
from bigdl.export.keras3.entries import Entry, Tensor, serialized
from bigdl.export.keras3.masks import Masks, named
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import OTHERWISE, activation_name, input_scale, logger, regularizer, stored
from bigdl.export.refusals import refused
from bigdl.formats.spec import StoredArray
from bigdl.layers import GRU, LSTM, Bidirectional, ConvLSTM2D, SimpleRNN, activations
from bigdl.layers.layouts import MATRIX
from bigdl.layers.recurrent import Recurrent

_MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average"}


@CONVERTERS.of(SimpleRNN, GRU, LSTM)
def recurrent(network: Network, layer: Recurrent, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``SimpleRNN``, ``GRU``, ``LSTM``; weights of gates with a hard sigmoid are multiplied by 1.2.

    Restrictions:
        `activation="hard_sigmoid"` of an LSTM, other than `inner_activation`, is refused, and so is a mask before a
        stateful layer, unless it is unrolled.
    """
    if layer.stateful and masks[0] is not None and not layer.unroll:
        raise refused(
            layer,
            "is stateful and its input has a mask: before the first step that counts, its output is the state that it "
            "kept, for which Keras 3 gives zeros",
            OTHERWISE,
        )
    class_name, config, arrays = described(layer)
    shape = output_shape(layer, inputs)
    given = named(network, masks[0])
    y = network.layer(class_name, layer.name, config, inputs[0], shape, {"cell": arrays}, **given)
    # Of a mask that it was given Keras 3 would make one of the output.
    return network.op("Add", y, 0.0, owner=layer.name, shape=shape) if given and layer.return_sequences else y


def described(layer: Recurrent) -> tuple[str, dict[str, Any], list[StoredArray]]:
    """Returns the class, the configuration and the arrays of a recurrent layer."""
    scales = _scales(layer)
    config = common(
        layer,
        units=layer.output_dim,
        activation=activation_name(layer.activation, layer),
        return_sequences=layer.return_sequences,
        go_backwards=layer.go_backwards,
        stateful=layer.stateful,
        dropout=layer.dropout_W,
        recurrent_dropout=layer.dropout_U,
        **_penalties(layer, scales),
    )
    if not isinstance(layer, SimpleRNN):
        config["recurrent_activation"] = activation_name(_inner_activation(layer), layer)
    if isinstance(layer, GRU):
        config["reset_after"] = False
    arrays = stored(
        MATRIX.to_keras(_by_gate(layer.weight, scales)),
        MATRIX.to_keras(_by_gate(layer.recurrent_weight, scales)),
        _by_gate(layer.bias, scales),
    )
    return type(layer).__name__, config, arrays


def _inner_activation(layer: Any) -> Callable[..., Any]:
    activation: Callable[..., Any] = layer.inner_activation
    return activation


def _by_gate(parameter: TorchTensor, scales: Sequence[float]) -> TorchTensor:
    """Returns the weights of gates one after another, each gate's multiplied by its number."""
    if set(scales) == {1.0}:
        return parameter
    gates = parameter.chunk(len(scales))
    return torch.cat([gate * scale for gate, scale in zip(gates, scales, strict=True)])


def _scales(layer: Any) -> list[float]:
    """Returns what the weights of each gate are multiplied by.

    Raises:
        ExportError: A hard sigmoid is applied to what is no product with weights.
    """
    if type(layer) is SimpleRNN:
        return [input_scale(layer.activation)]
    if isinstance(layer, LSTM | ConvLSTM2D):
        if layer.activation is activations.hard_sigmoid:
            raise refused(
                layer,
                "has activation='hard_sigmoid', which it applies to its memory too; Keras 3's function of that name is "
                "another",
                OTHERWISE,
            )
        gate = input_scale(layer.inner_activation)
        return [gate, gate, 1.0, gate]
    gate = input_scale(layer.inner_activation)
    return [gate, gate, input_scale(layer.activation)]


def _penalties(layer: Recurrent, scales: Sequence[float]) -> dict[str, Any]:
    """Returns the penalties; those of the arrays as Keras 1 has them, which gives U that of W in separate arrays."""
    of_u = layer.U_regularizer if layer.joint_arrays else layer.W_regularizer
    penalties = {"kernel": layer.W_regularizer, "recurrent": of_u, "bias": layer.b_regularizer}
    if any(penalties.values()) and len(set(scales)) > 1:
        logger.warning(
            "Layer %r is written without its penalties: its gates are written 1.2 times as large for Keras 3's hard "
            "sigmoid, the rest is not.",
            layer.name,
        )
        return {}
    return {f"{part}_regularizer": regularizer(each, layer, scales[0]) for part, each in penalties.items()}


@CONVERTERS.of(ConvLSTM2D)
def convolutional_lstm(network: Network, layer: ConvLSTM2D, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``ConvLSTM2D``.

    Restrictions:
        `activation="hard_sigmoid"`, other than `inner_activation`, is refused.
    """
    scales = _scales(layer)
    config = common(
        layer,
        **window(layer),
        filters=layer.nb_filter,
        kernel_size=list(layer.kernel_size),
        strides=list(layer.subsample),
        activation=activation_name(layer.activation, layer),
        recurrent_activation=activation_name(layer.inner_activation, layer),
        return_sequences=layer.return_sequences,
        go_backwards=layer.go_backwards,
        stateful=layer.stateful,
        dropout=layer.dropout_W,
        recurrent_dropout=layer.dropout_U,
    )
    arrays = stored(
        kernel(layer, _by_gate(layer.weight, scales)),
        kernel(layer, _by_gate(layer.recurrent_weight, scales)),
        _by_gate(layer.bias, scales),
    )
    return network.layer("ConvLSTM2D", layer.name, config, inputs[0], output_shape(layer, inputs), {"cell": arrays})


@CONVERTERS.of(Bidirectional)
def bidirectional(
    network: Network, layer: Bidirectional, inputs: Sequence[Tensor], masks: Masks
) -> Tensor | list[Tensor]:
    """``Bidirectional``; two layers and a merge where steps are masked and all are returned.

    Restrictions:
        See the layer inside.
    """
    directions = [inner for inner in layer.inner_layers if isinstance(inner, Recurrent)]
    if len(directions) < 2 or (masks[0] is not None and layer.return_sequences):
        return _by_two_layers(network, layer, inputs, masks)
    config: dict[str, Any] = common(layer, merge_mode=layer.merge_mode)
    arrays: dict[str, list[StoredArray]] = {}
    for part, key, inner in zip(("forward", "backward"), ("layer", "backward_layer"), directions, strict=True):
        class_name, settings, own = described(inner)
        arrays[f"{part}_layer/cell"] = own
        config[key] = serialized("keras.layers", class_name, {**settings, "name": inner.name})
    entry = Entry("keras.layers", "Bidirectional", layer.name, config, arrays)
    shape = layer.get_output_shape_for(inputs[0].shape)
    made = network.call(entry, inputs[0], shape if isinstance(shape, list) else [shape], **named(network, masks[0]))
    return made if layer.merge_mode is None else made[0]


def _by_two_layers(
    network: Network, layer: Bidirectional, inputs: Sequence[Tensor], masks: Masks
) -> Tensor | list[Tensor]:
    """Keras 3's ``Bidirectional`` gives zeros for masked steps, where Keras 1 repeats the output before."""
    parts = [converted(network, inner, inputs, masks)[0][0] for inner in layer.inner_layers]
    if layer.return_sequences:
        parts[1] = network.op("Flip", parts[1], owner=layer.name, shape=parts[1].shape, axis=1)
    if layer.merge_mode is None:
        return parts
    shape: Any = layer.get_output_shape_for(inputs[0].shape)
    config = {"dtype": "float32"}
    if layer.merge_mode == "concat":
        return network.layer("Concatenate", layer.name, {**config, "axis": -1}, parts, shape)
    return network.layer(_MERGES[layer.merge_mode], layer.name, config, parts, shape)
