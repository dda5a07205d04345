"""Weights that another backend of Keras wrote: Theano turns the kernels of its convolutions around."""

from __future__ import annotations

from functools import partial

from bigdl.errors import DataError
from bigdl.formats import likely_backend
from bigdl.formats.spec import WeightsSpec
from bigdl.graph import Container
from bigdl.registry import Adapt, from_theano, turned_layers


def checked_backend(original_backend: str | None) -> str | None:
    """Returns the name of a backend.

    Raises:
        DataError: It is none.
    """
    if original_backend not in (None, "tensorflow", "theano"):
        raise DataError(f"original_backend must be 'tensorflow' or 'theano'. Received: {original_backend!r}.")
    return original_backend


def adaptation(model: Container, original_backend: str | None) -> Adapt | None:
    """Returns what is to be done with the arrays that a backend wrote; None for nothing."""
    return partial(from_theano, model) if original_backend == "theano" else None


def backend_hint(model: Container, weights: WeightsSpec, original_backend: str | None) -> str | None:
    """Returns what the user should know if the weights seem to be Theano's, and nobody has said so."""
    layers = turned_layers(model)
    if original_backend is not None or not layers or likely_backend(weights) != "theano":
        return None
    shown = ", ".join(layers[:8]) + (", ..." if len(layers) > 8 else "")
    return (
        f"{weights.source} seems to be written by Keras on Theano, as the names of its arrays lack TensorFlow's ':0'. "
        f"Theano turns the kernels of convolutions around ({shown}); here they are taken as they are. Load with "
        "original_backend='theano' to turn them, or with 'tensorflow' to say that they are right."
    )
