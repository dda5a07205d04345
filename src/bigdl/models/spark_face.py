"""What ``fit``, ``predict`` and ``evaluate`` do with the data of a Spark session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.spark.kinds import is_dataframe, is_spark_data
from bigdl.spark.options import Options
from bigdl.training import Callback, Compiled, History
from bigdl.training.batches import keras_order
from bigdl.training.fitting import single
from bigdl.training.samples import checked_validation, samples_for
from bigdl.training.validation import ValidationMethod

if TYPE_CHECKING:
    from bigdl.spark.placement import DataSet


def columns_by_argument(features_col: Any, label_col: Any, sample_weight_col: Any, preprocess: Any) -> dict[str, Any]:
    """Returns which columns are read, and what the inputs pass through, as ``fit`` and ``evaluate`` were given them."""
    return {
        "features_col": features_col,
        "label_col": label_col,
        "sample_weight_col": sample_weight_col,
        "preprocess": preprocess,
    }


def fit_on_spark(
    model: Container,
    compiled: Compiled,
    data: Any,
    y: Any,
    sample_weight: Any,
    columns: dict[str, Any],
    batch_size: int,
    nb_epoch: int,
    verbose: int,
    callbacks: Iterable[Callback] | None,
    validation_split: float,
    validation_data: Any,
    shuffle: bool | str,
    class_weight: Any,
    initial_epoch: int,
    options: Options | None,
) -> History:
    """Trains a model on a DataFrame or an RDD, or on arrays that are sent to the cluster; see ``Model.fit``.

    Args:
        model: The model.
        compiled: What it was compiled with.
        data: A DataFrame, an RDD of ``Sample``, or inputs as ``fit`` takes them.
        y: The targets beside these.
        sample_weight: The weights beside these.
        columns: See ``columns_by_argument``.
        batch_size: Rows a step, over all workers.
        nb_epoch: The number of the last epoch.
        verbose: See ``fit``.
        callbacks: See ``KerasJob``.
        validation_split: See ``fit``.
        validation_data: Data of the same kind, or arrays as ``fit`` takes them.
        shuffle: See ``fit``.
        class_weight: See ``fit``.
        initial_epoch: See ``fit``.
        options: How the job runs.
    """
    from bigdl.spark.datasets import data_set  # here, as it needs pyspark
    from bigdl.spark.keras_job import KerasJob

    if is_spark_data(data):
        check_no_arrays(y=y, sample_weight=sample_weight)
        sets = [data_set(model, data, **columns)]
    else:
        sets = [_sent(model, compiled, columns["preprocess"], data, y, sample_weight)]
    if is_spark_data(validation_data):
        sets.append(data_set(model, validation_data, **columns))
    elif validation_data is not None:
        sets.append(_sent(model, compiled, columns["preprocess"], *checked_validation(validation_data)))
    job = KerasJob(
        model=model,
        compiled=compiled,
        sets=sets,
        batch_size=batch_size,
        nb_epoch=nb_epoch,
        verbose=verbose,
        callbacks=callbacks,
        split=validation_split if validation_data is None else 0.0,
        order=keras_order(shuffle),
        class_weight=class_weight,
        initial_epoch=initial_epoch,
        options=options or Options(),
    )
    return job.run()


def _sent(model: Container, compiled: Compiled, preprocess: Any, x: Any, y: Any, sample_weight: Any = None) -> DataSet:
    """Sends arrays that fit the model to the cluster."""
    from bigdl.spark.datasets import arrays_set

    samples = samples_for(model, compiled, x, y, sample_weight)
    weighted = any(weights is not None for weights in samples.weights)
    ones = np.ones(len(samples), np.float32)
    return arrays_set(
        model,
        [column.numpy() for column in samples.inputs],
        [column.numpy() for column in samples.targets],
        [ones if column is None else column.numpy() for column in samples.weights] if weighted else [],
        preprocess,
    )


def predict_on_spark(
    model: Container,
    data: Any,
    batch_size: int | None,
    first_class: int | None = None,
    features_col: Any = "features",
    output_col: str = "prediction",
    bad_rows: str = "raise",
    preprocess: Any = None,
) -> Any:
    """Predicts for the rows of a DataFrame or an RDD; see ``Model.predict``.

    Args:
        model: The model.
        data: A DataFrame, or an RDD of ``Sample`` or arrays.
        batch_size: Rows at a time.
        first_class: The number of the first class, for classes instead of outputs.
        features_col: Of a DataFrame, the column of each input.
        output_col: The column that a DataFrame gets.
        bad_rows: ``"raise"`` or ``"keep"``.
        preprocess: What the inputs pass through.

    Returns:
        The DataFrame with a further column, or an RDD.
    """
    from bigdl.spark.predict import predict_frame, predict_rdd
    from bigdl.spark.scores import Classes, Outputs

    score = Outputs() if first_class is None else Classes(first_class)
    if is_dataframe(data):
        return predict_frame(model, data, features_col, output_col, batch_size, bad_rows, score, preprocess)
    return predict_rdd(model, data, batch_size, bad_rows, score, preprocess)


def evaluate_on_spark(
    model: Container,
    data: Any,
    batch_size: Any,
    methods: Sequence[ValidationMethod] | None,
    compiled: Compiled | None,
    columns: dict[str, Any],
) -> Any:
    """Evaluates a model on the rows of a DataFrame or an RDD; see ``Model.evaluate``.

    Args:
        model: The model.
        data: A DataFrame, or an RDD of ``Sample``.
        batch_size: Rows at a time.
        methods: BigDL's validation methods; None for what the model was compiled with.
        compiled: That.
        columns: See ``fit_on_spark``.
    """
    from bigdl.spark.datasets import data_set
    from bigdl.spark.evaluate import evaluate_compiled, evaluate_methods

    if methods is not None:
        return evaluate_methods(model, data_set(model, data, **columns), batch_size, methods)
    assert compiled is not None
    return single(evaluate_compiled(model, compiled, data_set(model, data, **columns), batch_size))


def check_no_arrays(**given: Any) -> None:
    """Checks that what a DataFrame's columns say is not given as arrays beside it.

    Raises:
        DataError: It is.
    """
    wrong = [name for name, value in given.items() if value is not None]
    if wrong:
        raise DataError(
            f"{wrong[0]} cannot be given beside a DataFrame or an RDD: name the column that holds it (label_col=, "
            "sample_weight_col=); an RDD of Sample holds the labels."
        )
