"""What a model of Keras 1.2.2 can do with data that a generator gives batch by batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bigdl import training
from bigdl.models.keras_face import KerasFace
from bigdl.training import Callback, History


class GeneratorFace(KerasFace):
    """The verbs of Keras 1.2.2's models on generators.

    Batches are made ahead, in a thread. Whatever ``pickle_safe`` and ``nb_worker`` say it is one thread, so that the
    order of the batches is the generator's, and no more are taken from it than needed.
    """

    def fit_generator(
        self,
        generator: Iterable[Any],
        samples_per_epoch: int,
        nb_epoch: int,
        verbose: int = 1,
        callbacks: Iterable[Callback] | None = None,
        validation_data: Any = None,
        nb_val_samples: int | None = None,
        class_weight: Any = None,
        max_q_size: int = 10,
        nb_worker: int = 1,
        pickle_safe: bool = False,
        initial_epoch: int = 0,
    ) -> History:
        """Trains on the batches of a generator.

        Args:
            generator: Gives ``(x, y)`` or ``(x, y, sample_weight)``, without end; or a ``DataLoader``, round after
                round.
            samples_per_epoch: Rows of an epoch, which ends with the batch that reaches them.
            nb_epoch: The number of the last epoch.
            verbose: See ``fit``.
            callbacks: See ``fit``.
            validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or another generator.
            nb_val_samples: Rows to take of that generator after each epoch.
            class_weight: See ``fit``.
            max_q_size: How many batches may be made ahead.
            nb_worker: Without effect; see above.
            pickle_safe: Without effect; see above.
            initial_epoch: The number of epochs that were trained before.

        Returns:
            The history: loss and metrics by epoch.

        Raises:
            TrainingError: The model is not compiled, or the loss is not finite.
            DataError: A batch does not fit the model, the generator ends too early, or ``nb_val_samples`` is missing.
            Exception: What the generator raises.
        """
        self.history = training.fit_generator(
            self,
            self.compiled,
            generator,
            samples_per_epoch,
            nb_epoch,
            verbose,
            callbacks,
            validation_data,
            nb_val_samples,
            class_weight,
            max_q_size,
            initial_epoch,
        )
        return self.history

    def evaluate_generator(
        self,
        generator: Iterable[Any],
        val_samples: int,
        max_q_size: int = 10,
        nb_worker: int = 1,
        pickle_safe: bool = False,
    ) -> Any:
        """Computes the loss and the metrics of the batches of a generator, as means weighted by their size.

        Args:
            generator: Gives ``(x, y)`` or ``(x, y, sample_weight)``.
            val_samples: Rows to take; the last batch may go beyond them.
            max_q_size: See ``fit_generator``, also for the arguments that follow.
            nb_worker: See there.
            pickle_safe: See there.

        Returns:
            The loss; a list in the order of ``metrics_names`` where there are several values.

        Raises:
            TrainingError: The model is not compiled.
            DataError: A batch does not fit the model, or the generator ends too early.
        """
        return training.evaluate_generator(self, self.compiled, generator, val_samples, max_q_size)

    def predict_generator(
        self,
        generator: Iterable[Any],
        val_samples: int,
        max_q_size: int = 10,
        nb_worker: int = 1,
        pickle_safe: bool = False,
    ) -> Any:
        """Computes the outputs for the batches of a generator.

        Args:
            generator: Gives inputs, or tuples whose first item they are.
            val_samples: Rows to predict; what the last batch has beyond them is dropped.
            max_q_size: See ``fit_generator``, also for the arguments that follow.
            nb_worker: See there.
            pickle_safe: See there.

        Returns:
            An array with ``val_samples`` rows; a list where the model has several outputs.

        Raises:
            DataError: A batch does not fit the model, or the generator ends too early.
        """
        return training.predict_generator(self, generator, val_samples, max_q_size)
