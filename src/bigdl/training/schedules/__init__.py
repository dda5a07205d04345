"""BigDL's learning-rate schedules."""

from bigdl.training.schedules.base import Moment as Moment
from bigdl.training.schedules.base import Schedule as Schedule
from bigdl.training.schedules.decays import Default as Default
from bigdl.training.schedules.decays import Exponential as Exponential
from bigdl.training.schedules.decays import MultiStep as MultiStep
from bigdl.training.schedules.decays import Poly as Poly
from bigdl.training.schedules.decays import Step as Step
from bigdl.training.schedules.decays import Warmup as Warmup
from bigdl.training.schedules.identify import get as get
from bigdl.training.schedules.identify import serialize as serialize
from bigdl.training.schedules.plateau import Plateau as Plateau
from bigdl.training.schedules.sequential import SequentialSchedule as SequentialSchedule
