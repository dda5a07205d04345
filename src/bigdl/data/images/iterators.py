"""Batches of images without end, of an array or of a folder of pictures."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bigdl.data.images.pictures import array_to_img, check_images, img_to_array, load_img
from bigdl.errors import DataError
from bigdl.settings import checked_dim_ordering

if TYPE_CHECKING:
    from bigdl.data.images.generator import ImageDataGenerator

Folder = str | os.PathLike[str]
Indices = NDArray[np.int64]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")


class Iterator:
    """Batches of rows without end; several threads may take them.

    Args:
        n: The number of rows.
        batch_size: Rows in a batch; the last one of a round holds what is left.
        shuffle: Whether each round has its own order, from NumPy's global generator.
        seed: Seeds that generator, anew for each batch.

    Raises:
        DataError: There are no rows.
    """

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        if n < 1:
            raise DataError(f"{type(self).__name__}: there are no images.")
        self.n = n
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_generator = self._flow_index(n, batch_size, shuffle, seed)

    def reset(self) -> None:
        """Starts a new round."""
        self.batch_index = 0

    def _flow_index(
        self, n: int, batch_size: int = 32, shuffle: bool = False, seed: int | None = None
    ) -> Generator[tuple[Indices, int, int]]:
        order = np.arange(n)
        while True:
            if seed is not None:
                np.random.seed(seed + self.total_batches_seen)  # noqa: NPY002 - Keras's generator
            if self.batch_index == 0:
                order = np.random.permutation(n) if shuffle else np.arange(n)  # noqa: NPY002
            start = self.batch_index * batch_size % n
            size = min(batch_size, n - start)
            # A batch that is full goes on, even if it was the last: the next one then starts at 0 in the same order.
            self.batch_index = self.batch_index + 1 if size == batch_size else 0
            self.total_batches_seen += 1
            yield order[start : start + size], start, size

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """Returns the next batch."""
        with self.lock:
            rows, start, _ = next(self.index_generator)
        return self.batch(rows, start)

    def batch(self, rows: Indices, start: int) -> Any:
        """Returns the batch of some rows.

        Args:
            rows: The rows.
            start: How many rows of the round came before.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no batch")


class ImageIterator(Iterator):
    """What batches of images have in common: changing them at random, and writing them down for looking at.

    Args:
        n: The number of images.
        image_data_generator: Changes them.
        batch_size: Images in a batch.
        shuffle: See ``Iterator``.
        seed: See ``Iterator``.
        dim_ordering: Where the channels are.
        save_to_dir: A folder that the changed images are written to; None for nowhere.
        save_prefix: How the names of those files begin.
        save_format: Their format.
    """

    def __init__(
        self,
        n: int,
        image_data_generator: ImageDataGenerator,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        dim_ordering: str,
        save_to_dir: Folder | None,
        save_prefix: str,
        save_format: str,
    ) -> None:
        super().__init__(n, batch_size, shuffle, seed)
        self.image_data_generator = image_data_generator
        self.dim_ordering = checked_dim_ordering(dim_ordering)
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format

    def image(self, row: int) -> NDArray[Any]:
        """Returns an image as it is."""
        raise NotImplementedError(f"{type(self).__name__} defines no image")

    def targets(self, rows: Indices) -> NDArray[Any] | None:
        """Returns the targets of images, None where there are none."""
        raise NotImplementedError(f"{type(self).__name__} defines no targets")

    def batch(self, rows: Indices, start: int) -> Any:
        """Returns the images at some rows, changed, float32; and their targets if there are any."""
        change = self.image_data_generator
        x = np.stack([change.standardize(change.random_transform(self.image(row))) for row in rows]).astype(np.float32)
        if self.save_to_dir is not None:
            self._save(x, start)
        y = self.targets(rows)
        return x if y is None else (x, y)

    def _save(self, images: NDArray[Any], start: int) -> None:
        assert self.save_to_dir is not None
        for number, image in enumerate(images, start):
            chance = np.random.randint(10000)  # noqa: NPY002 - so that rounds do not overwrite each other
            name = f"{self.save_prefix}_{number}_{chance}.{self.save_format}"
            array_to_img(image, self.dim_ordering, scale=True).save(os.path.join(self.save_to_dir, name))


