"""A whole model as a file of Keras 3."""

from __future__ import annotations

import itertools
import logging

import torch

from bigdl import files
from bigdl.export.keras3.dispatch import network_of
from bigdl.export.keras3.training import compile_config, optimizer_arrays
from bigdl.export.training_state import compiled_of
from bigdl.formats import write_keras3 as write_file
from bigdl.graph import Container
from bigdl.training.data import Placement
from bigdl.training.inference import in_mode

logger = logging.getLogger("bigdl")


def write_keras3(model: Container, path: files.Uri) -> None:
    """Writes a model as Keras 3's ``save``, which Keras 3 opens with ``keras.saving.load_model``.

    A compiled model is compiled there too, and goes on training from the optimizer's state, where Keras 3 has the
    optimizer and the losses; a warning says where it does not, and what else is lost.

    Args:
        model: The model.
        path: A path or a URI.

    Raises:
        ExportError: Keras 3 has no form for a layer.
        StorageError: The file cannot be written there.
    """
    compiled, dtype = compiled_of(model), Placement.of(model).dtype
    if dtype != torch.float32:
        logger.warning("Model %r is written in float32. It is in %s.", model.name, str(dtype).removeprefix("torch."))
    with in_mode(model, training=False), torch.no_grad():
        network, _ = network_of(model)
        described, arrays = network.described(), network.all_arrays()
        config = None if compiled is None else compile_config(model, compiled)
        if compiled is not None and config is not None:
            described["compile_config"] = config
            state = optimizer_arrays(model, compiled, lambda: network_of(model)[0])
            arrays = itertools.chain(arrays, [("optimizer", state)])
        write_file(path, described, arrays)
