"""Builds the kernels in C++; everything else is in pyproject.toml.

They are plain C++ behind plain C functions, loaded with ctypes, so that a wheel serves every version of Python and
torch, and none of torch's headers is needed to build one. Without a compiler the package is installed without them.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

SOURCES = [str(path) for path in sorted(Path("csrc").glob("*.cpp"))]
HEADERS = [str(path) for path in sorted(Path("csrc").glob("*.h"))]
OPTIONS = ["-std=c++17", "-O3", "-g0", "-fvisibility=hidden", "-fno-math-errno", "-Wno-psabi"]


class BuildLibrary(build_ext):
    """Builds a library that is no Python module."""

    def get_ext_filename(self, fullname: str) -> str:
        """Returns its path, without a version of Python."""
        return str(Path(*fullname.split("."))) + ".so"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """Returns none: there is no function that initializes a module."""
        return []


class TagLibrary(bdist_wheel):
    """Marks the wheel for every version of Python on this platform."""

    def get_tag(self) -> tuple[str, str, str]:
        """Returns the wheel's tag."""
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=[
        Extension(
            "bigdl.native.libkernels",
            SOURCES,
            depends=HEADERS,
            extra_compile_args=[*OPTIONS, "-pthread"],
            extra_link_args=["-pthread"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": TagLibrary},
)
