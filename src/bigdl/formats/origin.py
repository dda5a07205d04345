"""Which backend of Keras a file of weights comes from; files of Keras 1.x do not say."""

from typing import Literal

from bigdl.formats.spec import WeightsSpec

Backend = Literal["tensorflow", "theano"]


def likely_backend(weights: WeightsSpec) -> Backend | None:
    """Guesses the backend from the names of the arrays: TensorFlow's end in ``:0``, Theano's do not.

    Args:
        weights: The arrays.

    Returns:
        The backend; None where the file has no names or no arrays.
    """
    names = [array.name for layer in weights for array in layer.arrays]
    if not names or not weights.named:
        return None
    return "tensorflow" if any(name.endswith(":0") for name in names) else "theano"
