"""What a model of Keras 1.2.2 can do: compile, fit, evaluate, predict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl import training
from bigdl.errors import TrainingError
from bigdl.graph import Container
from bigdl.models.spark_face import check_no_arrays, fit_on_spark, predict_on_spark
from bigdl.spark.kinds import is_spark_data
from bigdl.spark.options import Options
from bigdl.training import Callback, Compiled, History
from bigdl.training.batches import Samples


class KerasFace(Container):
    """The verbs of Keras 1.2.2's ``Model`` and ``Sequential``."""

    _compiled: Compiled | None = None
    history: History | None = None
    held_out: Samples | None = None
    stop_training: bool = False

    def compile(
        self,
        optimizer: Any,
        loss: Any,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        *,
        lr_multipliers: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Settles what the model is trained by.

        The weights to move are settled here too: after a change of ``trainable``, compile again.

        Args:
            optimizer: A name (``"adadelta"``) or an optimizer.
            loss: The name of an objective, or a function of ``(y_true, y_pred)`` on torch tensors; for several
                outputs also a list, or a mapping by the outputs' names.
            metrics: Names or functions; a mapping by the outputs' names for different ones.
            loss_weights: The factor of each output's loss.
            sample_weight_mode: ``"temporal"`` where samples are weighted step by step.
            lr_multipliers: The factor of the learning rate of layers, by name or by patterns such as ``"block1_*"``,
                also of those inside nested models; where several fit, the last one counts. Keras has no such argument.
            kwargs: Without effect; Keras hands them to Theano.

        Raises:
            UnsupportedLayerError: There is no optimizer, objective or metric of a name.
            DataError: A list or mapping does not fit the outputs, or a multiplier is negative.
            LayerError: No layer's name fits a pattern.
        """
        self._compiled = Compiled(
            self, optimizer, loss, metrics, loss_weights, sample_weight_mode, lr_multipliers=lr_multipliers
        )

    @property
    def compiled(self) -> Compiled:
        """What the model was compiled with.

        Raises:
            TrainingError: It was not.
        """
        if self._compiled is None:
            raise TrainingError(f"Model {self.name!r} must be compiled first: model.compile(optimizer, loss).")
        return self._compiled

    @property
    def optimizer(self) -> training.optimizers.Optimizer:
        """The optimizer that the model was compiled with."""
        return self.compiled.optimizer

    @property
    def loss(self) -> Any:
        """The loss that the model was compiled with, as it was given."""
        return self.compiled.loss

    @property
    def metrics(self) -> Any:
        """The metrics that the model was compiled with, as they were given."""
        return self.compiled.metrics

    @property
    def loss_weights(self) -> Any:
        """The factors of the outputs' losses, as they were given."""
        return self.compiled.loss_weights

    @property
    def sample_weight_mode(self) -> Any:
        """In which way samples are weighted, as it was given."""
        return self.compiled.sample_weight_mode

    @property
    def metrics_names(self) -> list[str]:
        """The names of what ``evaluate`` and ``train_on_batch`` return."""
        return self.compiled.metrics_names

    @property
    def validation_data(self) -> list[NDArray[Any]] | None:
        """What ``fit`` validates on, for callbacks: inputs, targets and sample weights; None for nothing."""
        held_out = self.held_out
        if held_out is None:
            return None
        columns = [column.numpy() for column in (*held_out.inputs, *held_out.targets)]
        ones = np.ones(len(held_out), np.float32)
        return columns + [ones if weights is None else weights.numpy() for weights in held_out.weights]

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
            distributed: BigDL's argument; arrays are trained on where they are.
            features_col: Of a DataFrame, the column of each input: numbers, arrays, vectors, bytes or images; several
                columns of numbers make a single input.
            label_col: Of a DataFrame, the column of each output's targets.
            sample_weight_col: Of a DataFrame, the column of each output's sample weights.
            options: How the workers of Spark work together.

        Returns:
            The history: loss and metrics by epoch.

        Raises:
            TrainingError: The model is not compiled, or the loss is not finite.
            DataError: The data does not fit the model.
            DistributedError: Spark cannot run the job, or too many workers were lost.
        """
        if is_spark_data(x):
            check_no_arrays(y=y, sample_weight=sample_weight)
            columns = {"features_col": features_col, "label_col": label_col, "sample_weight_col": sample_weight_col}
            self.history = fit_on_spark(
                self,
                self.compiled,
                x,
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
        distributed: bool = False,
    ) -> Any:
        """Computes the outputs in evaluation mode, batch by batch.

        Args:
            x: The inputs: an array, a list of arrays in the order of the inputs, or arrays by the inputs' names. Or a
                data set or loader of torch, of inputs or of tuples that begin with them. Or a DataFrame of Spark, or
                an RDD of ``Sample`` or arrays.
            batch_size: Rows at a time; -1 and None stand for 32.
            verbose: 1 shows a progress bar on a terminal.
            distributed: See ``fit``.
            features_col: Of a DataFrame, the column of each input; see ``fit``.
            output_col: The column that a DataFrame gets; for several outputs it holds structs.
            bad_rows: What becomes of rows of a DataFrame or an RDD that are null or of a wrong shape: ``"raise"`` an
                error that names the first of them, or ``"keep"`` them, with null instead of a prediction and, in a
                column with ``_error`` behind the name, the reason.

        Returns:
            An array with a row for each row of ``x``; a list where the model has several outputs. For a DataFrame it
            with a further column, for an RDD another of arrays, both in the same order and computed when needed.

        Raises:
            DataError: The data does not fit the model.
        """
        if is_spark_data(x):
            return predict_on_spark(self, x, batch_size, None, features_col, output_col, bad_rows)
        if training.is_torch_data(x):
            loader = training.loader_for(x, batch_size if batch_size and batch_size > 0 else 32)
            return training.predict_generator(self, training.endless(loader), training.rows_of(loader))
        return training.predict(self, x, batch_size, verbose)

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: int = 0, **on_spark: Any) -> Any:
        """Returns the class of each row, counted from 0 as in Keras.

        Args:
            x: The inputs; see ``predict``.
            batch_size: Rows at a time.
            verbose: 1 shows a progress bar on a terminal.
            on_spark: ``features_col``, ``output_col`` and ``bad_rows``; see ``predict``.
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
