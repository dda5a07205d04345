"""BigDL's ``bigdl.keras.converter``: from Keras's models and layers to this library's, in steps."""

from bigdl.models.converter import DefinitionLoader, LayerConverter, WeightLoader, WeightsConverter
from bigdl.registry import register_layer

__all__ = ["DefinitionLoader", "LayerConverter", "WeightLoader", "WeightsConverter", "register_layer"]
