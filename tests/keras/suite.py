"""Runs the examples and the tests of Keras 1.2.2 on bigdl.keras, and says of each whether it passes.

``KERAS122_SOURCE=<checkout of keras-team/keras at 1.2.2> python -m tests.keras.suite [examples|tests] [name ...]``

The sources are read where they are. The exit status is 1 if anything fails that is not listed in ``not_applicable``.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.keras import not_applicable

ROOT = Path(__file__).parents[2]
SECONDS = 600


def environment(source: Path | str) -> dict[str, str]:
    """The environment of a run: one thread, no window, and this checkout in the path."""
    return {
        **os.environ,
        "KERAS122_SOURCE": str(source),
        "PYTHONPATH": str(ROOT),
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
    }


def run_example(script: Path, source: Path | str | None = None) -> str | None:
    """Runs a script small, in a folder of its own; returns what went wrong, None for nothing."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "ignore", "-m", "tests.keras.run_script", str(script), folder]
        command += [str(source)] if source else []
        variables = environment(source or "")
        try:
            done = subprocess.run(
                command, cwd=folder, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"took more than {SECONDS} s"
    return None if done.returncode == 0 else done.stderr.strip()[-2000:]


def run_examples(source: Path, names: Sequence[str]) -> int:
    """Runs the examples; returns the number of failures."""
    failures = 0
    for script in sorted((source / "examples").glob("*.py")):
        if names and script.name not in names:
            continue
        reason = not_applicable.EXAMPLES.get(script.name)
        started = time.perf_counter()
        problem = None if reason else run_example(script, source)
        failures += problem is not None
        seconds = f"{time.perf_counter() - started:.0f} s"
        if reason:
            print(f"n/a   examples/{script.name}: {reason}", flush=True)
        elif problem:
            print(f"FAIL  examples/{script.name} ({seconds})\n{problem}", flush=True)
        else:
            print(f"pass  examples/{script.name} ({seconds})", flush=True)
    return failures


def run_tests(source: Path, names: Sequence[str]) -> int:
    """Runs the tests; returns pytest's exit status."""
    for name, reason in sorted(not_applicable.TESTS.items()):
        print(f"n/a   tests/{name}: {reason}", flush=True)
    chosen = [str(source / "tests" / name) for name in names] or [str(source / "tests")]
    command = [sys.executable, "-m", "pytest", "-p", "tests.keras.suite_plugin", "-c", os.devnull]
    options = ["-W", "ignore", "-p", "no:cacheprovider", "--rootdir", str(source), "--tb=short", "-q", "-rfE"]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [*command, *options, *chosen], cwd=folder, env=environment(source), check=False
        ).returncode


def main(arguments: list[str]) -> None:
    source = os.environ.get("KERAS122_SOURCE")
    if not source or not (Path(source) / "examples").is_dir():
        sys.exit("Set KERAS122_SOURCE to a checkout of keras-team/keras at 1.2.2 (with its examples and tests).")
    kind, names = (arguments[0], arguments[1:]) if arguments else ("all", [])
    failures = run_examples(Path(source), names) if kind in ("all", "examples") else 0
    failures += run_tests(Path(source), names) if kind in ("all", "tests") else 0
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
