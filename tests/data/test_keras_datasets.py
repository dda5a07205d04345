"""Data sets, files and pictures as Keras 1.2.2 reads them."""

import gzip
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bigdl.data.get_file import get_file, validate_file
from bigdl.data.images import ImageDataGenerator, list_pictures, load_img
from bigdl.data.keras_datasets import cifar, mnist, words
from bigdl.data.labels import to_categorical
from bigdl.data.plain_pickle import read_plain_pickle
from bigdl.data.sequences import pad_sequences
from bigdl.data.slices import batch_shuffle, make_batches, slice_X
from bigdl.data.text import Tokenizer, one_hot
from bigdl.errors import DataError, FormatError, LayerError
from bigdl.layers import settings

RNG = np.random.default_rng(0)


@pytest.fixture
def datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".keras" / "datasets"
    folder.mkdir(parents=True)
    return folder


class Evil:
    def __reduce__(self):
        return os.mkdir, ("made",)


def test_pickles_are_read_and_never_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for protocol in (0, 2, 4):
        value: dict[str, Any] = {"a": [1, 2.5, None, ("b", b"c")], "x": np.arange(6).reshape(2, 3)}
        read = read_plain_pickle(pickle.dumps(value, protocol), "data.pkl")
        assert read["a"] == value["a"]
        assert np.array_equal(read["x"], value["x"])
        with pytest.raises(FormatError, match=r"data\.pkl .*mkdir"):
            read_plain_pickle(pickle.dumps(Evil(), protocol), "data.pkl")
    with pytest.raises(FormatError, match="no pickle of plain values"):
        read_plain_pickle(b"\x80\x02]q", "data.pkl")
    assert list(tmp_path.iterdir()) == []


def test_mnist_from_keras_file(datasets):
    parts = tuple((RNG.integers(0, 255, (n, 28, 28)).astype(np.uint8), np.arange(n, dtype=np.uint8)) for n in (6, 3))
    with gzip.open(datasets / "mnist.pkl.gz", "wb") as file:
        pickle.dump(parts, file, 2)
    for part, expected in zip(mnist.load_data(), parts, strict=True):
        assert all(map(np.array_equal, part, expected))


def test_mnist_from_its_four_files(datasets, tmp_path):
    for name, count in (("train", 4), ("t10k", 2)):
        images = RNG.integers(0, 255, (count, 28, 28)).astype(np.uint8)
        head = np.array([2051, count, 28, 28], ">i4").tobytes()
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        head = np.array([2049, count], ">i4").tobytes()
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(head + bytes(range(count)))
    (x_train, y_train), (x_test, y_test) = mnist.load_data(str(tmp_path))
    assert (x_train.shape, x_test.shape) == ((4, 28, 28), (2, 28, 28))
    assert (y_train.tolist(), y_test.tolist()) == ([0, 1, 2, 3], [0, 1])


@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_cifar(datasets, ordering):
    settings.set_image_dim_ordering(ordering)
    (datasets / "cifar-10-batches-py").mkdir()
    (datasets / "cifar-100-python").mkdir()
    images = RNG.integers(0, 255, (2, 3072)).astype(np.uint8)
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        content = pickle.dumps({b"data": images, b"labels": [3, 4]}, 2)
        (datasets / "cifar-10-batches-py" / name).write_bytes(content)
    for name in ("train", "test"):
        content = pickle.dumps({b"data": images, b"fine_labels": [30, 40], b"coarse_labels": [5, 6]}, 2)
        (datasets / "cifar-100-python" / name).write_bytes(content)
    (x_train, y_train), (x_test, y_test) = cifar.load_cifar10()
    assert x_train.shape == ((10, 32, 32, 3) if ordering == "tf" else (10, 3, 32, 32))
    first = x_test if ordering == "th" else x_test.transpose(0, 3, 1, 2)
    assert np.array_equal(first.reshape(2, -1), images)
    assert y_train.tolist() == [[3], [4]] * 5
    assert y_test.tolist() == [[3], [4]]
    assert cifar.load_cifar100()[1][1].tolist() == [[30], [40]]
    assert cifar.load_cifar100("coarse")[0][1].tolist() == [[5], [6]]
    with pytest.raises(DataError, match="label_mode"):
        cifar.load_cifar100("both")
    (datasets / "cifar-100-python" / "test").write_bytes(pickle.dumps([1]))
    with pytest.raises(FormatError, match="no batch of CIFAR"):
        cifar.load_cifar100()


