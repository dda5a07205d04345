"""Models as estimators of scikit-learn: Keras 1.2.2's ``wrappers.scikit_learn``. scikit-learn itself is not needed."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bigdl.data.labels import to_categorical
from bigdl.errors import DataError
from bigdl.models.model import Sequential
from bigdl.training import History, objectives


class BaseWrapper:
    """An estimator that makes, trains and uses a model.

    Args:
        build_fn: Makes a compiled model: a function or something that can be called. A subclass may define ``__call__``
            instead.
        sk_params: Arguments of ``build_fn``, ``fit``, ``predict``, ``predict_classes`` and ``evaluate``.

    Raises:
        DataError: An argument is of none of these.
    """

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def check_params(self, params: dict[str, Any]) -> None:
        """Checks that arguments are understood somewhere.

        Raises:
            DataError: One is not.
        """
        verbs: list[Callable[..., Any]] = [
            Sequential.fit,
            Sequential.predict,
            Sequential.predict_classes,
            Sequential.evaluate,
        ]
        legal = {name for verb in (*verbs, self._maker()) for name in inspect.signature(verb).parameters}
        unknown = [name for name in params if name not in legal]
        if unknown:
            raise DataError(f"{unknown[0]!r} is no argument of build_fn, fit, predict, predict_classes or evaluate.")

    def _maker(self) -> Callable[..., Any]:
        maker: Any = self if self.build_fn is None else self.build_fn
        if not callable(maker):
            raise DataError(
                f"{type(self).__name__} needs build_fn, a function that makes a model. Received: {maker!r}."
            )
        function: Callable[..., Any] = maker if inspect.isfunction(maker) or inspect.ismethod(maker) else maker.__call__
        return function

    def get_params(self, **params: Any) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**copy.deepcopy(self.sk_params), "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Self:
        """Sets arguments and returns the estimator.

        Raises:
            DataError: An argument is not understood.
        """
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def fit(self, x: Any, y: Any, **kwargs: Any) -> History:
        """Makes a model and trains it.

        Args:
            x: The inputs.
            y: The targets; for categorical_crossentropy also class numbers.
            kwargs: Arguments of the model's ``fit``.
        """
        maker = self._maker()
        self.model = maker(**self.filter_sk_params(maker))
        history: History = self.model.fit(x, self._targets(y), **self.filter_sk_params(Sequential.fit, kwargs))
        return history

    def filter_sk_params(self, fn: Callable[..., Any], override: dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns those of the arguments that a function takes, and others that take their place."""
        names = inspect.signature(fn).parameters
        return {**{name: value for name, value in self.sk_params.items() if name in names}, **(override or {})}

    def _targets(self, y: Any) -> Any:
        loss = self.model.loss
        name = objectives.name_of(loss) if callable(loss) else loss
        return to_categorical(y) if name == "categorical_crossentropy" and np.ndim(y) != 2 else y


class KerasClassifier(BaseWrapper):
    """A classifier of scikit-learn; see ``BaseWrapper``."""

    def predict(self, x: Any, **kwargs: Any) -> NDArray[np.int64]:
        """Returns the class number of each row, from 0."""
        classes: NDArray[np.int64] = self.model.predict_classes(
            x, **self.filter_sk_params(Sequential.predict_classes, kwargs)
        )
        return classes

    def predict_proba(self, x: Any, **kwargs: Any) -> NDArray[Any]:
        """Returns the probability of each class; for a model of one output that of both."""
        scores: NDArray[Any] = self.model.predict_proba(x, **self.filter_sk_params(Sequential.predict_proba, kwargs))
        return np.hstack([1 - scores, scores]) if scores.shape[1] == 1 else scores

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Returns the accuracy.

        Raises:
            DataError: The model was compiled without it.
        """
        results = self.model.evaluate(x, self._targets(y), **self.filter_sk_params(Sequential.evaluate, kwargs))
        named = dict(zip(self.model.metrics_names, results if isinstance(results, list) else [results], strict=True))
        if "acc" not in named:
            raise DataError("score needs the accuracy: compile the model with metrics=['accuracy'].")
        return float(named["acc"])


class KerasRegressor(BaseWrapper):
    """A regressor of scikit-learn; see ``BaseWrapper``."""

    def predict(self, x: Any, **kwargs: Any) -> NDArray[Any]:
        """Returns the outputs, without axes of length 1."""
        outputs: NDArray[Any] = self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs))
        return np.squeeze(outputs)

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Returns the loss, as Keras 1.2.2 does: smaller is better, unlike with other regressors."""
        results = self.model.evaluate(x, y, **self.filter_sk_params(Sequential.evaluate, kwargs))
        return float(results[0] if isinstance(results, list) else results)
