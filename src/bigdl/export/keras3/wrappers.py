"""The same layer at every step."""

from __future__ import annotations

from collections.abc import Sequence

from bigdl.export.keras3.core import common, output_shape
from bigdl.export.keras3.dispatch import built
from bigdl.export.keras3.entries import Entry, Tensor
from bigdl.export.keras3.masks import Masks, without_mask
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import OTHERWISE
from bigdl.export.refusals import refused
from bigdl.graph import Layer
from bigdl.layers import BatchNormalization, TimeDistributed
from bigdl.layers.normalization import FEATURE_WISE_BY_BATCH


@CONVERTERS.of(TimeDistributed)
def time_distributed(network: Network, layer: TimeDistributed, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``TimeDistributed``, around a model where the layer inside is made of several.

    Restrictions:
        A layer inside whose result depends on the whole batch (`BatchNormalization` of mode 2) is refused.
    """
    inner = layer.layer
    parts = [part for part in inner.modules() if isinstance(part, BatchNormalization)]
    if any(part.mode == FEATURE_WISE_BY_BATCH for part in parts):
        why = "normalizes by the batch inside (BatchNormalization of mode 2), which Keras 3 does step by step"
        raise refused(layer, why, OTHERWISE)
    x = inputs[0]
    step = (x.shape[0], *x.shape[2:])
    inside, _ = built(inner, Network(inner.name, inner.trainable), [(f"{inner.name}_input", step, x.dtype)])
    source = without_mask(network, x, masks[0], layer.name) if _takes_masks(inside) else x
    entry = _around(inside, layer)
    return network.call(entry, source, [output_shape(layer, inputs)])[0]


def _around(inside: Network, layer: Layer) -> Entry:
    """Returns the wrapper of a network: of its only layer, or of the model that it is."""
    chain = inside.chain
    config = common(layer)
    if chain is None or len(chain) != 2 or chain[1].inner is not None:
        return Entry("keras.layers", "TimeDistributed", layer.name, config, inner=inside, inner_part="layer")
    only = chain[1]
    arrays = {"/".join(filter(None, ("layer", part))): stored for part, stored in only.arrays.items()}
    config = {**config, "layer": only.described()}
    return Entry("keras.layers", "TimeDistributed", layer.name, config, arrays, kept=only.kept)


def _takes_masks(inside: Network) -> bool:
    """Tells whether Keras 3 would hand a step's mask on to the layer inside, which has no use for it."""
    kinds = {entry.class_name for entry in inside.entries.values()} - {"InputLayer"}
    return not kinds <= {"Dense", "Activation", "Dropout", "Flatten", "Conv1D", "Conv2D", "Conv3D", "Embedding"}
