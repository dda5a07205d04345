"""A callback that makes a training survive its end."""

from __future__ import annotations

import os
from typing import Literal

from bigdl.errors import DataError
from bigdl.files import Uri
from bigdl.training.callbacks.base import Callback


class BackupAndRestore(Callback):
    """Lets a training that was stopped go on when ``fit`` is called again in the same way, as in today's Keras.

    It then ends bitwise with the weights that it would have had: weights, optimizer, shuffling (NumPy's generator),
    dropout (torch's), the history and what the other callbacks remember are where they were. A backup is written whole
    or not at all, so the process may be killed at any moment; the newest two are kept. Ctrl-C writes one too.

    A generator is not part of it: it must give the batches that come next.

    Args:
        backup_dir: The folder, a path or a URI; one for each training.
        save_freq: ``"epoch"`` for a backup after each epoch, or after how many batches there is one as well.
        delete_checkpoint: Whether a training that came to its end makes its backups void, so that the next one begins
            anew; otherwise it goes on where this one ended.

    Raises:
        DataError: ``save_freq`` is none of these.
    """

    def __init__(
        self, backup_dir: Uri, save_freq: int | Literal["epoch"] = "epoch", delete_checkpoint: bool = True
    ) -> None:
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise DataError(
                f"BackupAndRestore: save_freq must be 'epoch' or a number of batches. Received: {save_freq!r}."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
