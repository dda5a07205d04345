"""Keras 1.2.2's ``layers.recurrent``."""

from bigdl.layers import GRU, LSTM, SimpleRNN
from bigdl.layers.recurrent.base import Recurrent

__all__ = ["GRU", "LSTM", "Recurrent", "SimpleRNN"]
