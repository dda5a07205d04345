"""What a model of Keras 1.2.2 can do: fit, evaluate, predict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bigdl import training
from bigdl.errors import DataError
from bigdl.models.compiled_face import CompiledFace
from bigdl.models.spark_face import columns_by_argument, fit_on_spark, predict_on_spark
from bigdl.spark.kinds import is_spark_data, session_is_active
from bigdl.spark.options import Options
from bigdl.training import Callback, History


class KerasFace(CompiledFace):
    """The verbs of Keras 1.2.2's ``Model`` and ``Sequential``."""

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        nb_epoch: int = 10,
        verbose: int = 1,
        callbacks: Iterable[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        *,
        distributed: bool = False,
        features_col: Any = "features",
        label_col: Any = "label",
        sample_weight_col: Any = None,
        preprocess: Any = None,
        options: Options | None = None,
    ) -> History:
        """Trains for a number of epochs.

        Args:
            x: The inputs: an array, a list of arrays in the order of the inputs, or arrays by the inputs' names. Or a
                data set or loader of torch that gives ``(x, y)`` or ``(x, y, sample_weight)``. Or a DataFrame or an
                RDD of ``Sample``, on which the workers of its Spark session train.
            y: The targets, likewise by the outputs; not where ``x`` gives them.
            batch_size: Rows a step.
            nb_epoch: The number of the last epoch.
            verbose: 0 for silence, 1 for a progress bar, 2 for a line each epoch.
            callbacks: What is told of the progress.
            validation_split: The share of the rows, from the end, to validate on instead of training.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)`` to validate on after each epoch, or a data set or
                loader of torch where ``x`` is one.
            shuffle: Whether each epoch has its own order; ``"batch"`` shuffles whole batches; ``"balanced"`` shuffles
                so that each of several workers has its part of every batch.
            class_weight: The weight of each class by its number, from 0.
            sample_weight: The weight of each row (of each step, where ``sample_weight_mode`` is ``"temporal"``).
            initial_epoch: The number of epochs that were trained before.
            distributed: Whether arrays are sent to the cluster, if there is an active session of Spark.
            features_col: Of a DataFrame, the column of each input: numbers, arrays, vectors, bytes or images; several
                columns of numbers make a single input.
            label_col: Of a DataFrame, the column of each output's targets.
            sample_weight_col: Of a DataFrame, the column of each output's sample weights.
            preprocess: Of a DataFrame or an RDD, a function that the input's rows pass through on the workers, from
                an array to an array; for several inputs a list of them.
            options: How the workers of Spark work together.

        Returns:
            The history: loss and metrics by epoch.

        Raises:
            TrainingError: The model is not compiled, or the loss is not finite.
            DataError: The data does not fit the model, or there is no such precision.
            DistributedError: Spark cannot run the job, or too many workers were lost.
        """
        if is_spark_data(x) or (distributed and session_is_active()):
            columns = columns_by_argument(features_col, label_col, sample_weight_col, preprocess)
            self.history = fit_on_spark(
                self,
                self.compiled,
                x,
                y,
                sample_weight,
                columns,
                batch_size,
                nb_epoch,
                verbose,
                callbacks,
                validation_split,
                validation_data,
                shuffle,
                class_weight,
                initial_epoch,
                options,
            )
        elif preprocess is not None:
            raise DataError("preprocess is for the data of a Spark session. Call it on the arrays before fit.")
        elif training.is_torch_data(x):
            loader = training.loader_for(x, batch_size, bool(shuffle))
            rows, validation_rows = training.rows_of(loader), None
            if training.is_torch_data(validation_data):
                held_out = training.loader_for(validation_data, batch_size)
                validation_data, validation_rows = training.endless(held_out), training.rows_of(held_out)
            self.history = training.fit_generator(
                self,
                self.compiled,
                training.endless(loader),
                rows,
                nb_epoch,
                verbose,
                callbacks,
                validation_data,
                validation_rows,
                class_weight,
                initial_epoch=initial_epoch,
            )
        else:
            self.history = training.fit(
                self,
                self.compiled,
                x,
                y,
                batch_size,
                nb_epoch,
                verbose,
                callbacks,
                validation_split,
                validation_data,
                shuffle,
                class_weight,
                sample_weight,
                initial_epoch,
            )
        return self.history

    def predict(
        self,
        x: Any,
        batch_size: int | None = 32,
        verbose: int = 0,
        *,
        features_col: Any = "features",
        output_col: str = "prediction",
        bad_rows: str = "raise",
        preprocess: Any = None,
        distributed: bool = False,
        precision: str | None = None,
        backend: str | None = None,
    ) -> Any:
        """Computes the outputs in evaluation mode, batch by batch.

        Args:
            x: The inputs: an array, a list of arrays in the order of the inputs, or arrays by the inputs' names. Or a
                data set or loader of torch, of inputs or of tuples that begin with them. Or a DataFrame of Spark, or
                an RDD of ``Sample`` or arrays.
            batch_size: Rows at a time; -1 and None stand for 32.
            verbose: 1 shows a progress bar on a terminal.
            distributed: BigDL's argument, without effect: arrays are predicted for where they are.
            features_col: Of a DataFrame, the column of each input; see ``fit``.
            output_col: The column that a DataFrame gets; for several outputs it holds structs.
            bad_rows: What becomes of rows of a DataFrame or an RDD that are null or of a wrong shape: ``"raise"`` an
                error that names the first of them, or ``"keep"`` them, with null instead of a prediction and, in a
                column with ``_error`` behind the name, the reason.
            preprocess: See ``fit``.
            precision: ``"bf16"`` for products of bfloat16; see ``compile``. Not for Spark's data.
            backend: ``"onnxruntime"`` or ``"openvino"`` to have arrays predicted for by that runtime, which must be
                installed (extras of the same names); see ``bigdl.export.serving``.

        Returns:
            An array with a row for each row of ``x``; a list where the model has several outputs. For a DataFrame it
            with a further column, for an RDD another of arrays, both in the same order and computed when needed.

        Raises:
            DataError: The data does not fit the model, or the precision or backend is none, or not for such data.
            MissingPackageError: The runtime is not installed.
            ExportError: The runtime cannot be given a layer of the model.
        """
        if type(x) is np.ndarray and backend is None:  # before all that takes time: it may be a single row
            return training.predict(self, x, batch_size, verbose, precision)
        if backend is not None:
            if precision is not None or is_spark_data(x) or training.is_torch_data(x):
                raise DataError("backend is for arrays in float32. Predict without it, or give arrays alone.")
            from bigdl.export.serving import predict_by  # only those who ask for it wait for its imports

            return predict_by(backend, self, x, batch_size, verbose)
        if is_spark_data(x):
            if precision is not None:
                raise DataError("precision is for data on this machine; Spark's is predicted for in float32.")
            return predict_on_spark(self, x, batch_size, None, features_col, output_col, bad_rows, preprocess)
        if training.is_torch_data(x):
            loader = training.loader_for(x, batch_size if batch_size and batch_size > 0 else 32)
            return training.predict_generator(
                self, training.endless(loader), training.rows_of(loader), precision=precision
            )
        return training.predict(self, x, batch_size, verbose, precision)

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: int = 0, **on_spark: Any) -> Any:
        """Returns the class of each row, counted from 0 as in Keras.

        Args:
            x: The inputs; see ``predict``.
            batch_size: Rows at a time.
            verbose: 1 shows a progress bar on a terminal.
            on_spark: ``features_col``, ``output_col``, ``bad_rows`` and ``preprocess``; see ``predict``.
        """
        if is_spark_data(x):
            return predict_on_spark(self, x, batch_size, 0, **on_spark)
        scores = self.predict(x, batch_size, verbose)
        classes = scores.argmax(axis=-1) if scores.shape[-1] > 1 else scores > 0.5
        return np.asarray(classes, np.int64)

    def predict_proba(self, x: Any, batch_size: int = 32, verbose: int = 0) -> Any:
        """Returns what ``predict`` returns."""
        return self.predict(x, batch_size, verbose)

    def train_on_batch(self, x: Any, y: Any, class_weight: Any = None, sample_weight: Any = None) -> Any:
        """Moves the weights once; returns the loss and metrics from before, as ``evaluate`` does. See ``fit``."""
        return training.train_on_batch(self, self.compiled, x, y, sample_weight, class_weight)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """Computes the loss and metrics of one batch in evaluation mode. See ``evaluate``."""
        return training.test_on_batch(self, self.compiled, x, y, sample_weight)

    def predict_on_batch(self, x: Any) -> Any:
        """Computes the outputs of one batch in evaluation mode. See ``predict``."""
        return training.predict_on_batch(self, x)
