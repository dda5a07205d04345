"""SimpleRNN, GRU and LSTM: one loop over time, one cell for each."""

from bigdl.layers.recurrent.base import Recurrent as Recurrent
from bigdl.layers.recurrent.gru import GRU as GRU
from bigdl.layers.recurrent.lstm import LSTM as LSTM
from bigdl.layers.recurrent.sequence import Cell as Cell
from bigdl.layers.recurrent.sequence import State as State
from bigdl.layers.recurrent.sequence import run_sequence as run_sequence
from bigdl.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN
