"""What every layer must do, whatever it computes."""

import json
from typing import TypeVar

import torch
from torch.func import functional_call

from bigdl.graph import Layer
from bigdl.registry import make_layer

L = TypeVar("L", bound=Layer)

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def built(layer: L, *shape: int | None) -> L:
    """Gives a layer its weights, for samples of this shape; biases and the like are random too."""
    layer.ensure_built((None, *shape))
    for weight in layer.weights:
        weight.assign(torch.rand(weight.shape) + 0.5)
    return layer


def assert_gradients(layer: Layer, *shape: int, samples: int = 2) -> None:
    """Compares the gradients with numerical ones, in double precision."""
    layer = built(layer, *shape).double()
    names = [name for name, _ in layer.named_parameters()]
    x = torch.randn(samples, *shape, dtype=torch.float64, requires_grad=True)

    def run(x, *parameters):
        torch.manual_seed(0)
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *layer.parameters()), fast_mode=True)


def assert_round_trip(layer: Layer, *shape: int) -> None:
    """Makes the layer again from its configuration as JSON, and compares what the two are and compute."""
    config = json.loads(json.dumps(layer.get_config()))
    copy = make_layer(type(layer).__name__, config)
    assert type(copy) is type(layer)
    assert json.loads(json.dumps(copy.get_config())) == config
    built(layer, *shape).eval()
    built(copy, *shape).eval().set_weights(layer.get_weights())
    x = torch.randn(2, *shape)
    y = layer(x)
    assert torch.equal(copy(x), y)
    assert layer.get_output_shape_for((2, *shape)) == tuple(y.shape)


def assert_channels_last_stays(layer: Layer, *shape: int) -> None:
    """Checks that nothing leaves the order in which channels-last data lies in memory."""
    y = built(layer, *shape)(torch.randn(2, *shape))
    assert y.is_contiguous()
