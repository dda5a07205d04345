"""Makes ``import keras`` mean ``bigdl.keras``, for scripts and tests written for Keras 1.2.2.

Nothing of Keras's code is used but its ``utils/test_utils.py``, which its tests import, and that from the developer's
checkout.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

# Names that NumPy has dropped since; scripts of the time use them.
_NUMPY_NAMES = {"bool": bool, "int": int, "float": float, "object": object, "str": str}


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds ``keras.X`` as ``bigdl.keras.X``.

    Args:
        source: A checkout of Keras 1.2.2, for its test helpers; None where there is none.
    """

    def __init__(self, source: Path | str | None = None) -> None:
        self.source = None if source is None else Path(source)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname == "keras.utils.test_utils" and self.source is not None:
            file = self.source / "keras" / "utils" / "test_utils.py"
            return importlib.util.spec_from_file_location(fullname, file)
        if fullname.split(".")[0] != "keras":
            return None
        try:
            module = importlib.import_module(f"bigdl.{fullname}")
        except ModuleNotFoundError as error:
            if error.name == f"bigdl.{fullname}":
                return None
            raise
        return importlib.machinery.ModuleSpec(fullname, self, is_package=hasattr(module, "__path__"))

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return importlib.import_module(f"bigdl.{spec.name}")

    def exec_module(self, module: ModuleType) -> None:
        pass


def install(source: Path | str | None = None) -> None:
    """Installs the alias, and what Python and NumPy have dropped since the days of Keras 1.2.2."""
    sys.meta_path.insert(0, Alias(source))
    for name, value in _NUMPY_NAMES.items():
        if name not in vars(np):
            setattr(np, name, value)
    if not hasattr(inspect, "getargspec"):
        vars(inspect)["getargspec"] = _getargspec


def _getargspec(function: Callable[..., Any]) -> Any:
    found = inspect.getfullargspec(function)
    return found.args, found.varargs, found.varkw, found.defaults
