"""BigDL's ``bigdl.models.lenet.utils``: MNIST as RDDs, and what the LeNet example does with its options."""

from __future__ import annotations

import functools
from typing import Any

from bigdl.data import mnist as mnist
from bigdl.data.transformer import normalizer as normalizer
from bigdl.training.base_optimizer import BaseOptimizer
from bigdl.training.sample import Sample as Sample
from bigdl.training.triggers import EveryEpoch, MaxEpoch, MaxIteration, Trigger
from bigdl.training.validation import Top1Accuracy


def get_mnist(sc: Any, data_type: str = "train", location: str = "/tmp/mnist") -> Any:  # noqa: S108
    """Returns MNIST as an RDD of ``(image, label)``, labels counted from 1; missing files are fetched.

    Args:
        sc: The SparkContext.
        data_type: ``"train"`` or ``"test"``.
        location: The folder of the files.
    """
    images, labels = mnist.read_data_sets(location, data_type)
    return sc.parallelize(list(zip(images, labels.astype("int64") + 1, strict=True)))


def preprocess_mnist(sc: Any, options: Any) -> tuple[Any, Any]:
    """Returns MNIST for training and testing as samples, the images scaled to mean 0 and deviation 1.

    Args:
        sc: The SparkContext.
        options: ``dataPath`` is the folder of the files.
    """
    train = get_mnist(sc, "train", options.dataPath)
    test = get_mnist(sc, "test", options.dataPath)
    return (
        train.map(functools.partial(_scaled, mean=mnist.TRAIN_MEAN, std=mnist.TRAIN_STD)),
        test.map(functools.partial(_scaled, mean=mnist.TEST_MEAN, std=mnist.TEST_STD)),
    )


def _scaled(pair: tuple[Any, Any], mean: float, std: float) -> Sample:
    image, label = pair
    return Sample.from_ndarray(normalizer(image, mean, std), label)


def get_end_trigger(options: Any) -> Trigger:
    """Returns when training ends: after ``endTriggerNum`` epochs, or iterations where ``endTriggerType`` says so."""
    kind = MaxEpoch if options.endTriggerType.lower() == "epoch" else MaxIteration
    return kind(options.endTriggerNum)


def validate_optimizer(optimizer: BaseOptimizer, test_data: Any, options: Any) -> None:
    """Lets an optimizer validate, and write a checkpoint, after each epoch.

    Args:
        optimizer: The optimizer.
        test_data: What to validate on.
        options: ``batchSize`` and ``checkpointPath``.
    """
    validated: Any = optimizer
    validated.set_validation(
        batch_size=options.batchSize, val_rdd=test_data, trigger=EveryEpoch(), val_method=[Top1Accuracy()]
    )
    optimizer.set_checkpoint(EveryEpoch(), options.checkpointPath)
