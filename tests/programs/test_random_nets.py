"""Networks drawn at random are predicted as their layers compute them, one after the other."""

import numpy as np
import pytest

from bigdl.graph.tensor import as_list
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
