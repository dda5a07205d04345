"""Optimizers in files: what they are, their state, and how far training has come with them."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bigdl import files
from bigdl.errors import FormatError
from bigdl.files import Uri

if TYPE_CHECKING:
    from bigdl.training.optimizers.base import Optimizer

_METADATA = "bigdl_optimizer"
_STATE = "optimizer."


def write_state(uri: Uri, state: Mapping[str, Tensor], others: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Writes a file of an optimizer's state, whole or not at all.

    Args:
        uri: Where.
        state: The optimizer's state.
        others: Other tensors.
        header: What else to keep, of what JSON can hold.
    """
    tensors = {_STATE + key: tensor.cpu() for key, tensor in state.items()} | dict(others)
    with files.write_atomic(uri) as path:
        try:
            save_file(tensors, path, metadata={_METADATA: json.dumps(header, default=_plain)})
        except SafetensorError as error:
            raise OSError(str(error)) from error


def read_state(uri: Uri) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    """Reads what ``write_state`` wrote: the optimizer's state, the other tensors, the header.

    Raises:
        FormatError: The file is something else, or damaged.
    """
    with files.local_copy(uri) as path:
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no dict
                header = json.loads((file.metadata() or {})[_METADATA])
        except (SafetensorError, ValueError, KeyError) as error:
            raise FormatError(f"{files.display(uri)} is no state of an optimizer, or is damaged: {error}") from error
    state = {key.removeprefix(_STATE): value for key, value in tensors.items() if key.startswith(_STATE)}
    return state, {key: value for key, value in tensors.items() if not key.startswith(_STATE)}, header


def _plain(value: Any) -> Any:
    """Returns NumPy's and torch's values as Python's, for JSON."""
    return value.tolist()


class Stored:
    """What optimizers do with files, as BigDL's ``OptimMethod``.

    Attributes:
        resumed: How far training had come when the checkpoint was written that the optimizer comes from; else None.
    """

    resumed: dict[str, Any] | None = None

    @abstractmethod
    def state_dict(self) -> Mapping[str, Tensor]:
        """Returns all that the next steps depend on."""

    def save(self, path: Uri, overWrite: bool = False) -> None:
        """Writes the optimizer with its state to a file.

        Args:
            path: A path or a URI.
            overWrite: Whether a file that is there is replaced.

        Raises:
            FileExistsError: There is a file and ``overWrite`` is False; it is left as it is.
        """
        from bigdl.training.optimizers.identify import serialize  # it knows this module's users

        if not overWrite and files.exists(path):
            raise FileExistsError(f"{files.display(path)} is there already. Say overWrite=True to replace it.")
        write_state(path, self.state_dict(), {}, {"optimizer": serialize(cast("Optimizer", self))})

    @staticmethod
    def load(path: Uri, bigdl_type: str = "float") -> Optimizer:
        """Reads an optimizer that ``save`` wrote, or the ``optimMethod-NAME.N`` of a checkpoint.

        The weights that it is given next must be those of the same layers. Of a checkpoint it also knows how far
        training had come, so that BigDL's ``Optimizer``, given it and ``model.N``, goes on from there.

        Args:
            path: A path or a URI.
            bigdl_type: Kept for BigDL's signature.

        Raises:
            FormatError: The file is something else, damaged, or of several optimizers.
        """
        from bigdl.training.optimizers.identify import get

        state, others, header = read_state(path)
        if "optimizer" not in header:
            raise FormatError(
                f"{files.display(path)} holds optimizers for several layers. Go on with optimizer.resume(folder)."
            )
        made = get(header["optimizer"])
        made.loaded = state
        made.resumed = {**header, **others} if "progress" in header else None
        return made
