"""What can be said on the command line."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from bigdl._version import __version__
from bigdl.export import CONVERSIONS

_MODEL = "JSON or YAML definition, full HDF5 save, or a model saved by this library; a path or a URI"
_ARRAYS = ".npy, or .npz for several (by name, else in order); - for standard input"


def parser() -> ArgumentParser:
    """Returns the parser; what it parses has ``command`` and ``debug`` beside the command's own options."""
    top = ArgumentParser(prog="bigdl", description="Opens Keras 1.x models on PyTorch.")
    top.add_argument("--version", action="version", version=f"bigdl-torch {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str) -> ArgumentParser:
        command = commands.add_parser(
            name, help=text, description=text, formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False
        )
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
        return command

    _inspect(add("inspect", "show what is in model files, layer by layer; exit status 0 if the model loads, else 1"))
    _convert(add("convert", "write a model in another format"))
    _predict(add("predict", "compute a model's outputs"))
    _evaluate(add("evaluate", "compute a model's loss and metrics"))
    _train(add("train", "train a model and save it"))
    add("layers", "list the layers that can be loaded, as a page of Markdown")
    add("formats", "list what each format makes of each layer, as a section of Markdown")
    return top


def _inspect(command: ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help=_MODEL)
    command.add_argument("weights", metavar="WEIGHTS", nargs="?", help="HDF5 file of weights")
    _loading(command)
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _convert(command: ArgumentParser) -> None:
    _model(command)
    command.add_argument("output", metavar="OUT", help="a path or a URI; its ending says what is written, see below")
    endings = [(", ".join(each.endings), each.text) for each in CONVERSIONS]
    command.epilog = "OUT ends in\n" + "\n".join(f"  {ending:<29}{text}" for ending, text in endings)


def _predict(command: ArgumentParser) -> None:
    _model(command)
    command.add_argument("input", metavar="INPUT", help=f"the inputs: {_ARRAYS}")
    command.add_argument(
        "-o",
        "--output",
        default="-",
        metavar="OUT",
        help=".npy, or .npz for several outputs; standard output if none",
    )
    _batches(command)


def _evaluate(command: ArgumentParser) -> None:
    _model(command)
    _training_data(command)


def _train(command: ArgumentParser) -> None:
    _model(command)
    _training_data(command)
    command.add_argument("--optimizer", metavar="NAME", help="an optimizer; by default the one it was saved with")
    command.add_argument("--epochs", type=int, default=1, metavar="N", help="times through the data (default: 1)")
    command.add_argument("-o", "--output", required=True, metavar="OUT", help="see `bigdl convert --help`")


def _model(command: ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL", help=_MODEL)
    command.add_argument("--weights", metavar="FILE", help="HDF5 file of weights")
    _loading(command)


def _loading(command: ArgumentParser) -> None:
    command.add_argument("--by-name", action="store_true", help="match weights with layers by name")
    command.add_argument(
        "--original-backend", choices=("tensorflow", "theano"), help="the backend of Keras that wrote the weights"
    )
    command.add_argument("--keras-version", metavar="VERSION", help="the version of Keras that wrote the weights")
    command.add_argument(
        "--dim-ordering", choices=("tf", "th"), help="the ordering of layers for which the definition gives none"
    )


def _training_data(command: ArgumentParser) -> None:
    command.add_argument("input", metavar="INPUT", help=f"the inputs: {_ARRAYS}")
    command.add_argument("target", metavar="TARGET", help="the targets, likewise")
    command.add_argument("--loss", metavar="NAME", help="an objective; by default what it was saved with")
    command.add_argument("--metric", metavar="NAME", action="append", default=[], help="a metric; may be repeated")
    _batches(command)


def _batches(command: ArgumentParser) -> None:
    command.add_argument("--batch-size", type=int, default=32, metavar="N", help="rows at a time (default: 32)")
