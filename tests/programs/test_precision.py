"""bfloat16: results are float32 and near those of float32; weights stay float32."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import DataError
from bigdl.graph.tensor import as_list
from bigdl.programs import fused, program_for
from tests.programs.nets import NETS, made, plain, rows_for, without_dropout

LARGEST = 0.03
"""Of the differences, beside values of about 1: bfloat16 has 8 bits, and errors add up through some layers."""


@pytest.fixture(params=["oneDNN", "torch"])
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(fused, "kernels", lambda: None)


@pytest.mark.parametrize("name", NETS)
def test_predictions_are_near(path, name):
    model = made(name)
    x = rows_for(model, 5)
    exact = plain(model, x)
    differences = 0.0
    for y, expected in zip(as_list(model.predict(x, precision="bf16")), exact, strict=True):
        assert y.dtype == np.float32
        scale = max(1.0, float(np.abs(expected).max()))
        assert np.abs(y - expected).max() / scale < LARGEST
        differences += float(np.abs(y - expected).max())
    assert differences > 0  # it is another precision
    for y, expected in zip(as_list(model.predict(x, precision="float32")), exact, strict=True):
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", NETS)
def test_gradients_point_the_same_way(path, name):
    model = made(name)
    without_dropout(model)
    model.train()
    given = [torch.from_numpy(x) for x in as_list(rows_for(model, 8))]
    gradients: list[Tensor] = []
    for in_bf16 in (False, True):
        program = program_for(model, training=True, in_bf16=in_bf16)
        assert program is not None
        loss = torch.stack([(y - 0.5).square().mean() for y in program.run(given)]).sum()
        assert loss.dtype == torch.float32
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))]))
    exact, low = gradients
    # Where a maximum is taken over all positions, another one may be the largest.
    over_all = name.startswith(("sequences", "text", "largest", "volumes"))
    assert F.cosine_similarity(exact, low, dim=0) > (0.9 if over_all else 0.99)
    assert not torch.equal(exact, low)


def test_weights_and_what_optimizers_keep_stay_float32():
    model = made("residual")
    model.compile(optimizer="adam", loss="mse", precision="bf16")
    y = [np.ones((8, *t.shape[1:])) for t in model.outputs]
    losses = model.fit(rows_for(model, 8), y, nb_epoch=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {array.dtype for array in model.optimizer.get_weights()} == {np.dtype("float32")}


def test_changed_weights_are_seen():
    model = made("lenet")
    x = rows_for(model, 3)
    model.predict(x, precision="bf16")
    model.set_weights([w * 0.5 for w in model.get_weights()])
    np.testing.assert_allclose(model.predict(x, precision="bf16"), plain(model, x)[0], atol=LARGEST)


def test_other_precisions_are_refused():
    model = made("mlp")
    with pytest.raises(DataError, match=r"'float32', 'bf16'.*'fp8'"):
        model.predict(rows_for(model, 1), precision="fp8")
    with pytest.raises(DataError, match="'fp8'"):
        model.compile(optimizer="sgd", loss="mse", precision="fp8")
