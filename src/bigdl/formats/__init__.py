"""Model files to the neutral form and back. Nothing here knows torch."""

from bigdl.formats._hdf5_write import write_full as write_full
from bigdl.formats._hdf5_write import write_weights as write_weights
from bigdl.formats._sniff import looks_like_hdf5 as looks_like_hdf5
from bigdl.formats.keras3 import write_keras3 as write_keras3
from bigdl.formats.keras_hdf5 import KerasHdf5 as KerasHdf5
from bigdl.formats.keras_hdf5 import open_hdf5 as open_hdf5
from bigdl.formats.keras_json import Definition as Definition
from bigdl.formats.keras_json import architecture as architecture
from bigdl.formats.keras_json import read_definition as read_definition
from bigdl.formats.keras_json import write_definition as write_definition
from bigdl.formats.native import open_native as open_native
from bigdl.formats.native import write_native as write_native
from bigdl.formats.origin import Backend as Backend
from bigdl.formats.origin import likely_backend as likely_backend
from bigdl.formats.reader import read_architecture as read_architecture
from bigdl.formats.reader import read_model as read_model
from bigdl.formats.reader import read_weights as read_weights

__all__ = [
    "Backend",
    "Definition",
    "KerasHdf5",
    "architecture",
    "likely_backend",
    "looks_like_hdf5",
    "open_hdf5",
    "open_native",
    "read_architecture",
    "read_definition",
    "read_model",
    "read_weights",
    "write_definition",
    "write_full",
    "write_keras3",
    "write_native",
    "write_weights",
]