def test_texts(datasets):
    texts = [[1, 2, 3, 4], [5, 6], [7, 8, 9]]
    labels = [0, 1, 0]
    (datasets / "imdb_full.pkl").write_bytes(pickle.dumps(((texts[:2], labels[:2]), (texts[2:], labels[2:])), 2))
    (x_train, y_train), (x_test, y_test) = words.load_imdb(nb_words=9, skip_top=5)
    assert sorted(x_train.tolist()) == [[1, 2, 5, 6, 7], [1, 8, 2]] or x_train.tolist() == [[2, 2, 5, 6, 7], [2, 8, 2]]
    assert x_test.tolist() == [[2, 2, 2, 2]]
    assert (sorted(y_train.tolist()), y_test.tolist()) == ([0, 1], [0])
    (x_train, _), _ = words.load_imdb(maxlen=4, oov_char=None, start_char=None, index_from=0)
    assert [5, 6] in x_train.tolist()
    with pytest.raises(DataError, match="maxlen=1"):
        words.load_imdb(maxlen=1)
    (datasets / "reuters.pkl").write_bytes(pickle.dumps((texts, labels), 2))
    (x_train, y_train), (x_test, _) = words.load_reuters(test_split=0.34)
    assert (len(x_train), len(y_train), len(x_test)) == (1, 1, 2)
    for read, name in ((words.imdb_word_index, "imdb"), (words.reuters_word_index, "reuters")):
        (datasets / f"{name}_word_index.pkl").write_bytes(pickle.dumps({"a": 1, b"b": 2}, 2))
        assert read() == {"a": 1, "b": 2}


def test_files_that_are_not_there(datasets):
    with pytest.raises(DataError, match=r"no reuters\.pkl.*not downloaded"):
        words.load_reuters()
    (datasets / "broken.gz").write_bytes(b"no gzip")
    with pytest.raises(FormatError, match="cannot be unpacked"):
        words.load_imdb("broken.gz")


def test_get_file(datasets, tmp_path):
    (tmp_path / "text.txt").write_text("hello")
    path = get_file("text.txt", (tmp_path / "text.txt").as_uri())
    assert path == str(datasets / "text.txt")
    assert Path(path).read_text() == "hello"
    (tmp_path / "text.txt").write_text("changed")
    assert Path(get_file("text.txt", (tmp_path / "text.txt").as_uri())).read_text() == "hello"
    md5 = "8977dfac2f8e04cb96e66882235f5aba"
    assert Path(get_file("text.txt", (tmp_path / "text.txt").as_uri(), md5_hash=md5)).read_text() == "changed"
    assert validate_file(path, md5)
    with pytest.raises(FormatError, match="MD5"):
        get_file("text.txt", (tmp_path / "text.txt").as_uri(), md5_hash="0")
    with pytest.raises(DataError, match=r"cannot be downloaded.*Put it there"):
        get_file("other.txt", (tmp_path / "other.txt").as_uri())


def test_archives(datasets, tmp_path):
    (tmp_path / "inside.txt").write_text("hello")
    with tarfile.open(tmp_path / "pack.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "inside.txt", "pack/inside.txt")
    folder = get_file("pack", (tmp_path / "pack.tar.gz").as_uri(), untar=True)
    assert Path(folder, "inside.txt").read_text() == "hello"
    assert get_file("pack", "file:///nowhere", untar=True) == folder
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "inside.txt", "../../../escaped.txt")
    with pytest.raises(FormatError, match="no archive, or damaged"):
        get_file("evil", (tmp_path / "evil.tar.gz").as_uri(), untar=True)
    assert not (tmp_path / "escaped.txt").exists()


