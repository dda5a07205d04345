"""The command ``bigdl``."""

from bigdl.cli.main import main as main
