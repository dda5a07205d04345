"""Training, evaluation and prediction of a graph of layers."""

from bigdl.training.callbacks import Callback as Callback
from bigdl.training.callbacks import History as History
from bigdl.training.compile import Compiled as Compiled
from bigdl.training.curves import plot_history as plot_history
from bigdl.training.data import inputs_for as inputs_for
from bigdl.training.fitting import evaluate as evaluate
from bigdl.training.fitting import fit as fit
from bigdl.training.fitting import test_on_batch as test_on_batch
from bigdl.training.fitting import train_on_batch as train_on_batch
from bigdl.training.generators import evaluate_generator as evaluate_generator
from bigdl.training.generators import fit_generator as fit_generator
from bigdl.training.generators import predict_generator as predict_generator
from bigdl.training.inference import predict as predict
from bigdl.training.inference import predict_class as predict_class
from bigdl.training.inference import predict_on_batch as predict_on_batch
from bigdl.training.labelled import evaluate_methods as evaluate_methods
from bigdl.training.torch_data import endless as endless
from bigdl.training.torch_data import is_torch_data as is_torch_data
from bigdl.training.torch_data import loader_for as loader_for
from bigdl.training.torch_data import rows_of as rows_of
