"""The kernels in C++ (``csrc``), if they were built when the package was installed."""

from bigdl.native.library import LIBRARY as LIBRARY
from bigdl.native.library import Library as Library
from bigdl.native.library import address as address
from bigdl.native.library import among_others as among_others
from bigdl.native.library import kernels as kernels
from bigdl.native.library import own_threads as own_threads
from bigdl.native.library import threads as threads
