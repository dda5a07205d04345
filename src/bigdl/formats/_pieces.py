"""Arrays too large to be read at once."""

import math

_PIECE = 4 * 2**20  # bytes; little enough for a processor's cache, where copying into another layout is fast


def pieces_of(shape: tuple[int, ...], itemsize: int, stored_together: int = 1) -> list[slice]:
    """Divides an array along its first axis into pieces of some MB.

    Args:
        shape: Its shape.
        itemsize: The bytes of a value.
        stored_together: How many rows can only be read together; a piece has a multiple of them.

    Returns:
        The rows of each piece; none for what is small, or has no axis.
    """
    row = itemsize * math.prod(shape[1:])
    rows = math.ceil(_PIECE / max(row, 1) / stored_together) * stored_together
    if not shape or rows >= shape[0]:
        return []
    return [slice(start, min(start + rows, shape[0])) for start in range(0, shape[0], rows)]
