"""Hyperparameters of a network for MNIST, searched for with Optuna by the tasks of a Spark session.

    python examples/tune_spark.py --trials 12
    spark-submit --master yarn ... examples/tune_spark.py --trials 100

Each task trains one network after the other. The study stays on the driver: it chooses the next values from what all
tasks have found so far, and ends trials early that fall behind.
"""

import argparse
from pathlib import Path
from typing import Any

import optuna
from pyspark.sql import SparkSession

from bigdl.dataset import mnist
from bigdl.dataset.transformer import normalizer
from bigdl.keras.callbacks import Callback
from bigdl.keras.layers import Dense, Dropout, Flatten
from bigdl.keras.models import Sequential
from bigdl.keras.optimizers import RMSprop
from bigdl.pipelines.tuning import optimize_study
from bigdl.util.common import create_spark_conf, get_spark_context

ROWS, HELD_OUT = 6000, 2000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=12, help="networks to train (%(default)s)")
    parser.add_argument("--epochs", type=int, default=5, help="times through the training data (%(default)s)")
    parser.add_argument(
        "--data", default=Path.home() / ".cache" / "bigdl" / "mnist", help="folder of MNIST (%(default)s)"
    )
    return parser.parse_args()


class Pruning(Callback):
    """Tells the study of each epoch, and ends trials that are not worth going on with."""

    def __init__(self, trial: Any) -> None:
        super().__init__()
        self.trial = trial

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Reports the accuracy on what was held out."""
        self.trial.report(logs["val_acc"], epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def main() -> None:
    args = arguments()
    conf = create_spark_conf()
    if not conf.contains("spark.master"):
        conf.setMaster("local[2]").set("spark.ui.showConsoleProgress", "false")
    spark_context = get_spark_context(conf.setAppName("Search on MNIST"))

    images, labels = mnist.read_data_sets(args.data, "train")
    scaled = normalizer(images[: ROWS + HELD_OUT], mnist.TRAIN_MEAN, mnist.TRAIN_STD).astype("float32")
    data = spark_context.broadcast((scaled, labels[: ROWS + HELD_OUT].astype("int64")))

    def objective(trial: Any) -> float:
        """Trains a network and returns its accuracy on what was held out."""
        x, y = data.value
        model = Sequential()
        model.add(Flatten(input_shape=(28, 28, 1)))
        model.add(Dense(trial.suggest_int("units", 16, 256, log=True), activation="relu"))
        model.add(Dropout(trial.suggest_float("dropout", 0.0, 0.6)))
        model.add(Dense(10, activation="softmax"))
        rate = RMSprop(lr=trial.suggest_float("lr", 1e-4, 1e-1, log=True))
        model.compile(rate, "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(
            x[:ROWS],
            y[:ROWS],
            nb_epoch=args.epochs,
            verbose=0,
            validation_data=(x[ROWS:], y[ROWS:]),
            callbacks=[Pruning(trial)],
        )
        return float(history.history["val_acc"][-1])

    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=1), pruner=optuna.pruners.MedianPruner()
    )
    optimize_study(study, objective, args.trials)
    pruned = sum(trial.state is optuna.trial.TrialState.PRUNED for trial in study.trials)
    print(f"{len(study.trials)} trials, {pruned} ended early; the best, {study.best_value:.4f}: {study.best_params}")
    SparkSession.builder.getOrCreate().stop()


if __name__ == "__main__":
    main()