def test_pictures_in_folders(tmp_path, capsys):
    for name, value in (("a", 10), ("b", 200), ("c", 90)):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (6, 4), (value, number, 0)).save(tmp_path / name / f"p{number}.png")
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    pictures = ImageDataGenerator(rescale=0.5).flow_from_directory(
        tmp_path, target_size=(2, 3), classes=["b", "a"], batch_size=4, shuffle=False
    )
    assert "Found 6 images belonging to 2 classes." in capsys.readouterr().out
    x, y = next(pictures)
    assert (x.shape, x.dtype) == ((4, 2, 3, 3), np.float32)
    assert x[:, 0, 0, 0].tolist() == [100, 100, 100, 5]
    assert y.tolist() == [[1, 0]] * 3 + [[0, 1]]
    assert next(pictures)[0].shape == (2, 2, 3, 3)
    for mode, expected in (("sparse", [0, 0, 0, 1]), ("binary", [0.0, 0.0, 0.0, 1.0])):
        batches = ImageDataGenerator().flow_from_directory(
            tmp_path, classes=["a", "b"], class_mode=mode, shuffle=False, batch_size=4
        )
        assert next(batches)[1].tolist() == expected
    grey = ImageDataGenerator(dim_ordering="th").flow_from_directory(
        tmp_path, target_size=(2, 2), color_mode="grayscale", class_mode=None
    )
    assert next(grey).shape == (9, 1, 2, 2)
    assert sorted(os.path.basename(path) for path in list_pictures(tmp_path / "a")) == ["p0.png", "p1.png", "p2.png"]
    assert load_img(tmp_path / "a" / "p0.png", grayscale=True).mode == "L"
    for options, message in (
        ({"color_mode": "cmyk"}, "color_mode"),
        ({"class_mode": "other"}, "class_mode"),
        ({"classes": []}, None),
    ):
        if message:
            with pytest.raises(DataError, match=message):
                ImageDataGenerator().flow_from_directory(tmp_path, **options)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images"):
        ImageDataGenerator().flow_from_directory(tmp_path / "empty")


def test_pictures_are_written_for_looking_at(tmp_path):
    batches = ImageDataGenerator().flow(RNG.random((3, 4, 5, 3)), batch_size=3, save_to_dir=tmp_path, save_format="png")
    next(batches)
    sizes = []
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            sizes.append(picture.size)
    assert sizes == [(5, 4)] * 3


def test_bad_images():
    generator = ImageDataGenerator()
    with pytest.raises(DataError, match="rank 4"):
        generator.flow(np.zeros((3, 4, 5)))
    with pytest.raises(DataError, match="1, 3 or 4 channels"):
        generator.fit(np.zeros((3, 4, 5, 2)))
    with pytest.raises(DataError, match="a target for each image"):
        generator.flow(np.zeros((3, 4, 5, 3)), np.zeros(2))
    with pytest.raises(DataError, match="zoom_range"):
        ImageDataGenerator(zoom_range=(1, 2, 3))
    with pytest.raises(DataError, match="fill_mode"):
        next(ImageDataGenerator(fill_mode="black").flow(np.zeros((3, 4, 5, 3))))
    with pytest.raises(LayerError, match="dim_ordering"):
        ImageDataGenerator(dim_ordering="cf")
    with pytest.warns(UserWarning, match="no effect before fit"):
        next(ImageDataGenerator(featurewise_center=True).flow(np.zeros((3, 4, 5, 3))))


def test_bad_sequences_texts_and_labels():
    with pytest.raises(DataError, match="padding must be"):
        pad_sequences([[1]], padding="middle")
    with pytest.raises(DataError, match=r"steps of shape \(3,\) in sequence 1"):
        pad_sequences([[[1, 2]], [[1, 2, 3]]])
    assert pad_sequences([], maxlen=3).shape == (0, 3)
    assert pad_sequences([[1, 2]], maxlen=0).shape == (1, 0)
    for mode in ("tfidf", "binary"):
        with pytest.raises(DataError, match=r"nb_words|tfidf"):
            Tokenizer(nb_words=3 if mode == "tfidf" else None).sequences_to_matrix([[1]], mode)
    with pytest.raises(DataError, match="mode must be"):
        Tokenizer(nb_words=3).sequences_to_matrix([[1]], "best")
    with pytest.raises(DataError, match=r"from 0 to 1\. Received: 0 to 2"):
        to_categorical([0, 2], 2)
    numbers = one_hot("The cat, the dog", 7)
    assert len(numbers) == 4
    assert numbers[0] == numbers[2]
    assert all(1 <= n < 7 for n in numbers)


def test_slices():
    a, b = np.arange(6), np.arange(12).reshape(6, 2)
    assert [x.tolist() for x in slice_X([a, b], 1, 3)] == [[1, 2], [[2, 3], [4, 5]]]
    assert slice_X(a, [4, 0]).tolist() == [4, 0]
    assert make_batches(7, 3) == [(0, 3), (3, 6), (6, 7)]
    np.random.seed(0)  # noqa: NPY002 - Keras's generator
    shuffled = batch_shuffle(np.arange(8), 3)
    assert shuffled[6:].tolist() == [6, 7]
    assert sorted(map(tuple, shuffled[:6].reshape(2, 3))) == [(0, 1, 2), (3, 4, 5)]
