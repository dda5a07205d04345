"""Training, evaluation and prediction of a graph of layers."""

from bigdl.training.curves import plot_history as plot_history
from bigdl.training.data import inputs_for as inputs_for
from bigdl.training.inference import predict as predict
from bigdl.training.inference import predict_class as predict_class
from bigdl.training.inference import predict_on_batch as predict_on_batch
