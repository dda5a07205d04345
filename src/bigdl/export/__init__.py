"""Models in the formats of today: for torch, ONNX's runtimes, and Keras 3. Importing this loads no torch.

Each format is a module of its own; what it cannot carry is an ``ExportError`` before anything is written, what is lost
on the way a warning of the log.
"""

from bigdl.export.conversions import CONVERSIONS as CONVERSIONS
from bigdl.export.conversions import Conversion as Conversion
from bigdl.export.conversions import conversion_for as conversion_for
