"""Texts as sequences of numbers of words: IMDB and Reuters, as Keras 1.2.2's ``datasets`` give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.data.keras_datasets.files import data_path, read_file
from bigdl.data.plain_pickle import read_plain_pickle
from bigdl.errors import DataError

Texts = list[list[int]]
Part = tuple[Any, Any]


def load_imdb(
    path: str = "imdb_full.pkl",
    nb_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Part, Part]:
    """Reads the IMDB reviews: sequences of numbers of words, the more frequent the smaller, with labels 0 and 1.

    Args:
        path: Keras's file of them, a path or a name in ``~/.keras/datasets``.
        nb_words: Numbers from here on are left out; none by default.
        skip_top: Numbers below are left out.
        maxlen: Only shorter texts are kept.
        seed: Of the order of the texts.
        start_char: Put before each text; None for nothing.
        oov_char: Put in the place of what is left out; None to leave a gap closed.
        index_from: Added to all numbers.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists, and of labels.

    Raises:
        DataError: The file is not there, or no text is short enough.
        FormatError: It is damaged.
    """
    (x_train, y_train), (x_test, y_test) = _read(path)
    _shuffle(seed, x_train, y_train)
    _shuffle(seed * 2, x_test, y_test)
    texts, labels = _numbered(
        x_train + x_test, [*y_train, *y_test], nb_words, skip_top, maxlen, start_char, oov_char, index_from
    )
    count = len(x_train)
    return (_ragged(texts[:count]), np.array(labels[:count])), (_ragged(texts[count:]), np.array(labels[count:]))


def load_reuters(
    path: str = "reuters.pkl",
    nb_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Part, Part]:
    """Reads the Reuters newswires; see ``load_imdb``.

    Args:
        path: Keras's file of them.
        nb_words: See ``load_imdb``, also for the arguments that follow.
        skip_top: See there.
        maxlen: See there.
        test_split: The share of the texts to test on.
        seed: See there.
        start_char: See there.
        oov_char: See there.
        index_from: See there.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: lists.

    Raises:
        DataError: The file is not there, or no text is short enough.
        FormatError: It is damaged.
    """
    texts, labels = _read(path)
    _shuffle(seed, texts, labels)
    texts, labels = _numbered(texts, labels, nb_words, skip_top, maxlen, start_char, oov_char, index_from)
    count = int(len(texts) * (1 - test_split))
    return (texts[:count], labels[:count]), (texts[count:], labels[count:])


def imdb_word_index(path: str = "imdb_word_index.pkl") -> dict[str, int]:
    """Reads the number of each word of the IMDB reviews."""
    return _word_index(path)


def reuters_word_index(path: str = "reuters_word_index.pkl") -> dict[str, int]:
    """Reads the number of each word of the Reuters newswires."""
    return _word_index(path)


def _read(path: str) -> Any:
    found = data_path(path)
    return read_plain_pickle(read_file(found), str(found))


def _word_index(path: str) -> dict[str, int]:
    index = _read(path)
    return {word.decode("latin-1") if isinstance(word, bytes) else word: number for word, number in index.items()}


def _shuffle(seed: int, *lists: Any) -> None:
    for items in lists:
        np.random.seed(seed)  # noqa: NPY002 - Keras's generator
        np.random.shuffle(items)  # noqa: NPY002


def _numbered(
    texts: Texts,
    labels: Sequence[Any],
    nb_words: int | None,
    skip_top: int,
    maxlen: int | None,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> tuple[Texts, list[Any]]:
    start = [] if start_char is None else [start_char]
    shifted = [start + [word + index_from for word in text] for text in texts]
    kept = [(text, label) for text, label in zip(shifted, labels, strict=True) if not maxlen or len(text) < maxlen]
    if not kept:
        raise DataError(f"No text is shorter than maxlen={maxlen}. Make it larger.")
    limit = nb_words or max(max(text, default=0) for text, _ in kept)
    numbered = [_limited(text, skip_top, limit, oov_char) for text, _ in kept]
    return numbered, [label for _, label in kept]


def _limited(text: list[int], first: int, limit: int, oov_char: int | None) -> list[int]:
    if oov_char is None:
        return [word for word in text if first <= word < limit]
    return [word if first <= word < limit else oov_char for word in text]


def _ragged(texts: Texts) -> NDArray[Any]:
    array = np.empty(len(texts), object)
    array[:] = texts
    return array
