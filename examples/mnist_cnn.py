"""The main job: a LeNet that Keras 1.2.2 defined, loaded, trained on MNIST, evaluated and saved.

    python examples/mnist_cnn.py --epochs 12

The definition, ``lenet.json`` beside this file, was written by the real Keras 1.2.2 (its own example mnist_cnn.py).
MNIST is fetched once into ``--data``.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bigdl.dataset import mnist
from bigdl.dataset.transformer import normalizer
from bigdl.nn.criterion import ClassNLLCriterion
from bigdl.nn.layer import Model
from bigdl.optim.optimizer import Adadelta, EveryEpoch, Loss, MaxEpoch, Optimizer, Top1Accuracy
from bigdl.training import plot_history

HERE = Path(__file__).resolve().parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12, help="times through the training data (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=128, help="samples a step (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the initial weights, the order and dropout (%(default)s)"
    )
    parser.add_argument(
        "--data", default=Path.home() / ".cache" / "bigdl" / "mnist", help="folder of MNIST (%(default)s)"
    )
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder of what is made (%(default)s)")
    return parser.parse_args()


def load(folder: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Returns images of mean 0 and deviation 1 over the training data, and labels 1 to 10, as BigDL counts classes."""
    images, labels = mnist.read_data_sets(folder, part)
    scaled = normalizer(images, mnist.TRAIN_MEAN, mnist.TRAIN_STD)
    return scaled.astype(np.float32), labels.astype(np.int64) + 1


def main() -> None:
    args = arguments()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    args.output.mkdir(parents=True, exist_ok=True)

    x_train, y_train = load(args.data, "train")
    x_test, y_test = load(args.data, "test")

    model = Model.load_keras(HERE / "lenet.json")
    model.summary()

    optimizer = Optimizer(
        model=model,
        training_rdd=(x_train, y_train),
        criterion=ClassNLLCriterion(logProbAsInput=False),
        optim_method=Adadelta(decayrate=0.95, epsilon=1e-8),  # Keras's own values
        end_trigger=MaxEpoch(args.epochs),
        batch_size=args.batch_size,
    )
    optimizer.set_validation(
        batch_size=args.batch_size,
        val_rdd=(x_test, y_test),
        trigger=EveryEpoch(),
        val_method=[Top1Accuracy(), Loss(ClassNLLCriterion(logProbAsInput=False))],
    )
    optimizer.optimize()

    model.save(args.output / "lenet.bigdl")
    plot_history(optimizer.history, args.output / "training_curve.png", "LeNet on MNIST")
    print(f"saved: {args.output / 'lenet.bigdl'}, {args.output / 'training_curve.png'}")

    again = Model.load(args.output / "lenet.bigdl")
    accuracy = float(np.mean(again.predict_class(x_test, batch_size=500) == y_test))
    print(f"test accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
