"""Open Keras 1.x models on PyTorch: load, predict, train, tune, and give them back.

    from bigdl.nn.layer import *
    bigdl_model = Model.load_keras("model.json", "weights.h5")

Importing this package is cheap: torch is imported when a model is first asked for.
"""

from typing import TYPE_CHECKING, Any

from bigdl import _runtime
from bigdl._version import __version__ as __version__

if TYPE_CHECKING:
    from bigdl.models import convert as convert
    from bigdl.models import inspect as inspect
    from bigdl.models import load_keras as load_keras

__all__ = ["__version__", "convert", "inspect", "load_keras"]


_runtime.tune()


def __getattr__(name: str) -> Any:
    if name in ("convert", "inspect", "load_keras"):
        import bigdl.models

        return getattr(bigdl.models, name)
    raise AttributeError(f"module 'bigdl' has no attribute {name!r}")
