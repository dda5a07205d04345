import h5py
import numpy as np
import pytest
import torch

from bigdl.errors import DataError
from bigdl.graph import Container, Input, SequentialContainer
from bigdl.layers import Activation, Dense, Flatten
from bigdl.training.data import Column, input_columns, inputs_for

CPU = torch.device("cpu")
INDEX = np.array([5, 0, 3])


@pytest.fixture
def model():
    return SequentialContainer([Dense(3, input_dim=4, name="first")], name="net")


@pytest.fixture
def x():
    return np.random.RandomState(0).rand(6, 4).astype(np.float32)


@pytest.fixture(
    params=[
        "array",
        "fortran",
        "reversed",
        "big endian",
        "read only",
        "half",
        "memmap",
        "hdf5",
        "tensor",
        "grad",
        "list",
    ]
)
def kind_of_array(request, x, tmp_path):
    """Gives the same numbers as ``x`` in all kinds of arrays."""
    if request.param == "hdf5":
        with h5py.File(tmp_path / "x.h5", "w") as file:
            yield file.create_dataset("x", data=x)
        return
    np.save(tmp_path / "x.npy", x)
    read_only = x.copy()
    read_only.flags.writeable = False
    yield {
        "array": x,
        "fortran": np.asfortranarray(x),
        "reversed": x[::-1].copy()[::-1],
        "big endian": x.astype(">f4"),
        "read only": read_only,
        "half": np.repeat(x, 2, axis=0)[::2],
        "memmap": np.load(tmp_path / "x.npy", mmap_mode="r"),
        "tensor": torch.from_numpy(x),
        "grad": torch.from_numpy(x).requires_grad_(),
        "list": x.tolist(),
    }[request.param]


def test_rows_of_all_kinds_of_arrays(model, x, kind_of_array):
    (column,) = input_columns(model, kind_of_array)
    np.testing.assert_array_equal(column.take(INDEX), x[INDEX])
    np.testing.assert_array_equal(column.take(slice(1, 3)), x[1:3])
    np.testing.assert_array_equal(column.part(2, 6).take(slice(0, 1)), x[2:3])
    np.testing.assert_array_equal(column.numpy(), x)
    assert column.take(INDEX).dtype == torch.float32
    assert not column.take(INDEX).requires_grad


def test_nothing_is_copied_where_nothing_must_be(model, x):
    (tensor,) = inputs_for(model, x)
    assert tensor.data_ptr() == x.ctypes.data


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "float16", "float64"])
def test_dtypes_become_that_of_the_input(model, dtype):
    (tensor,) = inputs_for(model, np.ones((2, 4), dtype))
    assert tensor.dtype == torch.float32


def test_integer_inputs_stay_integers():
    a = Input((4,), dtype="int32")
    (tensor,) = inputs_for(Container(a, Activation("linear")(a)), np.ones((2, 4)))
    assert tensor.dtype == torch.int32


def test_objects_that_are_numbers(model):
    (tensor,) = inputs_for(model, np.array([[1, 2.5, True, np.float32(4)]], object))
    assert tensor.tolist() == [[1.0, 2.5, 1.0, 4.0]]


def test_an_array_of_rank_1_becomes_one_column():
    model = SequentialContainer([Dense(3, input_dim=1)])
    assert inputs_for(model, np.ones(5))[0].shape == (5, 1)
    assert inputs_for(model, [1.0, 2.0])[0].shape == (2, 1)


def test_a_column_without_a_dtype_leaves_numbers_as_they_are():
    assert Column(np.arange(3, dtype=np.int16), None, CPU).take(slice(None)).dtype == torch.int16


def test_unknown_lengths_take_any():
    model = Container(a := Input((None, 4)), Dense(2)(a))
    assert inputs_for(model, np.ones((2, 7, 4)))[0].shape == (2, 7, 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((5, 3)), r"Model 'net', input 'dense_input_1': expected shape \(None, 4\). Received: \(5, 3\)"),
        (np.ones((5, 4, 1)), r"expected shape \(None, 4\). Received: \(5, 4, 1\)"),
        (np.ones(4), r"expected shape \(None, 4\). Received: \(4, 1\)"),
        (np.float32(1), "Received: a single number"),
        (np.array([["a"] * 4]), "expected numbers. Received: an array of dtype <U1"),
        (np.array([["1", "2", "3", "4"]], object), "expected numbers. Received: an array of dtype object"),
        (np.array([[1, 2, 3, None]], object), "expected numbers. Received: an array of dtype object"),
        (np.array([[1, 2, 3, 4], [1]], object), "expected numbers. Received: an array of dtype object"),
        ([[1, 2, 3, 4], [1]], "rows have different lengths. Pad them"),
        ([], r"expected shape \(None, 4\)"),
        ([np.ones((5, 4)), np.ones((5, 4))], r"has 1 inputs \(.*Received: 2 \(shape \(5, 4\), shape \(5, 4\)\)"),
        ({"other": np.ones((5, 4))}, "no data was given for input .*Received: other"),
        (None, "no data was given for input .*Received: None"),
    ],
)
def test_data_that_does_not_fit(model, data, message):
    with pytest.raises(DataError, match=message):
        input_columns(model, data)


def test_a_sample_without_its_batch_axis():
    model = Container(a := Input((28, 28, 1)), Flatten()(a))
    with pytest.raises(DataError, match=r"A single sample needs a batch axis: x\[None\]"):
        input_columns(model, np.ones((28, 28, 1)))


def test_arrays_of_different_numbers_of_rows():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    model = Container([a, b], [Dense(1)(a), Dense(1)(b)], name="two")
    with pytest.raises(DataError, match=r"'two': all arrays must have the same number of rows. Received: 'a' 3, 'b' 4"):
        input_columns(model, [np.ones((3, 2)), np.ones((4, 2))])
    with pytest.raises(DataError, match=r"'two' has 2 inputs \(a, b\); a list needs an array for each. Received: 1"):
        input_columns(model, np.ones((3, 2)))
