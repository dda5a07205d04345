"""Tables of which a batch uses some rows are trained as by gradients of all rows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import DataError
from bigdl.graph import Input
from bigdl.keras import optimizers
from bigdl.keras.constraints import maxnorm
from bigdl.keras.layers import GRU, Dense, Embedding, Flatten, merge
from bigdl.keras.models import Model
from bigdl.native import kernels
from bigdl.training.optimizers import Optimizer
from bigdl.training.optimizers.native import OnePass, Pieces

WORDS, SIZE, STEPS = 701, 12, 5
RANDOM = np.random.RandomState(0)
X = RANDOM.randint(0, WORDS, (48, STEPS))
X[:, 0] = X[:, 2] = 3  # a word that each sample has twice, beside those that only some have
Y = RANDOM.rand(48, 2)


def embedded(head: Callable[[Any], Any], **options: Any) -> Any:
    x = Input((STEPS,), dtype="int32")
    return Model(x, Dense(2)(head(Embedding(WORDS, SIZE, **options)(x))))


def used_twice() -> Any:
    x = Input((STEPS,), dtype="int32")
    embedding = Embedding(WORDS, SIZE)
    inner = Model(x, Flatten()(embedding(x)))
    both = merge([inner(x), GRU(3)(embedding(x))], mode="concat")
    return Model(x, Dense(2)(both))


NETS: dict[str, Callable[[], Any]] = {
    "flat": lambda: embedded(Flatten()),
    "masked": lambda: embedded(GRU(4), mask_zero=True),
    "dropped": lambda: embedded(Flatten(), dropout=0.3),
    "limited": lambda: embedded(Flatten(), W_constraint=maxnorm(0.1)),
    "in bfloat16": lambda: embedded(Flatten()),
}


def trained(net: Callable[[], Any], optimizer: Any, **options: Any) -> list[np.ndarray]:
    """Returns the weights after three epochs, and the optimizer's state."""
    np.random.seed(5)  # noqa: NPY002 - Keras's generator
    torch.manual_seed(5)
    model = net()
    model.compile(optimizer, "mse", **options)
    model.fit(X, Y, batch_size=16, nb_epoch=3, verbose=0)
    return [*model.get_weights(), *model.optimizer.get_weights()]


@pytest.fixture
def tables(monkeypatch) -> list[torch.Size]:
    """The shapes of the gradients of rows that were taken."""
    taken: list[torch.Size] = []
    move = OnePass.move

    def moved(rule: OnePass, pieces: Pieces, gradients: Sequence[torch.Tensor]) -> None:
        taken.extend(gradient.shape for gradient in gradients if gradient.is_sparse)
        move(rule, pieces, gradients)

    monkeypatch.setattr(OnePass, "move", moved)
    return taken


@pytest.fixture
def plainly(monkeypatch) -> Callable[..., list[np.ndarray]]:
    """Trains by gradients of all rows."""

    def train(*arguments: Any, **options: Any) -> list[np.ndarray]:
        with monkeypatch.context() as patch:
            patch.setattr(Optimizer, "takes_table", lambda *_: False)
            return trained(*arguments, **options)

    return train


needs_kernels = pytest.mark.skipif(kernels() is None, reason="the kernels were not built")
OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optimizers.SGD(0.1),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True, decay=0.1),
    "rmsprop": optimizers.RMSprop,
    "adagrad": optimizers.Adagrad,
    "adadelta": optimizers.Adadelta,
    "adam": lambda: optimizers.Adam(decay=0.01),
}


