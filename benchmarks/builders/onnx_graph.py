"""Builds networks as ONNX graphs, for ONNX Runtime and OpenVINO: inputs as Keras has them, channels first inside."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "softmax": "Softmax"}
_RANDOM = np.random.default_rng(0)


class OnnxBuilder:
    """Makes ONNX models; a tensor is its name.

    Attributes:
        parameters: How many numbers the weights are, without the running values.
    """

    def __init__(self) -> None:
        self.parameters = 0
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._inputs: list[Any] = []
        self._shapes: dict[str, tuple[int, ...]] = {}  # of a row, channels first

    def _node(self, op: str, inputs: list[str], shape: tuple[int, ...], **attributes: Any) -> str:
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, inputs, [name], **attributes))
        self._shapes[name] = shape
        return name

    def _constant(self, array: NDArray[Any]) -> str:
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def _weight(self, *shape: int, value: float | None = None) -> str:
        self.parameters += int(np.prod(shape))
        scale = (2.0 / max(1, int(np.prod(shape[1:])))) ** 0.5 if len(shape) > 1 else 0.0
        drawn = _RANDOM.normal(0, 1, shape) * scale if value is None else np.full(shape, value)
        return self._constant(drawn.astype(np.float32))

    def input(self, shape: tuple[int, ...], integers: int = 0) -> str:
        kind = TensorProto.INT32 if integers else TensorProto.FLOAT
        self._inputs.append(helper.make_tensor_value_info("x", kind, ["rows", *shape]))
        self._shapes["x"] = shape
        if len(shape) < 3:
            return "x"
        return self._node("Transpose", ["x"], (shape[-1], *shape[:-1]), perm=[0, 3, 1, 2])

    def convolution(
        self, x: str, filters: int, size: Any, stride: int = 1, same: bool = False, activation: str | None = None
    ) -> str:
        channels, *lengths = self._shapes[x]
        sizes = list(size if isinstance(size, tuple) else (size, size))
        pads, made = _padded(lengths, sizes, stride, same)
        weights = [self._weight(filters, channels, *sizes), self._weight(filters)]
        settings = {"kernel_shape": sizes, "pads": pads, "strides": [stride, stride]}
        return self.activation(self._node("Conv", [x, *weights], (filters, *made), **settings), activation)

    def separable_convolution(self, x: str, filters: int, size: int) -> str:
        channels, *lengths = self._shapes[x]
        pads, made = _padded(lengths, [size, size], 1, same=True)
        settings = {"kernel_shape": [size, size], "pads": pads, "group": channels}
        y = self._node("Conv", [x, self._weight(channels, 1, size, size)], (channels, *made), **settings)
        return self.convolution(y, filters, 1)

    def sequence_convolution(self, x: str, filters: int, size: int, activation: str | None = None) -> str:
        length, channels = self._shapes[x]
        x = self._node("Transpose", [x], (channels, length), perm=[0, 2, 1])
        weights = [self._weight(filters, channels, size), self._weight(filters)]
        y = self._node("Conv", [x, *weights], (filters, length - size + 1), kernel_shape=[size])
        return self.activation(y, activation)  # left channels first: it is pooled over time next

    def sequence_average(self, x: str) -> str:
        axes = self._constant(np.array([1]))
        return self._node("ReduceMean", [x, axes], self._shapes[x][1:], keepdims=0)

    def global_max_pooling(self, x: str) -> str:
        pooled = self._node("GlobalMaxPool", [x], (*self._shapes[x][:1], 1))
        return self._node("Flatten", [pooled], self._shapes[x][:1])

    def _pool(self, op: str, x: str, size: int, stride: int, same: bool) -> str:
        channels, *lengths = self._shapes[x]
        pads, made = _padded(lengths, [size, size], stride, same)
        settings = {"kernel_shape": [size, size], "pads": pads, "strides": [stride, stride]}
        return self._node(op, [x], (channels, *made), **settings)

    def max_pooling(self, x: str, size: int, stride: int | None = None, same: bool = False) -> str:
        return self._pool("MaxPool", x, size, stride or size, same)

    def average_pooling(self, x: str, size: int, stride: int | None = None, same: bool = False) -> str:
        return self._pool("AveragePool", x, size, stride or size, same)

    def global_average_pooling(self, x: str) -> str:
        channels = self._shapes[x][0]
        return self._node("Flatten", [self._node("GlobalAveragePool", [x], (channels, 1, 1))], (channels,))

    def up_sampling(self, x: str, times: int) -> str:
        channels, *lengths = self._shapes[x]
        scales = self._constant(np.array([1, 1, times, times], np.float32))
        settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self._node("Resize", [x, "", scales], (channels, *(n * times for n in lengths)), **settings)

    def concatenate(self, parts: list[str]) -> str:
        channels = sum(self._shapes[x][0] for x in parts)
        return self._node("Concat", parts, (channels, *self._shapes[parts[0]][1:]), axis=1)

    def zero_padding(self, x: str, width: int) -> str:
        channels, *lengths = self._shapes[x]
        pads = self._constant(np.array([0, 0, width, width] * 2))
        return self._node("Pad", [x, pads], (channels, *(n + 2 * width for n in lengths)))

    def batch_normalization(self, x: str) -> str:
        width = self._shapes[x][0]
        learned = [self._weight(width, value=1.0), self._weight(width)]
        running = [self._constant(np.zeros(width, np.float32)), self._constant(np.ones(width, np.float32))]
        return self._node("BatchNormalization", [x, *learned, *running], self._shapes[x], epsilon=1e-3)

    def activation(self, x: str, name: str | None) -> str:
        return x if name is None else self._node(_ACTIVATIONS[name], [x], self._shapes[x])

    def add(self, x: str, y: str) -> str:
        return self._node("Add", [x, y], self._shapes[x])

    def dropout(self, x: str, rate: float) -> str:
        return x

    def flatten(self, x: str) -> str:
        shape = self._shapes[x]
        if len(shape) == 3:  # Keras counts the channels last
            x = self._node("Transpose", [x], shape, perm=[0, 2, 3, 1])
        return self._node("Flatten", [x], (int(np.prod(shape)),))

    def dense(self, x: str, units: int, activation: str | None = None) -> str:
        weights = [self._weight(self._shapes[x][-1], units), self._weight(units)]
        return self.activation(self._node("Gemm", [x, *weights], (units,)), activation)

    def embedding(self, x: str, words: int, units: int) -> str:
        return self._node("Gather", [self._weight(words, units), x], (*self._shapes[x], units))

    def _recurrent(
        self, op: str, x: str, units: int, gates: int, ways: int = 1, sequences: bool = False, **attributes: Any
    ) -> str:
        length, width = self._shapes[x]
        steps = self._node("Transpose", [x], (length, width), perm=[1, 0, 2])
        w, u = self._weight(ways, gates * units, width), self._weight(ways, gates * units, units)
        b = self._constant(np.zeros((ways, 2 * gates * units), np.float32))
        self.parameters += ways * gates * units  # Keras has one bias where ONNX has two
        final, every = f"h{len(self._nodes)}", f"s{len(self._nodes)}" if sequences else ""
        direction = "forward" if ways == 1 else "bidirectional"
        self._nodes.append(
            helper.make_node(op, [steps, w, u, b], [every, final], hidden_size=units, direction=direction, **attributes)
        )
        self._shapes[final] = (units,)
        if sequences:  # (steps, ways, rows, units)
            rows = self._node("Transpose", [every], (length, ways, units), perm=[2, 0, 1, 3])
            shape = self._constant(np.array([0, 0, -1]))
            return self._node("Reshape", [rows, shape], (length, ways * units))
        rows = self._node("Transpose", [final], (ways, units), perm=[1, 0, 2])
        return self._node("Flatten", [rows], (ways * units,))

    def lstm(self, x: str, units: int, dropout: float = 0.0, ways: int = 1, sequences: bool = False) -> str:
        activations = ["HardSigmoid", "Tanh", "Tanh"] * ways
        return self._recurrent("LSTM", x, units, 4, ways, sequences, activations=activations)

    def gru(self, x: str, units: int) -> str:
        return self._recurrent("GRU", x, units, 3, activations=["HardSigmoid", "Tanh"])

    def bidirectional_lstm(self, x: str, units: int) -> str:
        return self.lstm(x, units, ways=2)

    def model(self, x: str, y: str) -> ModelProto:
        """Returns the model."""
        output = helper.make_tensor_value_info(y, TensorProto.FLOAT, ["rows", *self._shapes[y]])
        graph = helper.make_graph(self._nodes, "net", self._inputs, [output], self._weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _padded(lengths: list[int], sizes: list[int], stride: int, same: bool) -> tuple[list[int], list[int]]:
    """Returns the zeros before all axes and after them, as TensorFlow has them, and the numbers of positions."""
    made = [-(-n // stride) if same else (n - size) // stride + 1 for n, size in zip(lengths, sizes, strict=True)]
    axes = zip(lengths, sizes, made, strict=True)
    total = [max(0, (count - 1) * stride + size - n) if same else 0 for n, size, count in axes]
    return [n // 2 for n in total] + [n - n // 2 for n in total], made
