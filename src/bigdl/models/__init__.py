"""Models as their users meet them: loaded, trained, used, saved."""

import bigdl.layers  # noqa: F401 - registers Keras's layers
from bigdl.models.conversion import convert as convert
from bigdl.models.inspection import Inspection as Inspection
from bigdl.models.inspection import LayerInspection as LayerInspection
from bigdl.models.inspection import WeightInspection as WeightInspection
from bigdl.models.inspection import inspect as inspect
from bigdl.models.loading import load_keras as load_keras
from bigdl.models.model import Model as Model
from bigdl.models.model import Sequential as Sequential
