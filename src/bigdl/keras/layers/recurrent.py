"""Keras 1.2.2's ``layers.recurrent``."""

from bigdl.layers import GRU, LSTM, SimpleRNN
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer
from bigdl.layers.custom_recurrent import KerasRecurrent as Recurrent

__all__ = ["GRU", "LSTM", "InputSpec", "Layer", "Recurrent", "SimpleRNN"]
