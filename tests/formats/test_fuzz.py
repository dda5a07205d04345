"""Damaged files: whatever the damage, they are read or refused with a ``FormatError``, in bounded time."""

import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigdl.errors import FormatError
from bigdl.formats import read_definition, read_model, write_native
from bigdl.formats.spec import LayerArrays, StoredArray

DATA = Path(__file__).parent / "data"
JSON = [path.read_text() for path in sorted(DATA.glob("*/*.json"))]
YAML = [path.read_bytes() for path in sorted(DATA.glob("*/*.yaml"))]
HDF5 = [path.read_bytes() for path in (DATA / "1.2.2" / "trained.h5", DATA / "0.3.3" / "sequence.h5")]


def other_hdf5() -> bytes:
    """Returns a weights file in HDF5's newest format, with chunks and compression."""
    data = io.BytesIO()
    with h5py.File(data, "w", libver="latest") as file:
        file.attrs["layer_names"] = ["d"]
        group = file.create_group("d")
        group.attrs["weight_names"] = np.array([b"a", b"b"])
        group.create_dataset("a", data=np.zeros((50, 50)), compression="gzip", shuffle=True, fletcher32=True)
        group.create_dataset("b", data=np.ones((10, 10)), chunks=(3, 3), maxshape=(None, 10))
    return data.getvalue()


HDF5.append(other_hdf5())

fuzz = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
pytestmark = pytest.mark.timeout(60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["Merge", "Model", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the way to every value inside ``value``."""
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += places(child, (*path, key))
    return found


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A definition with some values removed, replaced or doubled."""
    value = json.loads(draw(st.sampled_from(JSON)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(value) or [()]))
        if not path:
            break
        parent, key = at(value, path[:-1]), path[-1]
        match draw(st.sampled_from(["remove", "replace", "copy"])):
            case "remove":
                del parent[key]
            case "replace":
                parent[key] = draw(VALUES)
            case "copy":
                parent[key] = json.loads(json.dumps(at(value, draw(st.sampled_from(places(value))))))
    return json.dumps(value)


@st.composite
def damaged(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """A file cut short, or with some bytes changed."""
    data = bytearray(draw(st.sampled_from(originals)))
    if draw(st.booleans()):
        return bytes(data[: draw(st.integers(0, len(data)))])
    for _ in range(draw(st.integers(1, 8))):
        place = draw(st.integers(0, len(data) - 1))
        data[place] = draw(st.integers(0, 255))
    return bytes(data)


def refusal(read: Callable[[], object]) -> str | None:
    """Returns the message of the ``FormatError``, None where the file was read; nothing else may come out."""
    try:
        read()
    except FormatError as error:
        return str(error)
    return None


def read_all(*arguments: Path) -> None:
    with read_model(*arguments) as spec:
        for layer in spec.weights or ():
            for array in layer.arrays:
                assert array.read().shape == array.shape
        for array in spec.training.optimizer_arrays if spec.training is not None else ():
            array.read()


def read_or_refuse(path: Path) -> None:
    for arguments in ((path,), (DATA / "1.2.2" / "nested.json", path)):
        message = refusal(partial(read_all, *arguments))
        assert message is None or str(path) in message


@fuzz
@given(text=mutated() | damaged(YAML + [text.encode() for text in JSON]))
def test_damaged_definitions(text):
    message = refusal(lambda: read_definition(text, "m"))
    assert message is None or message.startswith("m")


@fuzz
@given(data=damaged(HDF5))
def test_damaged_hdf5(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzz.h5"
    path.write_bytes(data)
    read_or_refuse(path)


@pytest.fixture(scope="module")
def native(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("fuzz") / "m.bigdl"
    with read_model(DATA / "1.2.2" / "trained.h5") as spec:
        assert spec.weights is not None
        layers = [
            LayerArrays(layer.name, tuple(StoredArray.of(array.name, array.read()) for array in layer.arrays))
            for layer in spec.weights
        ]
        write_native(path, "Sequential", json.loads(JSON[-1])["config"], layers, spec.training)
    data: bytes = path.read_bytes()
    return data


@fuzz
@given(draw=st.data())
def test_damaged_native(draw, native, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzz.bigdl"
    path.write_bytes(draw.draw(damaged([native])))
    read_or_refuse(path)
