"""Packages that come with an extra only."""

from __future__ import annotations

import importlib
from typing import Any

from bigdl.errors import MissingPackageError


def required(package: str, extra: str, purpose: str) -> Any:
    """Imports a package.

    Args:
        package: Its name.
        extra: The extra of this library that brings it.
        purpose: What it is needed for, to begin the message with.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackageError(f"{purpose} needs {package}: pip install 'bigdl-torch[{extra}]'") from error
