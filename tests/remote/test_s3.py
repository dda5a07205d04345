"""What is particular to S3: listings that fsspec remembers, buckets, keys in the URI."""

import pytest

from bigdl import files
from bigdl.errors import BigDLError, MissingFileError
from bigdl.models import Model
from tests.remote.conftest import BUCKET, GOLDENS, SECRET

DEFINITION = GOLDENS / "nets" / "lenet.json"


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
def test_another_program_s_change_is_seen(s3, scheme):
    uri = f"{scheme}://{BUCKET}/changed/x"
    assert not files.exists(uri)
    for body in (b"one", b"another"):
        s3.put_object(Bucket=BUCKET, Key="changed/x", Body=body)
        assert files.exists(uri)
        assert files.read_bytes(uri) == body
        with files.local_copy(uri) as path:
            assert path.read_bytes() == body
    s3.delete_object(Bucket=BUCKET, Key="changed/x")
    assert not files.exists(uri)
    with pytest.raises(MissingFileError, match=f"^{scheme}://{BUCKET}/changed/x does not exist"):
        files.read_bytes(uri)


def test_a_missing_bucket_is_named(s3):
    with pytest.raises(MissingFileError, match=r"^s3://nowhere/m\.h5 does not exist"):
        Model.load_keras("s3://nowhere/m.h5")
    with pytest.raises(BigDLError, match=r"^s3://nowhere/m\.h5 cannot be written"):
        files.write_bytes("s3://nowhere/m.h5", b"x")


@pytest.mark.parametrize("bucket", [BUCKET, "nowhere"])
def test_keys_in_the_uri_never_show(s3, bucket, caplog):
    uri = f"s3://user:{SECRET}@{bucket}/no.h5"
    for arguments in ((uri,), (DEFINITION, uri)):
        with pytest.raises(BigDLError, match=rf"s3://{bucket}/no\.h5") as caught:
            Model.load_keras(*arguments)
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None
    with pytest.raises(BigDLError) as caught:
        Model.load_keras(DEFINITION).save(f"s3://user:{SECRET}@nowhere/m.bigdl")
    assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text
