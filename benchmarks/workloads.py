"""What is measured: a network, how many rows at a time, training or prediction."""

from functools import partial
from typing import Any, Callable, List, NamedTuple, Tuple

import numpy as np

from benchmarks import nets

Build = Callable[[Any], Any]


class Workload(NamedTuple):
    """One line of the table.

    Attributes:
        name: Its name.
        build: Makes the network with a builder.
        shape: The shape of one row, channels last.
        batch: Rows at a time.
        optimizer: The optimizer's name in training; empty for prediction.
        ordering: The ``dim_ordering`` of Keras 1; peers have the channels where they like them best.
        classes: The length of the output.
        words: Inputs are whole numbers below this; 0 for floats.
        target: The ratio to the best peer to reach; 0 where none was set.
    """

    name: str
    build: Build
    shape: Tuple[int, ...]
    batch: int
    optimizer: str = ""
    ordering: str = "tf"
    classes: int = 10
    words: int = 0
    target: float = 0.0

    @property
    def training(self) -> bool:
        """Whether it trains."""
        return bool(self.optimizer)

    @property
    def loss(self) -> str:
        """Keras's name of the loss."""
        return "binary_crossentropy" if self.classes == 1 else "categorical_crossentropy"

    def data(self, rows: int) -> Tuple[Any, Any]:
        """Returns random inputs and targets.

        Args:
            rows: How many.
        """
        random = np.random.RandomState(0)
        shape = self.shape if self.ordering == "tf" else (self.shape[-1],) + self.shape[:-1]
        if self.words:
            x = random.randint(1, self.words, (rows,) + shape).astype("int32")
        else:
            x = random.uniform(size=(rows,) + shape).astype("float32")
        labels = random.randint(0, max(self.classes, 2), rows)
        y = labels[:, None] if self.classes == 1 else np.eye(self.classes)[labels]
        return x, y.astype("float32")


_LENET = Workload("lenet", nets.lenet, (28, 28, 1), 128)
_CIFAR = Workload("cifar", nets.cifar, (32, 32, 3), 32)
_RESNET = Workload("resnet50", nets.resnet50, (224, 224, 3), 8, classes=1000)
_VGG = Workload("vgg16", nets.vgg16, (224, 224, 3), 8, classes=1000)
_MLP = Workload("mlp", nets.mlp, (784,), 128)
_LSTM = Workload("imdb-lstm", nets.imdb_lstm, (80,), 32, classes=1, words=20000)
_BILSTM = Workload("imdb-bilstm", nets.imdb_bidirectional, (100,), 32, classes=1, words=20000)
_GRU = Workload("gru", nets.gru, (100, 64), 32, classes=1)
_CONV1D = Workload("imdb-cnn", nets.imdb_cnn, (400,), 32, classes=1, words=5000)
_DEEP = Workload("deep-mlp", nets.deep_mlp, (64,), 32)
_SMALL = Workload("small-mlp", partial(nets.deep_mlp, features=16, units=32, depth=2), (16,), 32)


_SMALL_LSTM = Workload("small-lstm", nets.small_lstm, (10, 8), 32, classes=1)
_SMALL_CNN = Workload("small-cnn", nets.small_cnn, (12, 12, 1), 32)
_INCEPTION = Workload("inception-v3", nets.inception_v3, (299, 299, 3), 8, classes=1000)
_XCEPTION = Workload("xception", nets.xception, (299, 299, 3), 8, classes=1000)
_UNET = Workload("u-net", nets.u_net, (64, 64, 3), 8, classes=64 * 64)
_AUTOENCODER = Workload("autoencoder", nets.autoencoder, (28, 28, 1), 128, classes=28 * 28)
_FASTTEXT = Workload("fasttext", nets.fasttext, (400,), 32, classes=1, words=20000)
_TEXT = Workload("text-generation", nets.text_generation, (40, 57), 128, classes=57)
_STACKED = Workload("stacked-lstm", nets.stacked_lstm, (50, 16), 32)


def _train(of: Workload, optimizer: str, target: float = 0.0, **changes: Any) -> Workload:
    return _named(of._replace(optimizer=optimizer, target=target, **changes), "train")


def _predict(of: Workload, target: float = 0.0, **changes: Any) -> Workload:
    return _named(of._replace(target=target, **changes), "predict")


def _named(workload: Workload, verb: str) -> Workload:
    ordering = "" if workload.ordering == "tf" else "-" + workload.ordering
    return workload._replace(name="{}{}-{}-{}".format(workload.name, ordering, verb, workload.batch))


MAIN = [
    _train(_LENET, "adadelta", 1.15),
    _predict(_LENET, 1.05),
    _predict(_LENET, 1.0, batch=1),
    _train(_RESNET, "sgd", 1.2),
    _predict(_RESNET, 1.0),
    _predict(_RESNET, 1.0, batch=1),
    _train(_VGG, "sgd", 1.05),
    _predict(_VGG, 1.0),
    _train(_LSTM, "adam", 1.6),
    _predict(_LSTM, 1.1),
    _train(_GRU, "rmsprop", 1.5),
    _train(_BILSTM, "adam", 1.5),
    _train(_MLP, "rmsprop", 1.0),
    _predict(_MLP, 1.0),
]
"""Those with a target, and networks everybody knows."""

OTHERS = [
    _train(_LENET, "adadelta", ordering="th", batch=64),
    _predict(_LENET, ordering="th", batch=64),
    _train(_CIFAR, "rmsprop"),
    _train(_CIFAR, "adam", ordering="th"),
    _predict(_CIFAR),
    _predict(_CIFAR, ordering="th", batch=1),
    _train(
        _RESNET._replace(name="resnet50-96px", build=partial(nets.resnet50, side=96), shape=(96, 96, 3)),
        "adam",
        ordering="th",
        batch=16,
    ),
    _predict(_RESNET, ordering="th", batch=4),
    _train(_CONV1D, "adam"),
    _predict(_CONV1D),
    _predict(_MLP, batch=1),
    _train(_DEEP, "sgd"),
    _predict(_DEEP),
    _train(_SMALL, "adam"),
    _predict(_SMALL),
    _train(_SMALL_LSTM, "adam"),
    _train(_SMALL_CNN, "adam"),
    _predict(_GRU),
    _predict(_BILSTM),
    _predict(_INCEPTION, batch=1),
    _train(
        _INCEPTION._replace(name="inception-v3-139px", build=partial(nets.inception_v3, side=139), shape=(139, 139, 3)),
        "rmsprop",
    ),
    _predict(_XCEPTION, batch=1),
    _train(
        _XCEPTION._replace(name="xception-128px", build=partial(nets.xception, side=128), shape=(128, 128, 3)), "sgd"
    ),
    _predict(_UNET, batch=1),
    _predict(_UNET),
    _train(_UNET, "adam"),
    _train(_AUTOENCODER, "adadelta"),
    _predict(_AUTOENCODER),
    _train(_FASTTEXT, "adam"),
    _predict(_FASTTEXT),
    _predict(_TEXT, batch=1),
    _train(_TEXT, "rmsprop"),
    _predict(_STACKED, batch=1),
    _train(_STACKED, "rmsprop"),
]
"""Others of the same kinds, so that nothing is tuned to the shapes above."""

WORKLOADS: List[Workload] = MAIN + OTHERS
