"""From text to numbers of words; as Keras 1.2.2's ``preprocessing.text``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.errors import DataError

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MODES = ("binary", "count", "tfidf", "freq")


def text_to_word_sequence(text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """Returns the words of a text.

    Args:
        text: The text.
        filters: Characters that are taken out.
        lower: Whether capital letters become small ones.
        split: What stands between words.
    """
    if lower:
        text = text.lower()
    for character in filters:
        text = text.replace(character, split)
    return [word for word in text.split(split) if word]


def one_hot(text: str, n: int, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[int]:
    """Returns a number from 1 to ``n - 1`` for each word of a text: its hash, so that different words may share one.

    Python's hashes of text differ from process to process unless the environment variable PYTHONHASHSEED is set.
    """
    return [abs(hash(word)) % (n - 1) + 1 for word in text_to_word_sequence(text, filters, lower, split)]


class Tokenizer:
    """Numbers words by their frequency, from 1; 0 stands for no word.

    Args:
        nb_words: One more than the number of words that are kept, the most frequent ones; None for all.
        filters: Characters that are taken out.
        lower: Whether capital letters become small ones.
        split: What stands between words.
        char_level: Whether every character is a word.

    Attributes:
        word_counts: How often each word occurs.
        word_docs: In how many texts each word occurs.
        word_index: The number of each word.
        index_docs: In how many texts the word of each number occurs.
        document_count: The number of texts.
    """

    def __init__(
        self,
        nb_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
    ) -> None:
        self.nb_words = nb_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_docs: dict[int, int] = {}
        self.document_count = 0

    def fit_on_texts(self, texts: Iterable[str]) -> None:
        """Counts the words of texts and numbers them; what was counted before still counts.

        Args:
            texts: The texts.
        """
        self.document_count = 0
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            self.word_counts.update(words)
            self.word_docs.update(set(words))
        # sorted() is stable: of equally frequent words the one that was met first comes first.
        ranked = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        self.word_index = {word: number for number, word in enumerate(ranked, start=1)}
        self.index_docs = {self.word_index[word]: count for word, count in self.word_docs.items()}

    def fit_on_sequences(self, sequences: Sequence[Sequence[int]]) -> None:
        """Counts in how many sequences each number occurs, for ``sequences_to_matrix`` without texts."""
        self.document_count = len(sequences)
        self.index_docs = dict(Counter(number for sequence in sequences for number in set(sequence)))

    def texts_to_sequences(self, texts: Iterable[str]) -> list[list[int]]:
        """Returns the numbers of the words of each text; unknown words and those not kept are left out."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Gives text by text what ``texts_to_sequences`` returns."""
        for text in texts:
            numbers = (self.word_index[word] for word in self._words(text) if word in self.word_index)
            yield [number for number in numbers if not self.nb_words or number < self.nb_words]

    def texts_to_matrix(self, texts: Iterable[str], mode: str = "binary") -> NDArray[np.float64]:
        """Returns a row for each text; see ``sequences_to_matrix``."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> NDArray[np.float64]:
        """Returns a row for each sequence with a column for each number.

        Args:
            sequences: The sequences.
            mode: What a cell holds: ``"binary"`` 1 where the number occurs; ``"count"`` how often; ``"freq"`` that
                divided by the sequence's length; ``"tfidf"`` ``(1 + log count) log(1 + texts / (1 + texts with it))``.

        Raises:
            DataError: The mode is another, there is neither ``nb_words`` nor a vocabulary, or no texts for tfidf.
        """
        columns = self.nb_words or (len(self.word_index) + 1 if self.word_index else 0)
        if not columns:
            raise DataError("Tokenizer: give nb_words, or fit it on texts first.")
        if mode not in MODES:
            raise DataError(f"Tokenizer: mode must be one of {', '.join(MODES)}. Received: {mode!r}.")
        if mode == "tfidf" and not self.document_count:
            raise DataError("Tokenizer: fit it on texts or sequences before using mode 'tfidf'.")
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences, strict=True):
            for number, count in Counter(n for n in sequence if n < columns).items():
                row[number] = self._cell(number, count, len(sequence), mode)
        return matrix

    def _words(self, text: str) -> Sequence[str]:
        return text if self.char_level else text_to_word_sequence(text, self.filters, self.lower, self.split)

    def _cell(self, number: int, count: int, length: int, mode: str) -> Any:
        if mode == "count":
            return count
        if mode == "freq":
            return count / length
        if mode == "tfidf":
            return (1 + np.log(count)) * np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
        return 1
