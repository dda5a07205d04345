"""BigDL's ``Optimizer``, on this machine or on Spark, as the data is."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Self

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.spark.kinds import is_spark_data
from bigdl.spark.options import Options
from bigdl.training.base_optimizer import BaseOptimizer
from bigdl.training.batches import Samples, SeededOrder
from bigdl.training.checkpoint import naming_last_good
from bigdl.training.local_optimizer import LocalOptimizer
from bigdl.training.optim_methods import OptimMethod
from bigdl.training.step import Step
from bigdl.training.triggers import Trigger


class Optimizer(BaseOptimizer):
    """BigDL's ``Optimizer``.

    Arrays and lists of ``Sample`` are trained on here, RDDs and DataFrames by the workers of their Spark session. These
    divide each batch and add up their gradients before each step, so that the weights do not depend on how many they
    are, nor on how the data was partitioned.

    Args:
        model: The model to train, in place.
        training_rdd: An RDD of ``Sample``; a DataFrame; ``(X, Y)``; or a list of ``Sample``.
        criterion: The loss.
        end_trigger: When to stop.
        batch_size: Rows for each step, over all workers.
        optim_method: How the weights are moved, SGD by default; or one for each layer, by name.
        bigdl_type: Kept for BigDL's signature.
        features_col: Of a DataFrame, the column of each input: numbers, arrays, vectors, bytes or images.
        label_col: Of a DataFrame, the columns of the targets.
        preprocess: Of a DataFrame or an RDD, a function that the input's rows pass through on the workers, from an
            array to an array; for several inputs a list of them.
        options: How the job on the cluster runs.
    """

    def __init__(
        self,
        model: Container,
        training_rdd: Any,
        criterion: Any,
        end_trigger: Trigger | None = None,
        batch_size: int = 32,
        optim_method: OptimMethod | Mapping[str, OptimMethod] | None = None,
        bigdl_type: str = "float",
        *,
        features_col: Any = "features",
        label_col: Any = "label",
        preprocess: Any = None,
        options: Options | None = None,
    ) -> None:
        self.features_col = features_col
        self.label_col = label_col
        self.preprocess = preprocess
        self.options = options or Options()
        super().__init__(model, training_rdd, criterion, end_trigger, batch_size, optim_method)

    @staticmethod
    def create(
        model: Container,
        training_set: Any,
        criterion: Any,
        end_trigger: Trigger | None = None,
        batch_size: int = 32,
        optim_method: OptimMethod | Mapping[str, OptimMethod] | None = None,
        cores: int | None = None,
        bigdl_type: str = "float",
    ) -> BaseOptimizer:
        """Makes the optimizer that fits the data.

        Args:
            model: The model to train, in place.
            training_set: ``(X, Y)``, for which it is a ``LocalOptimizer``; an RDD or a DataFrame, for which it is a
                ``DistriOptimizer``; or a list of ``Sample``.
            criterion: The loss.
            end_trigger: When to stop; after one epoch by default.
            batch_size: Rows for each step.
            optim_method: How the weights are moved, SGD by default; or one for each layer, by name.
            cores: How many threads to compute with, on this machine.
            bigdl_type: Kept for BigDL's signature.
        """
        if isinstance(training_set, tuple) and len(training_set) == 2:
            x, y = training_set
            return LocalOptimizer(x, y, model, criterion, end_trigger, batch_size, optim_method, cores)
        kind = DistriOptimizer if is_spark_data(training_set) else Optimizer
        return kind(model, training_set, criterion, end_trigger, batch_size, optim_method)

    def set_validation(self, batch_size: int, val_rdd: Any, trigger: Trigger | None, val_method: Any = None) -> Self:
        """Validates when a trigger holds.

        Args:
            batch_size: Rows at a time.
            val_rdd: Data of the kind that is trained on: an RDD, a DataFrame, ``(X, Y)``, or a list of ``Sample``.
            trigger: When.
            val_method: What is computed, a list; ``[Top1Accuracy()]`` by default.
        """
        return self._validate_on(val_rdd, batch_size, trigger, val_method)

    def _read(self, data: Any) -> Any:
        """Checks data against the model; it becomes samples here, or a data set of the cluster."""
        return self._data_set(data) if is_spark_data(data) else super()._read(data)

    def _read_validation(self, data: Any) -> Any:
        """Checks data to validate on against the model; it becomes what the data to train on is."""
        if not isinstance(self._data, Samples):
            return self._data_set(data)
        if is_spark_data(data):
            raise DataError("Validation on an RDD or a DataFrame needs training on one. Collect it, or give arrays.")
        return super()._read(data)

    def _data_set(self, data: Any) -> Any:
        from bigdl.spark.datasets import data_set  # here, as it needs pyspark

        return data_set(self.model, data, self.features_col, self.label_col, None, self.preprocess)

    def _check(self) -> None:
        """Checks labels here; those of the cluster are checked there, by the workers that hold them."""
        if isinstance(self._data, Samples):
            super()._check()
        elif self.model.stateful:
            raise DataError(
                f"Model {self.model.name!r} is stateful: its layers keep a state for each row of a batch, and rows are "
                "spread over workers. Train it on one machine."
            )

    def _train(self, step: Step, verbose: int) -> None:
        if isinstance(self._data, Samples):
            super()._train(step, verbose)
            return
        from bigdl.spark.optimizer_job import optimize
        from bigdl.spark.optimizer_work import OptimizerWork

        sets = [self._data] + ([self._validation[0]] if self._validation is not None else [])

        def work() -> OptimizerWork:
            assert self._seed is not None
            return OptimizerWork(
                step=step,
                fields=[data.fields for data in sets],
                batch_size=self.batch_size,
                order=SeededOrder(self._seed),
                state=self.state,
                seed=self._seed,
                criterion=self.criterion,
                end_trigger=self.end_trigger,
                record=self._record,
                validation=None if self._validation is None else self._validation[1:],
                checkpoint=self._checkpoint,
                train_summary=self._train_summary,
                val_summary=self._val_summary,
            )

        resume = None if self._checkpoint is None else functools.partial(self._go_back, step)
        last_good = naming_last_good(None if self._checkpoint is None else self._checkpoint[0])
        with self._summaries_open(), last_good:
            outcome = optimize(sets, work, self.options, resume, self._summaries, verbose, self._epochs)
        self._restore(outcome)
        if outcome["interrupted"]:
            raise KeyboardInterrupt

    def _go_back(self, step: Step) -> bool:
        """Goes back to the last checkpoint, if there is one; else training is still where it began."""
        assert self._checkpoint is not None
        checkpoints = self._checkpoint[0]
        if checkpoints.latest() is None:
            return False
        self._restore(checkpoints.load(self.model, step.optimizer))
        return True


class DistriOptimizer(Optimizer):
    """BigDL's ``DistriOptimizer``: as ``Optimizer``, but arrays are sent to the cluster, too."""

    def _read(self, data: Any) -> Any:
        """Checks data against the model; it becomes a data set of the cluster."""
        return self._data_set(data)
