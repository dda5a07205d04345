"""Networks drawn at random are predicted as their layers compute them one after the other, and trained likewise."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.graph.tensor import as_list
from bigdl.keras.optimizers import SGD
from bigdl.programs import DirectNetwork
from tests.programs.nets import plain, rows_for
from tests.programs.random_nets import random_net

SEEDS, AT_ONCE = 160, 8


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_random_networks_compute_what_their_layers_do(first):
    models = {seed: random_net(seed) for seed in range(first, first + AT_ONCE)}
    assert any(models.values())
    for seed, model in models.items():
        if model is None:
            continue
        for rows, batch_size in ((3, 32), (1, 1), (3, 32), (7, 3), (40, 40)):
            x = rows_for(model, rows)
            for y, expected in zip(as_list(model.predict(x, batch_size=batch_size)), plain(model, x), strict=True):
                scale = max(1.0, float(np.abs(expected).max()))
                np.testing.assert_allclose(y, expected, rtol=2e-4, atol=2e-5 * scale, err_msg=f"seed {seed}")


def trained(model: Any, rows: int, monkeypatch: pytest.MonkeyPatch, recorded: bool) -> tuple[list[Any], int]:
    """Returns the weights after some steps, and how many of these torch did not record."""
    weights, runs, run = model.get_weights(), [0], DirectNetwork.run

    def counted(self: DirectNetwork, inputs: Any) -> Any:
        runs[0] += 1
        return run(self, inputs)

    targets = [np.ones_like(y) for y in plain(model, rows_for(model, rows))]
    with monkeypatch.context() as patch:
        patch.setattr(DirectNetwork, "run", counted)
        if recorded:
            patch.setattr(DirectNetwork, "takes", lambda *_: False)
        torch.manual_seed(3)
        model.compile(SGD(0.01, clipnorm=1.0), "mse")
        for _ in range(3):
            model.train_on_batch(rows_for(model, rows), targets)
    after = model.get_weights()
    model.set_weights(weights)
    return after, runs[0]


@pytest.mark.parametrize("first", range(0, SEEDS, 4 * AT_ONCE))
def test_random_networks_are_trained_as_torchs_record_trains_them(first, monkeypatch):
    direct = 0
    for seed in range(first, first + 4 * AT_ONCE):
        model = random_net(seed)
        if model is None or not model.trainable_weights:
            continue
        found, runs = trained(model, 5, monkeypatch, recorded=False)
        expected, none = trained(model, 5, monkeypatch, recorded=True)
        direct += runs
        assert none == 0
        for ours, theirs in zip(found, expected, strict=True):
            scale = max(1.0, float(np.abs(theirs).max(initial=0)))
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6 * scale, err_msg=f"seed {seed}")
    assert direct
