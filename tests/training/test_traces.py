"""Models of many kinds take the steps that they take in the real Keras 1.2.2."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bigdl.graph import Container
from bigdl.training import losses, objectives, optimizers
from tests.training.goldens import Array, assert_close, build, read_arrays, read_json, tensor

MODELS = read_json("models.json")


def numbered(arrays: dict[str, Array], key: str) -> list[Array]:
    return [arrays[f"{key}{i}"] for i in range(sum(name[0] == key for name in arrays if name != "losses"))]


def per_output(given: Any, model: Container, default: Any) -> list[Any]:
    if isinstance(given, list):
        return given
    return [default if given is None else given] * len(model.outputs)


def loss_of(model: Container, compiled: dict[str, Any], x: list[Tensor], t: list[Tensor], v: list[Tensor]) -> Tensor:
    y, mask = model.run(x if len(x) > 1 else x[0])
    outputs, masks = (y, mask) if len(model.outputs) > 1 else ([y], [mask])
    names = per_output(compiled["loss"], model, None)
    factors = per_output(compiled.get("loss_weights"), model, 1.0)
    total = torch.as_tensor(losses.regularization_loss(model))
    for name, factor, *parts in zip(names, factors, t, outputs, v, masks, strict=True):
        total = total + factor * losses.terms(objectives.get(name), *parts).value
    return total


@pytest.mark.parametrize("name", sorted(MODELS))
def test_twenty_steps(name):
    arrays, compiled = read_arrays(f"models/{name}.npz"), MODELS[name]["compile"]
    model = build(MODELS[name]["definition"])
    weights = list(zip(*numbered(arrays, "w"), strict=True))
    model.set_weights(weights[0])
    model.train()
    optimizer = optimizers.get(compiled["optimizer"])
    optimizer.bind(model.trainable_weights)
    batches = [numbered(arrays, key) for key in "xtv"]
    for step, expected in enumerate(weights[1:]):
        x, t, v = ([tensor(batch[step % len(batch)]) for batch in part] for part in batches)
        model.zero_grad()
        loss = loss_of(model, compiled, x, t, v)
        torch.autograd.backward(loss)
        optimizer.step()
        assert float(loss.detach()) == pytest.approx(arrays["losses"][step], rel=1e-5)
        for ours, theirs in zip(model.get_weights(), expected, strict=True):
            assert_close(ours, theirs)
    assert np.isfinite(arrays["losses"]).all()
