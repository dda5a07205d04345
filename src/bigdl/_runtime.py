"""How this process waits and keeps memory; settled before torch starts, without importing it.

- Threads that wait for work sleep (``OMP_WAIT_POLICY=PASSIVE``) after a moment, as waking them takes longer than most
  of what is divided among threads (``GOMP_SPINCOUNT``, of GCC's OpenMP). Where another process wants the cores, threads
  that never sleep made training three times slower; on an idle machine those that always do, by a quarter.
- Large tensors lie on large pages where the system offers them (``THP_MEM_ALLOC_ENABLE``, read by torch): what goes
  through all of a tensor, as most of a network does, looks up fewer of them.
- The C library keeps freed memory instead of giving it back after each step (glibc's ``mallopt``): the activations of
  the next step then need no fresh pages.

The first two take effect only if torch is not imported yet. Whatever the user has set stays as it is; ``BIGDL_TUNE=0``
in the environment switches all of it off.
"""

import ctypes
import os
import sys

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

_SPINS = "5000"  # some 0.2 milliseconds
_MMAP_THRESHOLD = 1 << 30
_TRIM_THRESHOLD = 1 << 29


def tune() -> None:
    """Applies the settings, each unless the user has made it."""
    if os.environ.get("BIGDL_TUNE") == "0":
        return
    if "torch" not in sys.modules:
        if "OMP_WAIT_POLICY" not in os.environ:
            os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
            os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
        os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    chosen_by_user = any(name.startswith("MALLOC_") for name in os.environ) or "GLIBC_TUNABLES" in os.environ
    if not sys.platform.startswith("linux") or chosen_by_user or os.environ.get("LD_PRELOAD"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD)
    mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
