"""Keras 1.2.2's callbacks."""

from bigdl.training.callbacks.backup import BackupAndRestore as BackupAndRestore
from bigdl.training.callbacks.base import Callback as Callback
from bigdl.training.callbacks.base import CallbackList as CallbackList
from bigdl.training.callbacks.base import LambdaCallback as LambdaCallback
from bigdl.training.callbacks.loggers import BaseLogger as BaseLogger
from bigdl.training.callbacks.loggers import CSVLogger as CSVLogger
from bigdl.training.callbacks.loggers import History as History
from bigdl.training.callbacks.loggers import ProgbarLogger as ProgbarLogger
from bigdl.training.callbacks.monitors import EarlyStopping as EarlyStopping
from bigdl.training.callbacks.monitors import LearningRateScheduler as LearningRateScheduler
from bigdl.training.callbacks.monitors import ModelCheckpoint as ModelCheckpoint
from bigdl.training.callbacks.monitors import ReduceLROnPlateau as ReduceLROnPlateau
from bigdl.training.callbacks.remote import RemoteMonitor as RemoteMonitor
from bigdl.training.callbacks.tensorboard import TensorBoard as TensorBoard
