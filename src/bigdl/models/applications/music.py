"""The tags of the music tagger."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bigdl.errors import DataError

TAGS = (
    *("rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock"),
    *("jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow"),
    *("electronica", "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock"),
    *("ambient", "acoustic", "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country"),
    *("easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb"),
    *("indie pop", "sad", "House", "happy"),
)


def decode_predictions(preds: NDArray[Any], top_n: int = 5) -> list[list[tuple[str, float]]]:
    """Returns the likeliest tags of each row.

    Args:
        preds: Predictions, a column for each of the 50 tags.
        top_n: How many tags.

    Raises:
        DataError: There are not 50 columns.
    """
    if preds.ndim != 2 or preds.shape[1] != len(TAGS):
        raise DataError(f"decode_predictions expects predictions (rows, {len(TAGS)}). Received: shape {preds.shape}.")
    return [sorted(zip(TAGS, row, strict=True), key=lambda item: -item[1])[:top_n] for row in preds]
