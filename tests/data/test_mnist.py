import gzip

import numpy as np
import pytest

from bigdl.data.mnist_files import ALL_FILES
from bigdl.dataset import mnist
from bigdl.errors import DataError, FormatError, StorageError

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = (file.name for file in ALL_FILES)


@pytest.fixture
def folder(tmp_path, contents):
    """The small data set on disk, one part plain, one packed."""
    for name, data in contents.items():
        if name.startswith("train"):
            (tmp_path / name).write_bytes(data)
        else:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
    return tmp_path


@pytest.mark.parametrize(("data_type", "part"), [("train", "train"), ("test", "t10k")])
@pytest.mark.parametrize("as_text", [True, False])
def test_read_data_sets(folder, arrays, data_type, part, as_text):
    images, labels = mnist.read_data_sets(str(folder) if as_text else folder, data_type)
    assert images.dtype == np.uint8
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(images, arrays[f"{part}-images-idx3-ubyte"][:, :, :, None])
    np.testing.assert_array_equal(labels, arrays[f"{part}-labels-idx1-ubyte"])


def test_read_data_sets_reads_train_by_default(folder, arrays):
    images, _ = mnist.read_data_sets(train_dir=folder)
    assert images.shape == (6, 28, 28, 1)


def test_read_data_sets_in_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    images, _ = mnist.read_data_sets(f"~/{folder.name}")
    assert len(images) == 6


def test_read_data_sets_leaves_a_complete_folder_alone(folder, asked):
    before = sorted(path.name for path in folder.iterdir())
    mnist.read_data_sets(folder, "train")
    assert asked == []
    assert sorted(path.name for path in folder.iterdir()) == before


def test_read_data_sets_refuses_another_part(folder):
    with pytest.raises(DataError, match="expected 'train' or 'test', received 'validation'"):
        mnist.read_data_sets(folder, "validation")


def test_a_file_cut_short_is_named_with_both_sizes(folder, contents):
    path = folder / TRAIN_IMAGES
    path.write_bytes(contents[TRAIN_IMAGES][:1000])
    with pytest.raises(FormatError, match=r"4,720 bytes in all, the file has 1,000 bytes\. Delete the file") as raised:
        mnist.read_data_sets(folder, "train")
    assert str(path) in str(raised.value)


def test_a_damaged_packed_file_is_named(folder, contents):
    path = folder / f"{TEST_LABELS}.gz"
    path.write_bytes(gzip.compress(contents[TEST_LABELS])[:-4])
    with pytest.raises(FormatError, match=r"damaged or incomplete gzip file.* Delete the file") as raised:
        mnist.read_data_sets(folder, "test")
    assert str(path) in str(raised.value)


def test_labels_in_the_place_of_images(folder, contents):
    (folder / TRAIN_IMAGES).write_bytes(contents[TRAIN_LABELS] + bytes(16))
    with pytest.raises(FormatError, match="expected the magic number 2051, received 2049"):
        mnist.read_data_sets(folder, "train")


def test_images_and_labels_of_different_number(folder, contents):
    (folder / TRAIN_LABELS).write_bytes(contents[TEST_LABELS])
    with pytest.raises(FormatError, match=f"{TRAIN_IMAGES} has 6 images, but {TRAIN_LABELS} has 3 labels"):
        mnist.read_data_sets(folder, "train")


def test_one_wrong_byte_is_found_by_the_checksum(folder, known):
    path = folder / TRAIN_IMAGES
    original = known[TRAIN_IMAGES]
    path.write_bytes(original[:100] + bytes([original[100] ^ 1]) + original[101:])
    with pytest.raises(
        FormatError, match=r"expected 4,720 bytes with SHA-256 .*, received 4,720 .*verify=False.*Delete"
    ) as raised:
        mnist.read_data_sets(folder, "train")
    assert str(path) in str(raised.value)
    images, _ = mnist.read_data_sets(folder, "train", verify=False)
    assert len(images) == 6


def test_a_folder_in_the_place_of_a_file(folder):
    (folder / TRAIN_IMAGES).unlink()
    (folder / TRAIN_IMAGES).mkdir()
    with pytest.raises(StorageError, match=f"{TRAIN_IMAGES} cannot be read"):
        mnist.read_data_sets(folder, "train")


def test_load_data_normalises_and_counts_labels_from_one(folder, arrays):
    (x_train, y_train), (x_test, y_test) = mnist.load_data(folder)
    # BigDL 0.13 normalises the test images with the training images' numbers, too.
    for x, name in ((x_train, TRAIN_IMAGES), (x_test, TEST_IMAGES)):
        expected = (arrays[name][..., None] / 255 - 0.13066047740239506) / 0.3081078
        np.testing.assert_allclose(x, expected, rtol=1e-12, atol=1e-12)
        assert x.dtype == np.float64
    np.testing.assert_array_equal(y_train, [1, 10, 4, 5, 6, 2])
    np.testing.assert_array_equal(y_test, [8, 3, 10])
    assert y_train.dtype == np.uint8


def test_extract_images_and_labels_from_open_files(folder, arrays):
    with (folder / TRAIN_IMAGES).open("rb") as plain, (folder / f"{TEST_LABELS}.gz").open("rb") as packed:
        np.testing.assert_array_equal(mnist.extract_images(plain)[..., 0], arrays[TRAIN_IMAGES])
        np.testing.assert_array_equal(mnist.extract_labels(packed), arrays[TEST_LABELS])


def test_extract_names_the_file(folder):
    with (
        (folder / TRAIN_LABELS).open("rb") as labels,
        pytest.raises(ValueError, match=f"{TRAIN_LABELS}: .*2051"),
    ):
        mnist.extract_images(labels)


def test_the_four_files_are_those_of_mnist():
    # Sizes by the format: 16 + images * 28 * 28, and 8 + labels.
    assert [file.size for file in ALL_FILES] == [16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000]
    assert all(len(file.sha256) == 64 for file in ALL_FILES)
