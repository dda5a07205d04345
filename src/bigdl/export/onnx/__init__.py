"""ONNX: the graph is written node by node, so that recurrent layers are ONNX's own and names are the model's."""

from bigdl.export.onnx import (  # noqa: F401 - they register the layers
    advanced_activations,
    bidirectional,
    convolution,
    core,
    local,
    merge,
    normalization,
    pooling,
    recurrent,
    scan,
    wrappers,
)
from bigdl.export.onnx.model import onnx_model as onnx_model
from bigdl.export.onnx.model import write_onnx as write_onnx
