"""How fast the library is beside its peers: ``make bench``. What each module does is told in docs/benchmarks.md.

The modules that the processes of peers import (``worker``, ``workloads``, ``nets``, ``builders``) are written for
Python 3.6 too, that of the original Keras.
"""
