"""Sequences of numbers of words: padding, and pairs for skip-gram models; as Keras 1.2.2's."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.errors import DataError

EULER_GAMMA = 0.577
"""As many digits as Keras 1.2.2 takes."""


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: str = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> NDArray[Any]:
    """Makes sequences the rows of one array.

    Args:
        sequences: The sequences, of numbers or of vectors of one length.
        maxlen: Their length afterwards; that of the longest by default.
        dtype: The array's dtype.
        padding: ``"pre"`` to fill up at the front, ``"post"`` at the end.
        truncating: ``"pre"`` to cut the front off longer ones, ``"post"`` the end.
        value: What is filled in.

    Returns:
        An array ``(sequences, maxlen)``, with the axes of vectors behind.

    Raises:
        DataError: ``padding`` or ``truncating`` is another, or the vectors differ in length.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise DataError(f"pad_sequences: {name} must be 'pre' or 'post'. Received: {side!r}.")
    length = max(map(len, sequences), default=0) if maxlen is None else int(maxlen)
    shape: tuple[int, ...] = next((np.shape(s)[1:] for s in sequences if len(s)), ())
    padded = np.full((len(sequences), length, *shape), value, dtype)
    for i, sequence in enumerate(sequences):
        kept = np.asarray(sequence[-length:] if truncating == "pre" else sequence[:length], dtype)[:length]
        if not len(kept):
            continue
        if kept.shape[1:] != shape:
            raise DataError(
                f"pad_sequences: every step must have the shape {shape}. Received: steps of shape {kept.shape[1:]} in "
                f"sequence {i}."
            )
        place = slice(len(kept)) if padding == "post" else slice(length - len(kept), length)
        padded[i, place] = kept
    return padded


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> NDArray[np.float64]:
    """Returns for each rank of a word the probability that it is taken into a skip-gram.

    The probability is ``min(1, sqrt(f / t) / (f / t))`` for a frequency f (Mikolov et al. 2013), that of rank r
    being approximated by Zipf's law as ``1 / (r (log r + gamma) + 1/2 - 1/(12 r))``.

    Args:
        size: The number of ranks; rank 0 counts as 1.
        sampling_factor: t.
    """
    rank = np.maximum(np.arange(size), 1)
    inverse_frequency = rank * (np.log(rank) + EULER_GAMMA) + 0.5 - 1.0 / (12.0 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse_frequency))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Sequence[float] | NDArray[Any] | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs each word with those around it, and with random ones.

    The random numbers are those of Python's ``random``, drawn in Keras's order.

    Args:
        sequence: Numbers of words; 0 stands for none and is left out.
        vocabulary_size: The largest number, plus 1.
        window_size: How far around a word pairs are made.
        negative_samples: Random pairs for each true one.
        shuffle: Whether the pairs are shuffled.
        categorical: Whether labels are ``[0, 1]`` and ``[1, 0]`` instead of 1 and 0.
        sampling_table: For each number the probability that pairs are made for it; all are by default.

    Returns:
        The pairs, and a label for each: 1 for true ones, 0 for random ones.
    """
    true, false = ([0, 1], [1, 0]) if categorical else (1, 0)
    pairs: list[list[int]] = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):  # noqa: S311
            continue
        window = range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        pairs += [[word, sequence[j]] for j in window if j != i and sequence[j]]
    labels: list[Any] = [true] * len(pairs)
    if negative_samples > 0:
        count = int(len(pairs) * negative_samples)
        words = [pair[0] for pair in pairs]
        random.shuffle(words)
        pairs += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]  # noqa: S311
        labels += [false] * count
    if shuffle:
        seed = random.randint(0, int(10e6))  # noqa: S311
        for items in (pairs, labels):
            random.seed(seed)
            random.shuffle(items)
    return pairs, labels
