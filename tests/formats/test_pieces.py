"""Reading an array piece by piece gives what reading it at once does."""

import h5py
import numpy as np
import pytest

from bigdl.errors import FormatError
from bigdl.formats import open_native, write_native
from bigdl.formats._hdf5_values import DatasetReader
from bigdl.formats.spec import LayerArrays, StoredArray

LARGE = np.arange(3_000_000, dtype="float32").reshape(3000, 10, 100)


def reader_of(dataset: h5py.Dataset) -> DatasetReader:
    return DatasetReader(dataset, dataset.shape, dataset.dtype.newbyteorder("="), "a", "arrays.h5")


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "arrays.h5", "w") as file:
        yield file


@pytest.mark.parametrize(
    "options",
    [{}, {"chunks": (7, 10, 100)}, {"chunks": (2500, 1, 100), "compression": "gzip"}, {"dtype": ">f8"}],
    ids=["contiguous", "small chunks", "large chunks", "big endian"],
)
def test_pieces_of_large_array(file, options):
    reader = reader_of(file.create_dataset("a", data=LARGE, **options))
    pieces = [piece.copy() for piece in reader.pieces()]
    assert len(pieces) > 1
    assert all(piece.nbytes <= LARGE.nbytes * 5 / 6 * reader.dtype.itemsize / 4 for piece in pieces)
    assert pieces[0].dtype.isnative
    assert np.array_equal(np.concatenate(pieces), LARGE)
    assert np.array_equal(reader(), LARGE)


@pytest.mark.parametrize(
    "array", [np.float32(3), np.zeros((0, 4)), np.zeros((4, 0)), np.arange(5), LARGE.reshape(1, -1)]
)
def test_what_has_no_pieces_is_given_as_a_whole(file, array):
    reader = reader_of(file.create_dataset("a", data=array))
    (piece,) = reader.pieces()
    assert piece.shape == np.shape(array)
    assert np.array_equal(piece, array)


def test_pieces_of_a_converted_array_are_those_of_its_new_way_to_read(file):
    reader = reader_of(file.create_dataset("a", data=LARGE))
    turned = StoredArray("a", (100, 10, 3000), LARGE.dtype, lambda: reader().T)
    (piece,) = turned.pieces()
    assert np.array_equal(piece, LARGE.T)


def test_closed_file(file):
    reader = reader_of(file.create_dataset("a", data=LARGE))
    file.close()
    with pytest.raises(FormatError, match="'a' cannot be read"):
        reader()
    with pytest.raises(FormatError, match="'a' cannot be read"):
        next(reader.pieces())


def test_pieces_of_the_librarys_own_format(tmp_path):
    arrays = (StoredArray.of("large", LARGE), StoredArray.of("scalar", np.array(3.0)))
    config = [{"class_name": "Dense", "config": {"name": "a", "output_dim": 3}}]
    write_native(tmp_path / "m.bigdl", "Sequential", config, [LayerArrays("a", arrays)])
    with open_native(tmp_path / "m.bigdl") as spec:
        assert spec.weights is not None
        large, scalar = spec.weights.layers[0].arrays
        pieces = list(large.pieces())
        assert len(pieces) == 3
        assert np.array_equal(np.concatenate(pieces), LARGE)
        assert [piece.item() for piece in scalar.pieces()] == [3]
