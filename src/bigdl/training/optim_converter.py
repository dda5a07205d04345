"""From what a Keras model is compiled with to BigDL's criterions, optim methods and validation methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bigdl.errors import UnsupportedLayerError
from bigdl.training import criterions, objectives, optimizers
from bigdl.training.criterions_base import Criterion
from bigdl.training.criterions_elementwise import MarginCriterion
from bigdl.training.optim_methods import OptimMethod
from bigdl.training.validation import Top1Accuracy, ValidationMethod

_CRITERIONS: dict[str, Callable[[], Criterion]] = {
    "categorical_crossentropy": criterions.CategoricalCrossEntropy,
    "sparse_categorical_crossentropy": lambda: criterions.ClassNLLCriterion(logProbAsInput=False),
    "binary_crossentropy": criterions.BCECriterion,
    "mean_squared_error": criterions.MSECriterion,
    "mean_absolute_error": criterions.AbsCriterion,
    "mean_absolute_percentage_error": criterions.MeanAbsolutePercentageCriterion,
    "mean_squared_logarithmic_error": criterions.MeanSquaredLogarithmicCriterion,
    "hinge": MarginCriterion,
    "squared_hinge": lambda: MarginCriterion(squared=True),
    "kullback_leibler_divergence": criterions.KullbackLeiblerDivergenceCriterion,
    "poisson": criterions.PoissonCriterion,
    "cosine_proximity": criterions.CosineProximityCriterion,
}


class OptimConverter:
    """BigDL's ``bigdl.keras.optimization.OptimConverter``."""

    @staticmethod
    def to_bigdl_criterion(kloss: Any) -> Criterion:
        """Returns the criterion of an objective.

        Args:
            kloss: Its name, or a function of that name. The labels of the sparse one count from 1, as in BigDL.

        Raises:
            UnsupportedLayerError: BigDL has no such criterion.
        """
        name = kloss if isinstance(kloss, str) else objectives.name_of(kloss)
        if name in objectives.OBJECTIVES.names():
            name = objectives.name_of(objectives.get(name))
        if name not in _CRITERIONS:
            raise UnsupportedLayerError(
                f"BigDL has no criterion for the objective {name!r}. Known: {', '.join(_CRITERIONS)}."
            )
        return _CRITERIONS[name]()

    @staticmethod
    def to_bigdl_optim_method(koptim_method: Any) -> OptimMethod:
        """Returns an optim method with the maths and the arguments of an optimizer of Keras.

        Args:
            koptim_method: Its name, an optimizer of this library, or of another Keras.

        Raises:
            UnsupportedLayerError: There is no such optimizer.
        """
        if isinstance(koptim_method, str):
            return optimizers.get(koptim_method)
        name = getattr(koptim_method, "config_name", type(koptim_method).__name__)
        return optimizers.get({"class_name": name, "config": koptim_method.get_config()})

    @staticmethod
    def to_bigdl_metrics(metrics: str | Sequence[str]) -> list[ValidationMethod]:
        """Returns the validation methods of metrics.

        Args:
            metrics: ``"accuracy"``, or a list of it.

        Raises:
            UnsupportedLayerError: BigDL has no such validation method.
        """
        names = [metrics] if isinstance(metrics, str) else list(metrics)
        unknown = [name for name in names if name not in ("accuracy", "acc")]
        if unknown:
            raise UnsupportedLayerError(f"BigDL has no validation method for {unknown[0]!r}, only for 'accuracy'.")
        return [Top1Accuracy() for _ in names]
