"""The command ``bigdl``: runs what is asked for, and tells errors in one line."""

from __future__ import annotations

import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from bigdl.cli.parser import parser
from bigdl.errors import BigDLError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: Those of the command line by default.

    Returns:
        The exit status: 0 success, 1 failure (``inspect``: the model would not load), 130 interrupted. Wrong usage
        leaves by ``SystemExit(2)``, as argparse does.
    """
    options = parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            status = _command(options.command)(options)
            sys.stdout.flush()
            return status
    except BrokenPipeError:  # `bigdl inspect ... | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if options.debug:
            raise
        print(f"bigdl: {_told(error)}", file=sys.stderr)
        return 1


def _command(name: str) -> Callable[[Namespace], int]:
    from bigdl.cli import commands  # here, as it imports torch, which --help can do without

    command: Callable[[Namespace], int] = getattr(commands, name)
    return command


def _told(error: Exception) -> str:
    if isinstance(error, BigDLError):
        return str(error)
    return f"{type(error).__name__}: {error} (--debug shows where)"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"bigdl: warning: {message}", file=sys.stderr)
