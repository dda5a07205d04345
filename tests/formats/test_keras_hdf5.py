"""HDF5 files of Keras 1.x: those real versions wrote, those written here, the dirty and the hostile ones."""

import json
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from bigdl.errors import FormatError, MissingFileError
from bigdl.formats import looks_like_hdf5, open_hdf5, write_full, write_weights
from bigdl.formats.spec import LayerArrays, StoredArray, TrainingSpec

DATA = Path(__file__).parent / "data"
TRAINED = DATA / "1.2.2" / "trained.h5"
W = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.h5"


def write(path: Path, layer_names=(b"d",), weight_names=(b"d_W",), **arrays) -> Path:
    """Writes a weights file by hand, its one layer ``d`` with the given arrays (``d_W`` when there are none)."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = layer_names
        group = file.create_group("d")
        group.attrs["weight_names"] = weight_names
        for name, array in (arrays or {"d_W": W}).items():
            group.create_dataset(name, data=array)
    return path


def names(path: Path) -> dict[str, list[str]]:
    with open_hdf5(path) as file:
        return {layer.name: [array.name for array in layer.arrays] for layer in file.weights()}


def arrays_of(path: Path) -> tuple[list[LayerArrays], TrainingSpec | None]:
    """Reads a file whole, so that it can be compared after it is closed."""
    with open_hdf5(path) as file:
        training = file.training()

        def held(arrays: tuple[StoredArray, ...]) -> tuple[StoredArray, ...]:
            return tuple(StoredArray.of(array.name, array.read()) for array in arrays)

        layers = [LayerArrays(layer.name, held(layer.arrays)) for layer in file.weights()]
        if training is not None:
            training = TrainingSpec(training.config, held(training.optimizer_arrays))
        return layers, training


def refused(path: Path, match: str) -> None:
    with pytest.raises(FormatError, match=match) as caught:
        arrays_of(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("path", sorted(DATA.glob("*/*.h5")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_files_of_every_version_are_read(path):
    with open_hdf5(path) as file, h5py.File(path) as raw:
        weights = file.weights()
        assert weights.source == str(path)
        assert weights.named == (path.parent.name != "0.3.3")
        group = raw.get("model_weights", raw)
        for layer in weights:
            for array in layer.arrays:
                stored = group[layer.name][array.name][()]
                assert (array.shape, array.dtype) == (stored.shape, stored.dtype)
                np.testing.assert_array_equal(array.read(), stored)


def test_a_full_save():
    with open_hdf5(TRAINED) as file:
        definition, training = file.definition(), file.training()
        weights = file.weights()
        assert definition is not None
        assert training is not None
        assert definition.keras_version == "1.2.2"
        assert [layer.name for layer in definition.graph.layers] == ["a/b", "activation_4", "dense_11"]
        assert [layer.name for layer in weights] == ["a/b", "activation_4", "dense_11"]
        assert [array.name for array in weights.layers[0].arrays] == ["a/b_W:0", "a/b_b:0"]
        assert training.config["optimizer_config"]["class_name"] == "Adam"
        assert training.config["metrics"] == ["accuracy"]
        shapes = [(4, 3), (3,), (3, 2), (2,)]
        assert [array.shape for array in training.optimizer_arrays] == [(), *shapes, *shapes]
        assert training.optimizer_arrays[0].read() == 1  # one batch


def test_a_weights_file_has_neither_definition_nor_training(path):
    with open_hdf5(write(path)) as file:
        assert file.definition() is None
        assert file.training() is None


def test_the_oldest_files_have_numbers_for_names(path):
    with h5py.File(path, "w") as file:
        file.attrs["nb_layers"] = 2
        for layer, arrays in enumerate([[W, W[0]], []]):
            group = file.create_group(f"layer_{layer}")
            group.attrs["nb_params"] = len(arrays)
            for index, array in enumerate(arrays):
                group[f"param_{index}"] = array
    assert names(path) == {"layer_0": ["param_0", "param_1"], "layer_1": []}
    with h5py.File(path, "a") as file:
        file.attrs["nb_layers"] = 3
    refused(path, "nb_layers is 3, but 'layer_2' .* missing")


@pytest.mark.parametrize(
    "layer_names",
    [
        np.array([b"d"]),
        np.array(["d"], dtype=h5py.string_dtype()),
        np.array([b"d"], dtype=h5py.string_dtype("ascii")),
        np.array([b"d"], dtype=h5py.string_dtype(length=8)),
        "d",
        b"d",
    ],
)
def test_strings_of_every_kind(path, layer_names):
    assert names(write(path, layer_names)) == {"d": ["d_W"]}


def test_names_with_slashes_and_other_letters(path):
    with h5py.File(path, "w") as file:
        name = "block/schicht_ü"
        file.attrs["layer_names"] = [name.encode()]
        group = file.create_group(name)
        group.attrs["weight_names"] = [f"{name}/W:0".encode(), b"b"]
        group.create_dataset(f"{name}/W:0", data=W)
        group.create_dataset("b", data=W)
    assert names(path) == {"block/schicht_ü": ["block/schicht_ü/W:0", "b"]}


def test_names_in_several_attributes(path):
    write(path)
    with h5py.File(path, "a") as file:
        del file.attrs["layer_names"]
        file.attrs["layer_names0"] = [b"d"]
        file.attrs["layer_names1"] = [b"e"]
        file.create_group("e").attrs["weight_names"] = []
    assert names(path) == {"d": ["d_W"], "e": []}


def test_number_types_and_byte_orders(path):
    arrays = {"big": W.astype(">f4"), "half": W.astype("f2"), "int": W.astype("i8"), "bool": W > 1, "scalar": W[1, 1]}
    write(path, weight_names=[name.encode() for name in arrays], **arrays)
    with open_hdf5(path) as file:
        for array, expected in zip(file.weights().layers[0].arrays, arrays.values(), strict=True):
            found = array.read()
            assert found.dtype == array.dtype == expected.dtype.newbyteorder("=")
            assert found.dtype.isnative
            np.testing.assert_array_equal(found, expected)


def test_compressed_arrays_are_read(path):
    zeros = np.zeros((1000, 2000), "float32")
    write(path)
    with h5py.File(path, "a") as file:
        del file["d/d_W"]
        file["d"].create_dataset("d_W", data=zeros, chunks=True, compression="gzip")
    with open_hdf5(path) as file:
        np.testing.assert_array_equal(file.weights().layers[0].arrays[0].read(), zeros)


def test_one_array_at_a_time_is_in_memory(path):
    arrays = {f"w{index}": np.ones(500_000, "float32") for index in range(8)}
    write(path, weight_names=[name.encode() for name in arrays], **arrays)
    tracemalloc.start()
    with open_hdf5(path) as file:
        for array in file.weights().layers[0].arrays:
            assert array.read().sum() == 500_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * 2_000_000 + 500_000


def test_files_that_are_none(path):
    with pytest.raises(MissingFileError, match=r"m\.h5 does not exist"), open_hdf5(path):
        pass
    for content, message in (
        (b"", "empty"),
        (b"\x00" * 5000, "no HDF5 file but something that begins with"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"\x89HDF\r\n\x1a\n", "damaged or truncated"),
    ):
        path.write_bytes(content)
        refused(path, message)


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9, 0.999])
def test_truncated_files_are_refused(path, part):
    data = TRAINED.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    assert looks_like_hdf5(path)
    refused(path, "damaged or truncated")


def test_what_is_missing_is_named(path):
    with h5py.File(path, "w") as file:
        file.attrs["something"] = 1
    refused(path, "layer_names is missing, and there is no group model_weights")
    refused(write(path, layer_names=[b"d", b"e"]), "'e', but there is no group")
    refused(write(path, layer_names=[b"d", b"d"]), "more than once")
    refused(write(path, layer_names=[1, 2]), "layer_names' must hold strings")
    refused(write(path, layer_names=np.array([(1, 2)], "i4,i4")), "layer_names' must hold strings or numbers")
    refused(write(path, layer_names=[b"\xff"]), "layer_names' must hold strings")
    refused(write(path, weight_names=[b"d_W", b"d_b"]), "'d_b' must be in '/d'. Found: nothing")
    refused(write(path, layer_names=[b"d/d_W"]), "must be a group. Received: an array")
    write(path)
    with h5py.File(path, "a") as file:
        del file["d"].attrs["weight_names"]
    refused(path, "lacks the attribute weight_names")
    refused(write(path, weight_names=[b"x"], **{"x/y": W}), "'x' must be in '/d'. Found: a group")


def test_a_definition_that_is_none_is_refused(path):
    write(path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = "{}"
        file.attrs["training_config"] = "[]"
    with open_hdf5(path) as opened:
        with pytest.raises(FormatError, match=r"m\.h5 \(model_config\): 'class_name' must be"):
            opened.definition()
        with pytest.raises(FormatError, match="training_config must have an optimizer_config"):
            opened.training()
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": []})
        file.attrs["keras_version"] = b"2.0.8"
    with open_hdf5(path) as opened, pytest.raises(FormatError, match=r"written by Keras 2\.0\.8"):
        opened.definition()


# What leads out of the file.


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["secret"] = W
        file.create_group("d").attrs["weight_names"] = []
    (tmp_path / "secret.bin").write_bytes(W.tobytes())
    return path


@pytest.mark.parametrize("link", [h5py.ExternalLink("other.h5", "/secret"), h5py.SoftLink("/d/d_W")])
def test_links_are_not_followed(path, other, link):
    write(path, weight_names=[b"link"], d_W=W)
    with h5py.File(path, "a") as file:
        file["d"]["link"] = link
    refused(path, "'link' in '/d' is a link that may lead to another file")


def test_links_in_the_middle_are_not_followed(path, other):
    write(path, weight_names=[b"link/secret"], d_W=W)
    with h5py.File(path, "a") as file:
        file["d"]["link"] = h5py.ExternalLink("other.h5", "/")
    refused(path, "is a link that may lead to another file")


def test_a_linked_layer_is_not_followed(path, other):
    write(path)
    with h5py.File(path, "a") as file:
        del file["d"]
        file["d"] = h5py.ExternalLink("other.h5", "/d")
    refused(path, "'d' in '/' is a link that may lead to another file")


def test_external_storage_is_not_read(path, other):
    write(path, d_b=W)
    with h5py.File(path, "a") as file:
        file["d"].create_dataset("d_W", (2, 3), "float32", external=[("secret.bin", 0, 24)])
    refused(path, "keeps its data in another file")


def test_virtual_datasets_are_not_read(path, other):
    write(path, d_b=W)
    layout = h5py.VirtualLayout((2, 3), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "secret", (2, 3))
    with h5py.File(path, "a") as file:
        file["d"].create_virtual_dataset("d_W", layout)
    refused(path, "keeps its data in another file")


# What is not numbers, and what is absurd.


@pytest.mark.parametrize(
    "array",
    [
        np.array(["x"], dtype=h5py.string_dtype()),
        np.array([b"x"]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]),
        np.array([1 + 2j]),
    ],
)
def test_only_numbers_are_read(path, array):
    refused(write(path, d_W=array), "must hold numbers")


def test_other_dtypes_are_refused(path):
    write(path, d_b=W)
    with h5py.File(path, "a") as file:
        file["d"].create_dataset("d_W", (2,), h5py.vlen_dtype("int32"))
    refused(path, "must hold numbers")
    write(path, d_b=W)
    with h5py.File(path, "a") as file:
        file["d"].create_dataset("d_W", data=h5py.Empty("f"))
    refused(path, "has no shape")
    write(path, d_b=W)
    with h5py.File(path, "a") as file:
        file["d"]["d_W"] = np.dtype("float32")
    refused(path, "neither a group nor an array")


@pytest.mark.parametrize(
    "how",
    [{}, {"chunks": (1024, 1024)}, {"chunks": (1024, 1024), "compression": "gzip"}],
    ids=["contiguous", "chunked", "compressed"],
)
def test_arrays_without_their_data_are_refused(path, how):
    write(path, d_b=W)
    with h5py.File(path, "a") as file:
        file["d"].create_dataset("d_W", (1_000_000, 1_000_000), "float32", **how)
    refused(path, "takes 4000000000000 bytes, the file has 0")


def test_absurd_chunks_are_refused(path):
    write(path, d_b=W)
    with h5py.File(path, "a") as file:
        file["d"].create_dataset("d_W", (1,), "float64", maxshape=(None,), chunks=(2**28,))
    refused(path, "pieces of absurd shape")


def test_absurd_attributes_are_refused(path):
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["layer_names"] = np.zeros(2**20, "S65")
    refused(path, "'layer_names' of '/' is absurdly large")
    # Variable strings may all be the same bytes of the file: it is small, what it asks for is not.
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["layer_names"] = np.array(["x"] * 4000, dtype=h5py.string_dtype())
        file.attrs["large"] = "x" * 2**20
    refused(path, "'layer_names' of '/' is absurdly large")


def test_strings_that_hang_the_hdf5_library_are_refused(path):
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "some text"
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    free = heap + 16 + 16 + 16  # its header, the text's header, the text
    assert data[free : free + 2] == bytes(2)
    data[free + 8 : free + 16] = bytes(8)
    path.write_bytes(data)
    with open_hdf5(path) as opened, pytest.raises(FormatError, match=f"the strings at byte {heap} cannot be read"):
        opened.definition()


def test_many_names_beside_large_arrays_are_read(path):
    layers = [f"layer_{index}" for index in range(500)]
    write(path, weight_names=[b"w"], w=np.zeros(2**20, "float32"))
    with h5py.File(path, "a") as file:
        for name in layers:
            file.create_group(name).attrs["weight_names"] = []
        file.attrs["layer_names"] = np.array(layers, dtype=h5py.string_dtype())
    assert list(names(path)) == layers


def test_absurd_numbers_of_layers_are_refused(path):
    for number in (-1, 2**40):
        with h5py.File(path, "w") as file:
            file.attrs["nb_layers"] = number
        refused(path, "cannot be; at most")
    with h5py.File(path, "w") as file:
        file.attrs["nb_layers"] = "many"
    refused(path, "'nb_layers' must be an integer")


# Writing.


def assert_same(path: Path, other: Path) -> None:
    """Compares files attribute by attribute and array by array, with their types."""

    def content(file: h5py.File) -> dict[str, object]:
        found: dict[str, object] = {}

        def add(name: str, node: h5py.HLObject) -> None:
            for key in node.attrs:
                attribute = node.attrs.get_id(key)
                found[f"{name}@{key}"] = (attribute.shape, str(attribute.dtype), np.asarray(node.attrs[key]).tolist())
            if isinstance(node, h5py.Dataset):
                found[name] = (node.dtype, node[()].tolist())

        add("", file)
        file.visititems(add)
        return found

    with h5py.File(path) as first, h5py.File(other) as second:
        assert content(first) == content(second)


def test_a_full_save_is_written_as_keras_122_writes_it(path):
    layers, training = arrays_of(TRAINED)
    with h5py.File(TRAINED) as file:
        config = json.loads(file.attrs["model_config"])
    write_full(path, config["class_name"], config["config"], layers, training)
    assert_same(path, TRAINED)


@pytest.mark.parametrize("name", ["nested", "legacy_merge", "shared", "sequence"])
def test_weights_are_written_as_keras_122_writes_them(path, name):
    original = DATA / "1.2.2" / f"{name}.h5"
    write_weights(path, arrays_of(original)[0])
    assert_same(path, original)


def test_names_that_occur_again_in_a_layer_are_numbered(path):
    arrays = tuple(StoredArray.of(name, W + index) for index, name in enumerate(["w", "w", "w_1"]))
    write_weights(path, [LayerArrays("d", arrays)])
    (layer,), _ = arrays_of(path)
    assert [array.name for array in layer.arrays] == ["w", "w_1", "w_1_1"]
    assert [array.read()[0, 0] for array in layer.arrays] == [0, 1, 2]


def test_more_names_than_an_attribute_of_old_holds(path):
    layers = [LayerArrays(f"{'x' * 90}{index}", ()) for index in range(1000)]
    write_weights(path, layers)
    assert list(names(path)) == [layer.name for layer in layers]


def test_a_failed_write_leaves_the_old_file(path):
    write(path)
    before = path.read_bytes()
    with pytest.raises(FormatError, match="Two layers have the name 'd'"):
        write_weights(path, [LayerArrays("d", ()), LayerArrays("d", ())])
    with pytest.raises(FormatError, match="cannot be written as JSON"):
        write_full(path, "Sequential", [object()], [])
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["m.h5"]
