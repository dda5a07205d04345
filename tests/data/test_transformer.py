import numpy as np

from bigdl.dataset.transformer import normalizer


def test_normalizer_of_bytes_gives_float64():
    result = normalizer(np.array([0, 100, 255], np.uint8), 50, 25)  # 0 - 50 must not wrap around
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, [-2.0, 2.0, 8.2])


def test_normalizer_broadcasts_over_channels():
    data = np.ones((2, 2, 3), np.float32)
    result = normalizer(data, np.array([0, 1, 2], np.float32), np.array([1, 2, 4], np.float32))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result[1, 1], [1, 0, -0.25])
