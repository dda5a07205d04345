"""BigDL's optim methods: its names, arguments and defaults on the same maths."""

from __future__ import annotations

import sys
from typing import Any

from bigdl.errors import DataError
from bigdl.training import optimizers
from bigdl.training.optimizers.ftrl import Ftrl as FtrlRule
from bigdl.training.optimizers.lbfgs import LBFGS as LBFGSRule  # noqa: N811 - a class
from bigdl.training.optimizers.sgd import DampedSGD
from bigdl.training.sample import JTensor
from bigdl.training.schedules import Schedule

DOUBLEMAX = sys.float_info.max

OptimMethod = optimizers.Optimizer


def _values(given: Any) -> Any:
    return given.to_ndarray() if isinstance(given, JTensor) else given


class SGD(DampedSGD, config_class=DampedSGD):
    """Stochastic gradient descent.

    Args:
        learningrate: The learning rate.
        learningrate_decay: How fast it decays, where there is no schedule.
        weightdecay: The share of each weight that is added to its gradient.
        momentum: The share of the last direction that stays.
        dampening: The share of each gradient that is left out; by default the momentum, with Nesterov's momentum 0.
        nesterov: Whether the momentum is Nesterov's.
        leaningrate_schedule: A learning-rate schedule.
        learningrates: A factor of the learning rate for each value of the weights, an array or a ``JTensor``: those
            that are trained, in the order of ``get_weights``, each in the order of its array. (A dict of optim methods
            by layer name is simpler where whole layers differ.)
        weightdecays: Likewise, a weight decay for each value, where ``weightdecay`` is 0.
        bigdl_type: Kept for BigDL's signature.

    Raises:
        DataError: Nesterov's momentum is asked for without a momentum or with dampening.
    """

    def __init__(
        self,
        learningrate: float = 1e-3,
        learningrate_decay: float = 0.0,
        weightdecay: float = 0.0,
        momentum: float = 0.0,
        dampening: float = DOUBLEMAX,
        nesterov: bool = False,
        leaningrate_schedule: Schedule | None = None,
        learningrates: Any = None,
        weightdecays: Any = None,
        bigdl_type: str = "float",
    ) -> None:
        if dampening == DOUBLEMAX:
            dampening = 0.0 if nesterov else momentum
        super().__init__(
            learningrate,
            momentum,
            dampening,
            learningrate_decay,
            nesterov,
            _values(learningrates),
            _values(weightdecays),
            weight_decay=float(weightdecay),
        )
        self.schedule = leaningrate_schedule


class Adagrad(optimizers.Adagrad, config_class=optimizers.Adagrad):
    """Adagrad (Duchi et al. 2011).

    Args:
        learningrate: The learning rate.
        learningrate_decay: How fast it decays.
        weightdecay: The share of each weight that is added to its gradient.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self,
        learningrate: float = 1e-3,
        learningrate_decay: float = 0.0,
        weightdecay: float = 0.0,
        bigdl_type: str = "float",
    ) -> None:
        super().__init__(learningrate, 1e-10, learningrate_decay, weight_decay=float(weightdecay))


class Adadelta(optimizers.Adadelta, config_class=optimizers.Adadelta):
    """Adadelta (Zeiler 2012).

    Args:
        decayrate: The share of the running means that stays.
        epsilon: Keeps roots and divisors from 0.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, decayrate: float = 0.9, epsilon: float = 1e-10, bigdl_type: str = "float") -> None:
        super().__init__(1.0, decayrate, epsilon)


