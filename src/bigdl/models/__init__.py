"""Models as their users meet them: loaded, trained, used, saved."""

import bigdl.layers  # noqa: F401 - registers Keras's layers
from bigdl.models.loading import load_keras as load_keras
from bigdl.models.model import Model as Model
from bigdl.models.model import Sequential as Sequential
