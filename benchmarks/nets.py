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
    b: Any, x: Any, filters: int, size: Any, stride: int = 1, same: bool = False, relu: bool = False
) -> Any:
    y = b.batch_normalization(b.convolution(x, filters, size, stride, same))
    return b.activation(y, "relu") if relu else y


def inception_v3(b: Any, side: int = 299) -> Any:
    """Keras 1.2.2's applications/inception_v3.py."""

    def chain(x: Any, *kernels: Any) -> Any:
        for filters, size in kernels:
            x = _normalized(b, x, filters, size, same=True, relu=True)
        return x

    def branches(x: Any, *of: Any, pooled: int) -> Any:
        side = _normalized(b, b.average_pooling(x, 3, 1, same=True), pooled, 1, relu=True)
        return b.concatenate([*(chain(x, *kernels) for kernels in of), side])

    x = inputs = b.input((side, side, 3))
    x = _normalized(b, x, 32, 3, stride=2, relu=True)
    x = _normalized(b, _normalized(b, x, 32, 3, relu=True), 64, 3, same=True, relu=True)
    x = b.max_pooling(x, 3, stride=2)
    x = _normalized(b, _normalized(b, x, 80, 1, relu=True), 192, 3, relu=True)
    x = b.max_pooling(x, 3, stride=2)
    for pooled in (32, 64, 64):
        x = branches(x, [(64, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)], pooled=pooled)
    y = _normalized(b, chain(x, (64, 1), (96, 3)), 96, 3, stride=2, relu=True)
    x = b.concatenate([_normalized(b, x, 384, 3, stride=2, relu=True), y, b.max_pooling(x, 3, stride=2)])
    for n in (128, 160, 160, 192):
        long = [(n, 1), (n, (7, 1)), (n, (1, 7)), (n, (7, 1)), (192, (1, 7))]
        x = branches(x, [(192, 1)], [(n, 1), (n, (1, 7)), (192, (7, 1))], long, pooled=192)
    y = _normalized(b, chain(x, (192, 1)), 320, 3, stride=2, relu=True)
    z = _normalized(b, chain(x, (192, 1), (192, (1, 7)), (192, (7, 1))), 192, 3, stride=2, relu=True)
    x = b.concatenate([y, z, b.max_pooling(x, 3, stride=2)])
    for _ in range(2):
        parts = [chain(x, (320, 1))]
        for y in (chain(x, (384, 1)), chain(x, (448, 1), (384, 3))):
            parts += [chain(y, (384, (1, 3))), chain(y, (384, (3, 1)))]
        parts.append(_normalized(b, b.average_pooling(x, 3, 1, same=True), 192, 1, relu=True))
        x = b.concatenate(parts)
    return b.model(inputs, b.dense(b.global_average_pooling(x), 1000, "softmax"))


def xception(b: Any, side: int = 299) -> Any:
    """Keras 1.2.2's applications/xception.py."""

    def separable(x: Any, filters: int, first: bool = True) -> Any:
        x = b.activation(x, "relu") if first else x
        return b.batch_normalization(b.separable_convolution(x, filters, 3))

    x = inputs = b.input((side, side, 3))
    x = _normalized(b, _normalized(b, x, 32, 3, stride=2, relu=True), 64, 3, relu=True)
    for filters in (128, 256, 728):
        beside = _normalized(b, x, filters, 1, stride=2)
        x = separable(separable(x, filters, first=filters > 128), filters)
        x = b.add(b.max_pooling(x, 3, stride=2, same=True), beside)
    for _ in range(8):
        x = b.add(separable(separable(separable(x, 728), 728), 728), x)
    beside = _normalized(b, x, 1024, 1, stride=2)
    x = b.add(b.max_pooling(separable(separable(x, 728), 1024), 3, stride=2, same=True), beside)
    for filters in (1536, 2048):
        x = b.activation(separable(x, filters, first=False), "relu")
    return b.model(inputs, b.dense(b.global_average_pooling(x), 1000, "softmax"))


def u_net(b: Any, side: int = 64, filters: int = 32) -> Any:
    """Images from images (Ronneberger et al. 2015), small."""

    def twice(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = b.convolution(x, filters, 3, same=True, activation="relu")
        return x

    inputs = b.input((side, side, 3))
    high = twice(inputs, filters)
    middle = twice(b.max_pooling(high, 2), 2 * filters)
    low = twice(b.max_pooling(middle, 2), 4 * filters)
    x = twice(b.concatenate([b.up_sampling(low, 2), middle]), 2 * filters)
    x = twice(b.concatenate([b.up_sampling(x, 2), high]), filters)
    x = b.flatten(b.convolution(x, 1, 1, activation="sigmoid"))
    return b.model(inputs, x)


def autoencoder(b: Any, side: int = 28, filters: int = 16) -> Any:
    """Grey images from themselves, by few filters: Keras's guide to autoencoders."""
    x = inputs = b.input((side, side, 1))
    for width in (filters, filters // 2):
        x = b.max_pooling(b.convolution(x, width, 3, same=True, activation="relu"), 2)
    for width in (filters // 2, filters):
        x = b.up_sampling(b.convolution(x, width, 3, same=True, activation="relu"), 2)
    return b.model(inputs, b.flatten(b.convolution(x, 1, 3, same=True, activation="sigmoid")))


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


def small_lstm(b: Any, units: int = 16) -> Any:
    """A short sequence, a small layer: what a step costs beside its arithmetic."""
    inputs = b.input((10, 8))
    return b.model(inputs, b.dense(b.lstm(inputs, units, 0.0), 1, "sigmoid"))


def small_cnn(b: Any) -> Any:
    """The same of a convolution."""
    inputs = b.input((12, 12, 1))
    x = b.max_pooling(b.convolution(inputs, 8, 3, activation="relu"), 2)
    return b.model(inputs, b.dense(b.flatten(x), 10, "softmax"))


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


def text_generation(b: Any, characters: int = 57, length: int = 40, units: int = 128) -> Any:
    """Keras 1.2.2's examples/lstm_text_generation.py."""
    inputs = b.input((length, characters))
    return b.model(inputs, b.dense(b.lstm(inputs, units), characters, "softmax"))


def stacked_lstm(b: Any, features: int = 16, length: int = 50, units: int = 64) -> Any:
    """Three LSTMs, as in Keras's guide to the Sequential model."""
    x = inputs = b.input((length, features))
    x = b.lstm(b.lstm(x, units, sequences=True), units, sequences=True)
    return b.model(inputs, b.dense(b.lstm(x, units // 2), 10, "softmax"))


def imdb_cnn(b: Any, words: int = 5000, length: int = 400, filters: int = 250) -> Any:
    """Keras 1.2.2's examples/imdb_cnn.py."""
    inputs = b.input((length,), integers=words)
    x = b.dropout(b.embedding(inputs, words, 50), 0.2)
    x = b.global_max_pooling(b.sequence_convolution(x, filters, 3, "relu"))
    x = b.activation(b.dropout(b.dense(x, filters), 0.2), "relu")
    return b.model(inputs, b.dense(x, 1, "sigmoid"))


def fasttext(b: Any, words: int = 20000, length: int = 400, units: int = 50) -> Any:
    """Keras 1.2.2's examples/imdb_fasttext.py."""
    inputs = b.input((length,), integers=words)
    return b.model(inputs, b.dense(b.sequence_average(b.embedding(inputs, words, units)), 1, "sigmoid"))
