"""The library of the kernels: whether it is there, and what is used where it is not."""

import os
import shutil

import pytest

from bigdl.native import LIBRARY, Library, kernels


@pytest.fixture
def looked_for_anew():
    """Forgets the library that was found, before and after."""
    kernels.cache_clear()
    yield
    kernels.cache_clear()


def test_it_is_built_where_there_is_a_compiler():
    compiler = shutil.which(os.environ.get("CXX", "c++")) or shutil.which("g++") or shutil.which("clang++")
    assert (kernels() is None) == (compiler is None or os.environ.get("BIGDL_NATIVE") == "0")


def test_the_best_instruction_set_is_used():
    found = kernels()
    if found is None:
        pytest.skip("the kernels were not built")
    assert found.set == len(found.instruction_sets) - 1
    assert [Library(LIBRARY, name).set for name in found.instruction_sets] == [*range(found.set + 1)]


def test_there_is_none_where_none_was_built(looked_for_anew, monkeypatch, tmp_path):
    monkeypatch.setattr("bigdl.native.library.LIBRARY", tmp_path / "missing.so")
    assert kernels() is None


def test_there_is_none_where_it_is_damaged(looked_for_anew, monkeypatch, tmp_path):
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(b"no library")
    monkeypatch.setattr("bigdl.native.library.LIBRARY", damaged)
    assert kernels() is None


def test_there_is_none_where_none_is_wanted(looked_for_anew, monkeypatch):
    monkeypatch.setenv("BIGDL_NATIVE", "0")
    assert kernels() is None