@needs_kernels
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer(optimizer, tables, plainly):
    ours = trained(NETS["flat"], OPTIMIZERS[optimizer]())
    assert tables == [(WORDS, SIZE)] * 9
    for one, other in zip(ours, plainly(NETS["flat"], OPTIMIZERS[optimizer]()), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(tables) == 9


@needs_kernels
@pytest.mark.parametrize("net", NETS)
def test_every_kind_of_net(net, tables, plainly):
    options = {"precision": "bf16"} if net == "in bfloat16" else {}
    ours = trained(NETS[net], "adam", **options)
    assert len(tables) == 9
    for one, other in zip(ours, plainly(NETS[net], "adam", **options), strict=True):
        np.testing.assert_array_equal(one, other)


@needs_kernels
def test_a_table_that_is_used_twice(tables, plainly):
    ours = trained(used_twice, "adam")
    assert len(tables) == 9
    # Adam's first steps are as large for a gradient of rounding errors as for any other.
    for one, other in zip(trained(used_twice, "sgd"), plainly(used_twice, "sgd"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    assert all(np.isfinite(array).all() for array in ours)


def frozen() -> Any:
    return embedded(Flatten(), trainable=False)


@pytest.mark.parametrize(
    ("net", "optimizer", "options"),
    [
        (NETS["flat"], lambda: optimizers.Adam(clipnorm=0.01), {}),
        (NETS["flat"], lambda: optimizers.SGD(0.1, clipvalue=0.001), {}),
        (NETS["flat"], lambda: optimizers.Adam(weight_decay=0.1), {}),
        (NETS["flat"], optimizers.Nadam, {}),
        (NETS["flat"], optimizers.Adam, {"lr_multipliers": {"embedding*": 0.5}}),
        (lambda: embedded(Flatten(), W_regularizer="l2"), optimizers.Adam, {}),
        (frozen, optimizers.Adam, {}),
    ],
    ids=["clipnorm", "clipvalue", "weight_decay", "nadam", "multiplier", "regularizer", "frozen"],
)
def test_gradients_of_all_rows_where_something_needs_them(net, optimizer, options, tables, plainly):
    ours = trained(net, optimizer(), **options)
    assert not tables
    for one, other in zip(ours, plainly(net, optimizer(), **options), strict=True):
        np.testing.assert_array_equal(one, other)


@needs_kernels
def test_an_optimizer_of_the_users_own_gets_gradients_of_all_rows(tables):
    class Halved(optimizers.Adam):
        def rule(self) -> Any:
            rule = super().rule()
            return lambda p, g, *beside: rule(p, g.reshape(-1) / 2, *beside)

    ours = trained(NETS["flat"], Halved())
    assert not tables
    assert all(np.isfinite(array).all() for array in ours)


@needs_kernels
def test_gradients_of_both_kinds_in_turn(tables, monkeypatch):
    def train(takes: list[bool]) -> list[np.ndarray]:
        torch.manual_seed(5)
        model = NETS["flat"]()
        model.compile("adam", "mse")
        for one in takes:
            with monkeypatch.context() as patch:
                if not one:
                    patch.setattr(Optimizer, "takes_table", lambda *_: False)
                model.train_on_batch(X, Y)
        return [*model.get_weights(), *model.optimizer.get_weights()]

    ours = train([False, True, False, True])
    assert len(tables) == 2
    for one, other in zip(ours, train([False] * 4), strict=True):
        np.testing.assert_array_equal(one, other)


def before_a_chain() -> Any:
    return embedded(lambda x: Dense(8, activation="relu")(Flatten()(x)))


@needs_kernels
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_gradients_that_stay_where_they_are(optimizer, tables, plainly):
    ours = trained(before_a_chain, OPTIMIZERS[optimizer]())
    assert len(tables) == 2  # the step that is recorded, and the first one that is not
    for one, other in zip(ours, plainly(before_a_chain, OPTIMIZERS[optimizer]()), strict=True):
        np.testing.assert_array_equal(one, other)


@needs_kernels
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_batches_of_several_sizes(dtype, monkeypatch):
    def train() -> list[np.ndarray]:
        torch.manual_seed(5)
        x = Input((STEPS,), dtype=dtype)
        model = Model(x, Dense(2)(Dense(8, activation="tanh")(Flatten()(Embedding(WORDS, SIZE)(x)))))
        model.compile("adam", "mse")
        given = X.astype(dtype) + (0.75 if dtype == "float32" else 0)  # of fractions the whole part counts
        for rows in (5, 5, 7, 5, 5, 7, 7):
            model.train_on_batch(given[:rows], Y[:rows])
        return [*model.get_weights(), *model.optimizer.get_weights()]

    ours = train()
    monkeypatch.setattr(Optimizer, "takes_table", lambda *_: False)
    for one, other in zip(ours, train(), strict=True):
        np.testing.assert_array_equal(one, other)


@needs_kernels
@pytest.mark.parametrize("number", [WORDS, -1, 2**31 - 1])
def test_a_number_without_a_row_after_some_steps(number):
    model = before_a_chain()
    model.compile("adam", "mse")
    for _ in range(3):
        model.train_on_batch(X, Y)
    before = model.get_weights()
    wrong = X.copy()
    wrong[7, 1] = number
    with pytest.raises(DataError, match=rf"takes numbers from 0 to {WORDS - 1}.*Received"):
        model.train_on_batch(wrong, Y)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    model.train_on_batch(X, Y)


@needs_kernels
def test_a_gradient_that_others_have_changed():
    model, other = (Model(x, Embedding(6, 2)(x)) for x in (Input((2,), dtype="int32") for _ in range(2)))
    other.set_weights(model.get_weights())
    moving, plain = optimizers.SGD(1.0), optimizers.SGD(1.0)
    moving.bind(model.trainable_weights)
    plain.bind(other.trainable_weights)
    (table,), (expected,) = model.parameters(), other.parameters()
    values = torch.ones(2, 2)
    gradient = torch.sparse_coo_tensor(torch.tensor([[1, 4]]), values, (6, 2), check_invariants=True)
    table.grad = gradient
    changes: list[Callable[[], Any]] = [
        values.sum,
        values.sum,
        lambda: gradient.mul_(3),
        values.zero_,
        lambda: gradient.add_(gradient),
    ]
    for change in changes:
        change()
        moving.step()
        expected.grad = gradient.to_dense()
        plain.step()
        torch.testing.assert_close(table, expected, rtol=0, atol=0)
