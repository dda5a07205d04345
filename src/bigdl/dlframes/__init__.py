"""BigDL's ``bigdl.dlframes``: its estimators and transformers, and those named after Keras."""

from bigdl.pipelines.dl_classifier import DLClassifier, DLClassifierModel, DLEstimator, DLModel
from bigdl.pipelines.keras import KerasClassifier, KerasClassifierModel, KerasEstimator, KerasTransformer

__all__ = [
    "DLClassifier",
    "DLClassifierModel",
    "DLEstimator",
    "DLModel",
    "KerasClassifier",
    "KerasClassifierModel",
    "KerasEstimator",
    "KerasTransformer",
]
