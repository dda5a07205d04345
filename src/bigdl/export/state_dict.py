"""The weights alone, as torch's users keep them: a state dict in a safetensors file."""

from __future__ import annotations

import safetensors.torch
from torch import Tensor

from bigdl import files
from bigdl.export.training_state import warn_of_training
from bigdl.graph import Container


def write_state_dict(model: Container, path: files.Uri) -> None:
    """Writes a model's ``state_dict()``: torch's names and layouts, on the CPU, without the definition.

    A tensor that goes by several names, as that of a layer inside two models, is written under each.

    Args:
        model: The model.
        path: A path or a URI.

    Raises:
        StorageError: The file cannot be written there.
    """
    tensors: dict[str, Tensor] = {}
    places: set[int] = set()
    for name, tensor in model.state_dict().items():
        own = tensor.detach().cpu().contiguous()
        tensors[name] = own.clone() if own.data_ptr() in places else own  # the format takes no memory twice
        places.add(own.data_ptr())
    warn_of_training(model, path)
    with files.write_atomic(path) as local:
        safetensors.torch.save_file(tensors, local, metadata={"format": "pt"})
