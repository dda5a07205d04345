"""Images changed at random, batch by batch."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bigdl.data.images.affine import (
    Image,
    apply_transform,
    flip_axis,
    rotation,
    scaling,
    shearing,
    transform_matrix_offset_center,
    translation,
)
from bigdl.data.images.iterators import DirectoryIterator, NumpyArrayIterator
from bigdl.data.images.pictures import check_images
from bigdl.data.images.transforms import random_channel_shift, uniform, zoom_factors
from bigdl.errors import DataError
from bigdl.settings import checked_dim_ordering

# What is added to standard deviations, and to the eigenvalues in whitening.
_EPSILON = 1e-7
_WHITENING_EPSILON = 10e-7


class ImageDataGenerator:
    """Makes batches of images that are changed at random, as Keras 1.2.2's.

    The random numbers come from NumPy's global generator.

    Args:
        featurewise_center: Whether the mean of the data set is subtracted; see ``fit``.
        samplewise_center: Whether each image's mean is subtracted; over the channels of each pixel, as in Keras.
        featurewise_std_normalization: Whether to divide by the standard deviation of the data set.
        samplewise_std_normalization: Whether to divide each image by its own; over the channels of each pixel.
        zca_whitening: Whether the pixels are decorrelated.
        rotation_range: Rotation by up to so many degrees.
        width_shift_range: Shift by up to this share of the columns.
        height_shift_range: Shift by up to this share of the rows.
        shear_range: Shear by up to so many radians.
        zoom_range: Zoom by factors from this range; a number z stands for (1 - z, 1 + z).
        channel_shift_range: Up to which number is added to a channel.
        fill_mode: What stands beyond the edges; see ``apply_transform``.
        cval: The value there with ``fill_mode="constant"``.
        horizontal_flip: Whether half of the images are mirrored left to right.
        vertical_flip: Whether half of the images are mirrored top to bottom.
        rescale: A factor for all values, of images that have been changed at random.
        preprocessing_function: Applied to each of those before that.
        dim_ordering: ``"tf"`` for images ``(rows, columns, channels)``, ``"th"`` for ``(channels, rows, columns)``.

    Raises:
        DataError: ``zoom_range`` is neither a number nor two.
        LayerError: The ordering is another.
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        rotation_range: float = 0.0,
        width_shift_range: float = 0.0,
        height_shift_range: float = 0.0,
        shear_range: float = 0.0,
        zoom_range: float | Sequence[float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Image], Image] | None = None,
        dim_ordering: str = "default",
    ) -> None:
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.shear_range = shear_range
        self.zoom_range = _two_factors(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.dim_ordering = checked_dim_ordering(dim_ordering)
        # Of a batch of images.
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if self.dim_ordering == "th" else (3, 1, 2)
        self.mean: NDArray[Any] | None = None
        self.std: NDArray[Any] | None = None
        self.principal_components: NDArray[Any] | None = None

    def flow(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "jpeg",
    ) -> NumpyArrayIterator:
        """Makes batches of an array of images, without end.

        Args:
            X: The images, rank 4.
            y: Their targets; without them the batches are of images alone.
            batch_size: Images in a batch; the last one of a round holds what is left.
            shuffle: Whether each round has its own order.
            seed: Seeds NumPy's generator, anew for each batch.
            save_to_dir: A folder that the images are written to, for looking at.
            save_prefix: How the names of those files begin.
            save_format: Their format.
        """
        return NumpyArrayIterator(
            X, y, self, batch_size, shuffle, seed, self.dim_ordering, save_to_dir, save_prefix, save_format
        )

    def flow_from_directory(
        self,
        directory: str | os.PathLike[str],
        target_size: Sequence[int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | os.PathLike[str] | None = None,
        save_prefix: str = "",
        save_format: str = "jpeg",
        follow_links: bool = False,
    ) -> DirectoryIterator:
        """Makes batches of the pictures in a folder that has a folder for each class, without end.

        Args:
            directory: The folder.
            target_size: The rows and columns that pictures are brought to.
            color_mode: ``"rgb"`` or ``"grayscale"``.
            classes: The classes' folders, in the order of their numbers; all of them, sorted, by default.
            class_mode: What the targets are: ``"categorical"`` a column for each class, ``"binary"`` numbers as floats,
                ``"sparse"`` numbers, None no targets.
            batch_size: See ``flow``, also for the arguments that follow.
            shuffle: See ``flow``.
            seed: See ``flow``.
            save_to_dir: See ``flow``.
            save_prefix: See ``flow``.
            save_format: See ``flow``.
            follow_links: Whether links to folders are followed.
        """
        return DirectoryIterator(
            directory,
            self,
            target_size,
            color_mode,
            self.dim_ordering,
            classes,
            class_mode,
            batch_size,
            shuffle,
            seed,
            save_to_dir,
            save_prefix,
            save_format,
            follow_links,
        )

    def standardize(self, x: Image) -> Image:
        """Returns an image brought to scale, as the generator was told; needs ``fit`` for what is ``featurewise``."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x = x * self.rescale
        channels = self.channel_axis - 1
        if self.samplewise_center:
            x = x - x.mean(axis=channels, keepdims=True)
        if self.samplewise_std_normalization:
            x = x / (x.std(axis=channels, keepdims=True) + _EPSILON)
        if self.featurewise_center and self._is_fitted(self.mean, "featurewise_center"):
            x = x - self.mean
        if self.featurewise_std_normalization and self._is_fitted(self.std, "featurewise_std_normalization"):
            assert self.std is not None
            x = x / (self.std + _EPSILON)
        if self.zca_whitening and self._is_fitted(self.principal_components, "zca_whitening"):
            assert self.principal_components is not None
            x = (x.reshape(-1) @ self.principal_components).reshape(x.shape)
        return x

    def _is_fitted(self, value: NDArray[Any] | None, what: str) -> bool:
        if value is None:
            warnings.warn(f"ImageDataGenerator: {what} has no effect before fit(images).", UserWarning, stacklevel=3)
        return value is not None

    def random_transform(self, x: Image) -> Image:
        """Returns an image changed at random."""
        rows, columns, channels = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        theta = np.pi / 180 * uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0.0
        down = self._shift(self.height_shift_range) * x.shape[rows]
        right = self._shift(self.width_shift_range) * x.shape[columns]
        shear = self._shift(self.shear_range)
        zoom = zoom_factors(self.zoom_range)
        matrix = rotation(theta) @ translation(down, right) @ shearing(shear) @ scaling(*zoom)
        centred = transform_matrix_offset_center(matrix, x.shape[rows], x.shape[columns])
        x = apply_transform(x, centred, channels, self.fill_mode, self.cval)
        if self.channel_shift_range:
            x = random_channel_shift(x, self.channel_shift_range, channels)
        if self.horizontal_flip and uniform(0, 1) < 0.5:
            x = flip_axis(x, columns)
        if self.vertical_flip and uniform(0, 1) < 0.5:
            x = flip_axis(x, rows)
        return x

    def _shift(self, limit: float) -> float:
        return uniform(-limit, limit) if limit else 0.0

    def fit(self, x: ArrayLike, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Computes means, standard deviations and principal components of a data set.

        Args:
            x: The images, rank 4.
            augment: Whether they are changed at random first.
            rounds: How many times each is, then.
            seed: Seeds NumPy's generator.

        Raises:
            DataError: They are not images of 1, 3 or 4 channels.
        """
        images = np.array(x, np.float32)
        check_images(images, self.channel_axis, self.dim_ordering)
        if seed is not None:
            np.random.seed(seed)  # noqa: NPY002
        if augment:
            images = np.stack([self.random_transform(image) for _ in range(rounds) for image in images])
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = images.mean(axis=axes, keepdims=True)[0]
            images -= self.mean
        if self.featurewise_std_normalization:
            self.std = images.std(axis=axes, keepdims=True)[0]
            images /= self.std + _EPSILON
        if self.zca_whitening:
            flat = images.reshape(len(images), -1)
            u, s, _ = np.linalg.svd(flat.T @ flat / len(flat))
            self.principal_components = u @ np.diag(1.0 / np.sqrt(s + _WHITENING_EPSILON)) @ u.T


def _two_factors(zoom_range: float | Sequence[float]) -> list[float]:
    if isinstance(zoom_range, int | float | np.number):
        return [1 - float(zoom_range), 1 + float(zoom_range)]
    if len(zoom_range) != 2:
        raise DataError(f"zoom_range must be a number or two. Received: {zoom_range!r}.")
    return [zoom_range[0], zoom_range[1]]
