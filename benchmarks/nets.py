"""The networks, written once; each builder makes them with its own framework.

What the layers compute is Keras 1's: the arguments that later versions changed (activations of gates, epsilons) are set
by the builders. Sizes can be given, so that nothing is measured at one size only.
"""

from typing import Any


def lenet(b: Any, side: int = 28, filters: int = 32, units: int = 128) -> Any:
    """Keras 1.2.2's examples/mnist_cnn.py."""
    x = inputs = b.input((side, side, 1))
    x = b.convolution(x, filters, 3, activation="relu")
    x = b.convolution(x, filters, 3, activation="relu")
    x = b.dropout(b.max_pooling(x, 2), 0.25)
    x = b.dropout(b.dense(b.flatten(x), units, "relu"), 0.5)
    return b.model(inputs, b.dense(x, 10, "softmax"))


def cifar(b: Any, side: int = 32, filters: int = 32) -> Any:
    """Keras 1.2.2's examples/cifar10_cnn.py, its activations layers of their own as there."""
    x = inputs = b.input((side, side, 3))
    for width in (filters, 2 * filters):
        x = b.activation(b.convolution(x, width, 3, same=True), "relu")
        x = b.activation(b.convolution(x, width, 3), "relu")
        x = b.dropout(b.max_pooling(x, 2), 0.25)
    x = b.activation(b.dense(b.flatten(x), 512), "relu")
    return b.model(inputs, b.dense(b.dropout(x, 0.5), 10, "softmax"))


def vgg16(b: Any, side: int = 224) -> Any:
    """Keras 1.2.2's applications/vgg16.py."""
    x = inputs = b.input((side, side, 3))
    for depth, filters in zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512)):
        for _ in range(depth):
            x = b.convolution(x, filters, 3, same=True, activation="relu")
        x = b.max_pooling(x, 2)
    x = b.dense(b.dense(b.flatten(x), 4096, "relu"), 4096, "relu")
    return b.model(inputs, b.dense(x, 1000, "softmax"))


def resnet50(b: Any, side: int = 224) -> Any:
    """Keras 1.2.2's applications/resnet50.py."""
    x = inputs = b.input((side, side, 3))
    x = b.max_pooling(_normalized(b, b.zero_padding(x, 3), 64, 7, stride=2, relu=True), 3, stride=2)
    for stage, (filters, depth) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(depth):
            stride = 2 if stage and not block else 1
            y = _normalized(b, x, filters, 1, stride, relu=True)
            y = _normalized(b, y, filters, 3, same=True, relu=True)
            y = _normalized(b, y, 4 * filters, 1)
            if not block:
                x = _normalized(b, x, 4 * filters, 1, stride)
            x = b.activation(b.add(y, x), "relu")
    x = b.flatten(b.average_pooling(x, side // 32))
    return b.model(inputs, b.dense(x, 1000, "softmax"))


def _normalized(
    b: Any, x: Any, filters: int, size: int, stride: int = 1, same: bool = False, relu: bool = False
) -> Any:
    y = b.batch_normalization(b.convolution(x, filters, size, stride, same))
    return b.activation(y, "relu") if relu else y


def mlp(b: Any, features: int = 784, units: int = 512) -> Any:
    """Keras 1.2.2's examples/mnist_mlp.py."""
    x = inputs = b.input((features,))
    for _ in range(2):
        x = b.dropout(b.dense(x, units, "relu"), 0.2)
    return b.model(inputs, b.dense(x, 10, "softmax"))


def deep_mlp(b: Any, features: int = 64, units: int = 64, depth: int = 20) -> Any:
    """Many small layers: what the layers cost beside their arithmetic."""
    x = inputs = b.input((features,))
    for _ in range(depth):
        x = b.dense(x, units, "tanh")
    return b.model(inputs, b.dense(x, 10, "softmax"))


def imdb_lstm(b: Any, words: int = 20000, length: int = 80, units: int = 128) -> Any:
    """Keras 1.2.2's examples/imdb_lstm.py."""
    inputs = b.input((length,), integers=words)
    x = b.lstm(b.embedding(inputs, words, units), units, dropout=0.2)
    return b.model(inputs, b.dense(x, 1, "sigmoid"))


def imdb_bidirectional(b: Any, words: int = 20000, length: int = 100, units: int = 64) -> Any:
    """Keras 1.2.2's examples/imdb_bidirectional_lstm.py."""
    inputs = b.input((length,), integers=words)
    x = b.bidirectional_lstm(b.embedding(inputs, words, 128), units)
    return b.model(inputs, b.dense(b.dropout(x, 0.5), 1, "sigmoid"))


def gru(b: Any, features: int = 64, length: int = 100, units: int = 128) -> Any:
    """A GRU over sequences of numbers, as in time series."""
    x = inputs = b.input((length, features))
    return b.model(inputs, b.dense(b.gru(x, units), 1, "sigmoid"))


def imdb_cnn(b: Any, words: int = 5000, length: int = 400, filters: int = 250) -> Any:
    """Keras 1.2.2's examples/imdb_cnn.py."""
    inputs = b.input((length,), integers=words)
    x = b.dropout(b.embedding(inputs, words, 50), 0.2)
    x = b.global_max_pooling(b.sequence_convolution(x, filters, 3, "relu"))
    x = b.activation(b.dropout(b.dense(x, filters), 0.2), "relu")
    return b.model(inputs, b.dense(x, 1, "sigmoid"))
