"""Whole sequences in one go: the same numbers as step by step, several times as fast.

There are two kernels: ``native`` in C++ (``csrc/``), and ``stepwise`` in Python, for training where that was not built
and with activations that it lacks. Both have a gradient written by hand.
"""

from bigdl.layers.recurrent.kernels.choice import kernel_for as kernel_for
from bigdl.layers.recurrent.kernels.whole import run_whole as run_whole
