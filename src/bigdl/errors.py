"""The errors this library raises, and nothing else.

Each says what is wrong, where (file, layer name, class), what was expected, what was received, and what to do. Each is
also the built-in that Keras 1.2.2 raised in its place, so that old ``except`` clauses keep working.
"""


class BigDLError(Exception):
    """Base of every error of this library."""


class FormatError(BigDLError, ValueError):
    """A file is not what it should be: damaged, of another kind, or inconsistent."""


class StorageError(BigDLError, OSError):
    """A file cannot be read or written where it is: no access, no connection, or no driver for its scheme."""


class MissingFileError(StorageError, FileNotFoundError):
    """There is no such file."""


class LayerError(BigDLError, ValueError):
    """A layer's argument, or the shape or mask of its input, is one that Keras 1.2.2 refuses."""


class UnsupportedLayerError(BigDLError, ValueError):
    """A layer, activation or other named object is not known; the message says how to add one."""


class WeightMismatchError(BigDLError, ValueError):
    """Arrays do not fit the layers they are meant for, in number or in shape."""


class UnsafeModelError(BigDLError, ValueError):
    """The model can only be had by executing code from its file, which is never done."""


class DataError(BigDLError, ValueError):
    """Inputs, labels or weights of samples do not fit the model."""


class TrainingError(BigDLError, RuntimeError):
    """Training cannot start, or cannot go on: not compiled, or the loss is no longer finite."""


class DistributedError(BigDLError, RuntimeError):
    """A distributed job cannot start or has failed."""


class ExportError(BigDLError, ValueError):
    """A model cannot be written in a format: the format, or what reads it, has no form for something in the model."""


class MissingPackageError(BigDLError, ImportError):
    """A package that is installed on request only is needed; the message has the command that installs it."""
