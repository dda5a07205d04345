import gzip

import numpy as np
import pytest

from bigdl.data.idx import parse_idx, unpack
from bigdl.errors import FormatError

# Two images of 1 x 3 pixels, byte by byte as http://yann.lecun.com/exdb/mnist/ describes the format.
IMAGES = bytes.fromhex("00000803 00000002 00000001 00000003 000102 fdfeff")


def test_parse_idx_reads_shape_and_pixels():
    images = parse_idx(IMAGES, 3, "images")
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, [[[0, 1, 2]], [[253, 254, 255]]])


def test_parse_idx_gives_an_array_of_its_own():
    images = parse_idx(IMAGES, 3, "images")
    images[0] = 7
    assert parse_idx(IMAGES, 3, "images")[0, 0, 0] == 0


def test_parse_idx_without_records():
    assert parse_idx(bytes.fromhex("00000801 00000000"), 1, "labels").shape == (0,)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["expected the magic number 2051", "a file of 0 bytes"]),
        (IMAGES[:10], ["expected an idx header of 16 bytes", "10 bytes"]),
        (IMAGES[:-1], ["(2, 1, 3)", "22 bytes in all", "has 21 bytes"]),
        (IMAGES + b"\0", ["22 bytes in all", "has 23 bytes"]),
        (bytes.fromhex("00000801 00000002 0102 000000000000"), ["expected the magic number 2051", "received 2049"]),
        (b"<html>not found here</html>", ["expected the magic number 2051"]),
        (bytes.fromhex("00000803 ffffffff ffffffff ffffffff"), ["damaged or incomplete", "16 bytes"]),
    ],
)
def test_parse_idx_refuses(content, words):
    with pytest.raises(FormatError) as raised:
        parse_idx(content, 3, "some-images")
    for word in ["some-images", *words]:
        assert word in str(raised.value)


def test_unpack_packed_and_plain():
    assert unpack(gzip.compress(IMAGES), "images.gz") == IMAGES
    assert unpack(IMAGES, "images") == IMAGES


# Without the time, which would be in the names of the tests.
PACKED = gzip.compress(IMAGES, mtime=0)


@pytest.mark.parametrize("damaged", [PACKED[:-9], PACKED[:2], PACKED[:12] + b"\xff\xff\xff" + PACKED[15:]])
def test_unpack_refuses_damaged_gzip(damaged):
    with pytest.raises(FormatError, match=r"images.gz: damaged or incomplete gzip file"):
        unpack(damaged, "images.gz")
