import numpy as np
import pytest

from bigdl.errors import DataError
from bigdl.training.sample import JTensor, Sample


def test_arrays_there_and_back():
    array = np.arange(6.0).reshape(2, 3)
    tensor = JTensor.from_ndarray(array)
    assert tensor is not None
    assert tensor.shape == (2, 3)
    assert tensor.storage.dtype == np.float32
    np.testing.assert_array_equal(tensor.to_ndarray(), array)
    assert JTensor.from_ndarray(None) is None
    single = JTensor.from_ndarray(np.array(3.0))
    assert single is not None
    assert single.to_ndarray() == [3.0]


@pytest.mark.parametrize("label", [2, 2.0, np.float32(2), np.array(2), np.array([2])])
def test_a_label_may_be_a_number(label):
    sample = Sample.from_ndarray(np.ones((2, 2)), label)
    assert sample.feature.shape == (2, 2)
    np.testing.assert_array_equal(sample.label.to_ndarray(), [2.0])


def test_several_features_and_labels():
    sample = Sample.from_ndarray([np.ones(2), np.ones(3)], [np.ones(1), np.zeros(4)])
    assert [tensor.shape for tensor in sample.features] == [(2,), (3,)]
    assert [tensor.shape for tensor in sample.labels] == [(1,), (4,)]


def test_jtensors_as_they_are():
    tensor = JTensor(np.ones(4), (2, 2))
    sample = Sample.from_jtensor(tensor, [tensor])
    assert sample.feature is sample.label is tensor


def test_what_is_no_array():
    with pytest.raises(DataError, match=r"features must be NumPy arrays. Received: int"):
        Sample.from_ndarray(3, 1)
    with pytest.raises(DataError, match=r"labels must be NumPy arrays. Received: str"):
        Sample.from_ndarray(np.ones(2), ["one", np.ones(2)])
    with pytest.raises(DataError, match=r"needs a NumPy array. Received: list"):
        JTensor.from_ndarray([1.0])  # type: ignore[arg-type]
