"""Small made data in the place of the data sets that the examples of Keras 1.2.2 download."""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TRAIN, TEST = 200, 100
BABI = {"qa1_single-supporting-fact": 1, "qa2_two-supporting-facts": 2}
WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "then", "it", "ran", "far", "away", "from", "there", "to", "see"]


def mnist(path: str = "mnist.pkl.gz", train: int = TRAIN, test: int = TEST) -> Any:
    """Images whose class is the row of a bright stripe."""
    return _images(train, (28, 28)), _images(test, (28, 28))


def cifar10() -> Any:
    """Coloured images likewise, with a column of class numbers."""
    (x_train, y_train), (x_test, y_test) = _images(TRAIN, (32, 32, 3)), _images(TEST, (32, 32, 3))
    return (x_train, y_train[:, None]), (x_test, y_test[:, None])


def _images(count: int, shape: tuple[int, ...]) -> Any:
    rng = np.random.default_rng(count)
    labels = np.arange(count) % 10
    images = rng.integers(0, 80, (count, *shape))
    images[np.arange(count)[:, None], (2 * labels + 4)[:, None] + np.arange(3)] = 250
    return images.astype(np.uint8), labels.astype(np.uint8)


def imdb(path: str = "imdb_full.pkl", nb_words: int | None = None, **ignored: Any) -> Any:
    """Texts of two kinds of words."""
    return _texts(TRAIN, nb_words, 2, ragged=True), _texts(TEST, nb_words, 2, ragged=True)


def reuters(path: str = "reuters.pkl", nb_words: int | None = None, **ignored: Any) -> Any:
    """Texts of as many kinds of words as Reuters has topics."""
    return _texts(TRAIN, nb_words, 46), _texts(TEST, nb_words, 46)


def _texts(count: int, nb_words: int | None, classes: int, ragged: bool = False) -> Any:
    rng = np.random.default_rng(count)
    limit = nb_words or 1000
    labels = [i % classes for i in range(count)]
    texts = [[1, *map(int, 3 + (rng.integers(0, (limit - 4) // classes, 40) * classes + label))] for label in labels]
    if not ragged:
        return texts, labels
    array = np.empty(count, object)
    array[:] = texts
    return array, np.array(labels)


def get_file(folder: Path | str) -> Callable[..., str]:
    """Returns a function in the place of ``get_file`` that makes what is asked for in a folder."""
    folder = Path(folder)

    def get(fname: str, origin: str = "", **ignored: Any) -> str:
        path = folder / fname
        if "babi" in fname:
            _babi(path)
        else:
            path.write_text(" ".join(WORDS[i * i % len(WORDS)] for i in range(1200)))
        return str(path)

    return get


def _babi(path: Path) -> None:
    names, places = ["Mary", "John", "Sandra"], ["garden", "kitchen", "office", "hallway"]
    with tarfile.open(path, "w:gz") as archive:
        for task in BABI:
            for part in ("train", "test"):
                file = path.parent / "story.txt"
                stories = [(names[i % 3], places[i % 4], places[(i + 1) % 4]) for i in range(60)]
                file.write_text(
                    "".join(
                        f"1 {who} moved to the {first}.\n2 {who} went to the {then}.\n3 Where is {who}? \t{then}\t2\n"
                        for who, first, then in stories
                    )
                )
                for size in ("en", "en-10k"):
                    archive.add(file, f"tasks_1-20_v1-2/{size}/{task}_{part}.txt")


def embeddings_and_news(folder: Path | str) -> None:
    """Makes a folder as ``pretrained_word_embeddings.py`` wants it."""
    folder = Path(folder)
    (folder / "glove.6B").mkdir()
    # Not all words have vectors; the script has no room for the last one that it keeps.
    rows = (f"{word} {' '.join(['0.1'] * 100)}" for word in WORDS[:3])
    (folder / "glove.6B" / "glove.6B.100d.txt").write_text("\n".join(rows))
    for topic in range(3):
        for number in range(10):
            file = folder / "20_newsgroup" / f"topic{topic}" / str(1000 + number)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(" ".join(WORDS[topic * 4 : topic * 4 + 8] * 5))