class NumpyArrayIterator(ImageIterator):
    """Batches of an array of images; see ``ImageDataGenerator.flow``.

    Raises:
        DataError: They are not images, or there is not a target for each.
    """

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike | None,
        image_data_generator: ImageDataGenerator,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int | None = None,
        dim_ordering: str = "default",
        save_to_dir: Folder | None = None,
        save_prefix: str = "",
        save_format: str = "jpeg",
    ) -> None:
        self.x: NDArray[np.float32] = np.asarray(x, np.float32)
        self.y = None if y is None else np.asarray(y)
        if self.y is not None and len(self.x) != len(self.y):
            raise DataError(
                f"flow: expected a target for each image. Received: {len(self.x)} images, {len(self.y)} targets."
            )
        ordering = checked_dim_ordering(dim_ordering)
        check_images(self.x, 1 if ordering == "th" else 3, ordering)
        super().__init__(
            len(self.x),
            image_data_generator,
            batch_size,
            shuffle,
            seed,
            ordering,
            save_to_dir,
            save_prefix,
            save_format,
        )

    def image(self, row: int) -> NDArray[Any]:
        """Returns an image of the array."""
        image: NDArray[Any] = self.x[row]
        return image

    def targets(self, rows: Indices) -> NDArray[Any] | None:
        """Returns the targets of images, None where there are none."""
        return None if self.y is None else self.y[rows]


class DirectoryIterator(ImageIterator):
    """Batches of the pictures in a folder; see ``ImageDataGenerator.flow_from_directory``.

    Attributes:
        nb_sample: The number of pictures.
        nb_class: The number of classes.
        class_indices: The number of each class by its folder's name.
        classes: The class of each picture.
        filenames: The path of each picture from the folder on.

    Raises:
        DataError: ``color_mode`` or ``class_mode`` is another, or there are no pictures.
    """

    def __init__(
        self,
        directory: Folder,
        image_data_generator: ImageDataGenerator,
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        dim_ordering: str = "default",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Folder | None = None,
        save_prefix: str = "",
        save_format: str = "jpeg",
        follow_links: bool = False,
    ) -> None:
        if color_mode not in ("rgb", "grayscale"):
            raise DataError(f"color_mode must be 'rgb' or 'grayscale'. Received: {color_mode!r}.")
        if class_mode not in ("categorical", "binary", "sparse", None):
            raise DataError(f"class_mode must be 'categorical', 'binary', 'sparse' or None. Received: {class_mode!r}.")
        self.directory = os.fspath(directory)
        self.target_size = tuple(target_size)
        self.color_mode = color_mode
        self.class_mode = class_mode
        names = list(classes or _folders(self.directory))
        self.nb_class = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        found = [(number, path) for name, number in self.class_indices.items() for path in self._in(name, follow_links)]
        self.filenames = [path for _, path in found]
        self.classes = np.array([number for number, _ in found], np.int32)
        self.nb_sample = len(found)
        print(f"Found {self.nb_sample} images belonging to {self.nb_class} classes.")
        super().__init__(
            self.nb_sample,
            image_data_generator,
            batch_size,
            shuffle,
            seed,
            dim_ordering,
            save_to_dir,
            save_prefix,
            save_format,
        )
        channels = 3 if color_mode == "rgb" else 1
        size = self.target_size
        self.image_shape = (*size, channels) if self.dim_ordering == "tf" else (channels, *size)

    def _in(self, folder: str, follow_links: bool) -> list[str]:
        walk = os.walk(os.path.join(self.directory, folder), followlinks=follow_links)
        return [
            os.path.relpath(os.path.join(root, name), self.directory)
            for root, _, names in sorted(walk, key=lambda item: item[0])
            for name in sorted(names)
            if name.lower().endswith(SUFFIXES)
        ]

    def image(self, row: int) -> NDArray[Any]:
        """Reads a picture."""
        path = os.path.join(self.directory, self.filenames[row])
        return img_to_array(load_img(path, self.color_mode == "grayscale", self.target_size), self.dim_ordering)

    def targets(self, rows: Indices) -> NDArray[Any] | None:
        """Returns the classes of pictures, as ``class_mode`` says."""
        numbers = self.classes[rows]
        if self.class_mode == "categorical":
            return np.eye(self.nb_class, dtype=np.float32)[numbers]
        if self.class_mode == "binary":
            return numbers.astype(np.float32)
        return numbers if self.class_mode == "sparse" else None


def _folders(directory: str) -> list[str]:
    return sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))
