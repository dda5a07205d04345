"""The original Keras 1.2.2 on TensorFlow 1."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow

from benchmarks.runners.keras1 import Keras1Runner
from benchmarks.workloads import Workload


class Runner(Keras1Runner):
    """See ``Keras1Runner``; it has no options."""

    def __init__(self, workload: Workload, options: str = "") -> None:
        threads = len(os.sched_getaffinity(0))
        config = tensorflow.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        keras.backend.set_session(tensorflow.Session(config=config))
        super().__init__("keras", workload)
        self.versions = {"keras": keras.__version__, "tensorflow": tensorflow.__version__}
