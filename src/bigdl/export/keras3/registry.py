"""How layers are written for Keras 3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bigdl.export.converters import Converters
from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.masks import Masks
from bigdl.export.keras3.network import Network

Convert = Callable[[Network, Any, Sequence[Tensor], Masks], Tensor | list[Tensor]]
"""Takes the network, a layer, its inputs and their masks; returns the layer's output, or a list of them."""

CONVERTERS: Converters[Convert] = Converters()
