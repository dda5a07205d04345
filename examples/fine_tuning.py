"""Fine-tuning: a CNN that Keras 1.2.2 trained on the digits 0 to 4 learns the digits 5 to 9.

    python examples/fine_tuning.py

The task is that of Keras's own example mnist_transfer_cnn.py. The model, ``digits_0_to_4.h5`` beside this file, was
trained and saved by the real Keras 1.2.2. Its head is replaced; then only the head is trained, and at last all of it,
the convolutions at a tenth of the rate. MNIST is fetched once into ``--data``.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bigdl.dataset import mnist
from bigdl.keras.layers import Dense
from bigdl.keras.models import load_model

HERE = Path(__file__).resolve().parent
CLASSES = 5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2, help="of each of the two stages (%(default)s)")
    parser.add_argument("--samples", type=int, default=2000, help="images to learn from (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the new head, the order and dropout (%(default)s)")
    parser.add_argument(
        "--data", default=Path.home() / ".cache" / "bigdl" / "mnist", help="folder of MNIST (%(default)s)"
    )
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder of what is made (%(default)s)")
    return parser.parse_args()


def load(folder: Path, part: str, first: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Returns the images of five digits, from 0 to 1, and their classes from 0 to 4."""
    images, labels = mnist.read_data_sets(folder, part)
    classes = labels.astype(np.int64) - first
    chosen = (classes >= 0) & (classes < CLASSES)
    return images[chosen].astype(np.float32) / 255, classes[chosen]


def accuracy(model: Any, x: NDArray[Any], y: NDArray[Any]) -> float:
    return float(np.mean(model.predict_classes(x, batch_size=500) == y))


def main() -> None:
    args = arguments()
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)  # noqa: NPY002 - Keras's generator, which shuffles
    old = load(args.data, "test", first=0)
    x_train, y_train = (array[: args.samples] for array in load(args.data, "train", first=5))
    new = load(args.data, "test", first=5)

    model: Any = load_model(HERE / "digits_0_to_4.h5")
    print(f"digits 0 to 4, as Keras 1.2.2 left it:   accuracy {accuracy(model, *old):.4f}")

    model.pop()
    model.add(Dense(CLASSES, activation="softmax", name="new_digits"))
    print(f"digits 5 to 9, with a new head:          accuracy {accuracy(model, *new):.4f}")

    model.freeze(["conv_*", "hidden"])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=32, nb_epoch=args.epochs, verbose=2)
    print(f"digits 5 to 9, the head trained:         accuracy {accuracy(model, *new):.4f}")

    model.unfreeze()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], lr_multipliers={"conv_*": 0.1})
    model.fit(x_train, y_train, batch_size=32, nb_epoch=args.epochs, verbose=2)
    print(f"digits 5 to 9, all of it trained:        accuracy {accuracy(model, *new):.4f}")

    args.output.mkdir(parents=True, exist_ok=True)
    model.save_weights(args.output / "digits_5_to_9.h5")
    print(f"saved: {args.output / 'digits_5_to_9.h5'}, which Keras 1.2.2 opens")


if __name__ == "__main__":
    main()
