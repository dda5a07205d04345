"""BigDL's ``bigdl.dlframes.dl_classifier``."""

from bigdl.pipelines.dl_classifier import DLClassifier, DLClassifierModel, DLEstimator, DLModel

__all__ = ["DLClassifier", "DLClassifierModel", "DLEstimator", "DLModel"]