class Adam(optimizers.Adam, config_class=optimizers.Adam):
    """Adam (Kingma and Ba 2014).

    Args:
        learningrate: The learning rate.
        learningrate_decay: How fast it decays.
        beta1: The share of the mean that stays.
        beta2: The share of the mean square that stays.
        epsilon: Keeps the divisor from 0.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self,
        learningrate: float = 1e-3,
        learningrate_decay: float = 0.0,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        bigdl_type: str = "float",
    ) -> None:
        super().__init__(learningrate, beta1, beta2, epsilon, learningrate_decay)


class ParallelAdam(Adam, config_class=optimizers.Adam):
    """Adam; BigDL's ran in several threads, here every optimizer does.

    Args:
        learningrate: The learning rate.
        learningrate_decay: How fast it decays.
        beta1: The share of the mean that stays.
        beta2: The share of the mean square that stays.
        epsilon: Keeps the divisor from 0.
        parallel_num: Kept for BigDL's signature.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self,
        learningrate: float = 1e-3,
        learningrate_decay: float = 0.0,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        parallel_num: int = -1,
        bigdl_type: str = "float",
    ) -> None:
        super().__init__(learningrate, learningrate_decay, beta1, beta2, epsilon)


class Adamax(optimizers.Adamax, config_class=optimizers.Adamax):
    """Adamax (Kingma and Ba 2014).

    Args:
        learningrate: The learning rate.
        beta1: The share of the mean that stays.
        beta2: The share of the largest gradient that stays.
        epsilon: Keeps the divisor from 0.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self,
        learningrate: float = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-38,
        bigdl_type: str = "float",
    ) -> None:
        super().__init__(learningrate, beta1, beta2, epsilon)


class RMSprop(optimizers.RMSprop, config_class=optimizers.RMSprop):
    """RMSprop (Tieleman and Hinton 2012).

    Args:
        learningrate: The learning rate.
        learningrate_decay: How fast it decays.
        decayrate: The share of the mean square that stays.
        epsilon: Keeps the divisor from 0.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self,
        learningrate: float = 1e-2,
        learningrate_decay: float = 0.0,
        decayrate: float = 0.99,
        epsilon: float = 1e-8,
        bigdl_type: str = "float",
    ) -> None:
        super().__init__(learningrate, decayrate, epsilon, learningrate_decay)


class Ftrl(FtrlRule, config_class=FtrlRule):
    """FTRL-proximal (McMahan et al. 2013).

    Args:
        learningrate: The learning rate.
        learningrate_power: At most 0.
        initial_accumulator_value: What the sums of squares start from.
        l1_regularization_strength: The penalty of absolute values.
        l2_regularization_strength: The penalty of squares.
        l2_shrinkage_regularization_strength: The penalty of magnitude.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self,
        learningrate: float = 1e-3,
        learningrate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        bigdl_type: str = "float",
    ) -> None:
        super().__init__(
            learningrate,
            learningrate_power,
            initial_accumulator_value,
            l1_regularization_strength,
            l2_regularization_strength,
            l2_shrinkage_regularization_strength,
        )


class LBFGS(LBFGSRule, config_class=LBFGSRule):
    """Limited-memory BFGS (Nocedal 1980), one step for each batch.

    BigDL's optimizers compute a batch's gradient once, so its iterations within a batch end after the first. What
    limits them is kept for the signature.

    Args:
        max_iter: Without effect.
        max_eval: Without effect.
        tolfun: No step is taken where the sum of the gradient's absolute values is less.
        tolx: No step is taken where the loss falls less than this along the direction.
        ncorrection: How many past steps are kept.
        learningrate: The length of a step, relative to the estimate.
        verbose: Without effect.
        linesearch: Must be None.
        linesearch_options: Must be None.
        bigdl_type: Kept for BigDL's signature.

    Raises:
        DataError: A line search is given.
    """

    def __init__(
        self,
        max_iter: int = 20,
        max_eval: float = DOUBLEMAX,
        tolfun: float = 1e-5,
        tolx: float = 1e-9,
        ncorrection: int = 100,
        learningrate: float = 1.0,
        verbose: bool = False,
        linesearch: Any = None,
        linesearch_options: Any = None,
        bigdl_type: str = "float",
    ) -> None:
        if linesearch is not None or linesearch_options is not None:
            raise DataError("LBFGS: linesearch and linesearch_options must be None, as in BigDL.")
        super().__init__(learningrate, ncorrection, tolfun, tolx)
