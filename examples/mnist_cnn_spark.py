"""LeNet on MNIST, trained by the workers of a Spark session.

    python examples/mnist_cnn_spark.py --epochs 3 --data-as dataframe
    spark-submit --master yarn --deploy-mode cluster ... examples/mnist_cnn_spark.py --epochs 12

Without spark-submit two executors of one core each are started on this machine. MNIST is fetched once into ``--data``
by the driver, and goes to the workers as a DataFrame with a column of bytes, or as an RDD of samples.
"""

import argparse
import functools
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from bigdl.dataset import mnist
from bigdl.dataset.transformer import normalizer
from bigdl.nn.criterion import ClassNLLCriterion
from bigdl.nn.layer import Model
from bigdl.optim.optimizer import Adadelta, EveryEpoch, Loss, MaxEpoch, Optimizer, Top1Accuracy
from bigdl.spark.options import Options
from bigdl.util.common import Sample, create_spark_conf, get_spark_context

HERE = Path(__file__).resolve().parent
MASTER = "local-cluster[2,1,2048]"

scale = functools.partial(normalizer, mean=mnist.TRAIN_MEAN, std=mnist.TRAIN_STD)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=3, help="times through the training data (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=128, help="samples a step, over all workers (%(default)s)")
    parser.add_argument("--workers", type=int, help="workers that train together (as many as there are task slots)")
    parser.add_argument("--data-as", choices=["dataframe", "rdd"], default="dataframe", help="(%(default)s)")
    parser.add_argument("--checkpoints", help="folder for checkpoints that driver and workers share")
    parser.add_argument(
        "--data", default=Path.home() / ".cache" / "bigdl" / "mnist", help="folder of MNIST (%(default)s)"
    )
    return parser.parse_args()


def session() -> SparkSession:
    """Returns the session that spark-submit has prepared, or one on this machine."""
    conf = create_spark_conf()
    if not conf.contains("spark.master"):
        conf.setMaster(MASTER).set("spark.executor.memory", "2g").set("spark.ui.showConsoleProgress", "false")
    get_spark_context(conf.setAppName("LeNet on MNIST"))
    return SparkSession.builder.getOrCreate()


def as_dataframe(spark: SparkSession, folder: Path, part: str) -> Any:
    """Returns images as bytes, 784 to a row, and labels 1 to 10, as BigDL counts classes."""
    images, labels = mnist.read_data_sets(folder, part)
    rows = [(image.tobytes(), int(label) + 1) for image, label in zip(images, labels, strict=True)]
    return spark.createDataFrame(rows, "image binary, label int")


def as_rdd(spark: SparkSession, folder: Path, part: str) -> Any:
    """Returns samples of images that are scaled on the cluster."""
    images, labels = mnist.read_data_sets(folder, part)
    rows = spark.sparkContext.parallelize(list(zip(images, labels.astype("int64") + 1, strict=True)))
    return rows.map(lambda row: Sample.from_ndarray(scale(row[0]), row[1]))


def main() -> None:
    args = arguments()
    spark = session()
    data, settings = as_rdd, dict[str, Any]()
    if args.data_as == "dataframe":
        data, settings = as_dataframe, {"features_col": "image", "preprocess": scale}
    train, test = (data(spark, args.data, part).cache() for part in ("train", "test"))

    model = Model.load_keras(HERE / "lenet.json")
    optimizer = Optimizer(
        model=model,
        training_rdd=train,
        criterion=ClassNLLCriterion(logProbAsInput=False),
        optim_method=Adadelta(decayrate=0.95, epsilon=1e-8),  # Keras's own values
        end_trigger=MaxEpoch(args.epochs),
        batch_size=args.batch_size,
        options=Options(workers=args.workers),
        **settings,
    )
    methods = [Top1Accuracy(), Loss(ClassNLLCriterion(logProbAsInput=False))]
    optimizer.set_validation(batch_size=args.batch_size, val_rdd=test, trigger=EveryEpoch(), val_method=methods)
    if args.checkpoints:
        optimizer.set_checkpoint(EveryEpoch(), args.checkpoints)
    optimizer.optimize()

    accuracy, *_ = model.evaluate(test, args.batch_size, methods, **settings)
    print(f"test accuracy: {accuracy.result:.4f} of {accuracy.total_num}")
    spark.stop()


if __name__ == "__main__":
    main()
