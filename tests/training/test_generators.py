"""Training, evaluation and prediction on generators and on torch's data sets."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from bigdl.errors import DataError
from bigdl.layers import Dense, Dropout
from bigdl.models import Sequential
from bigdl.training import Callback

RNG = np.random.default_rng(0)
X, Y = RNG.random((24, 3)), RNG.random((24, 2))


def model() -> Sequential:
    made = Sequential([Dense(2, input_dim=3)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


class Batches:
    """Batches of eight rows without end, which count how many were taken."""

    def __init__(self, size: int = 8, weights: bool = False) -> None:
        self.taken = 0
        self.size = size
        self.weights = weights

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        start = self.taken * self.size % 24
        self.taken += 1
        rows = slice(start, start + self.size)
        item = X[rows], Y[rows]
        return (*item, np.full(self.size, 2.0)) if self.weights else item


def test_fit_generator_trains_as_fit_does():
    one, other = model(), model()
    other.set_weights(one.get_weights())
    expected = one.fit(X, Y, batch_size=8, nb_epoch=3, shuffle=False, verbose=0, validation_data=(X, Y))
    batches = Batches()
    found = other.fit_generator(batches, 24, 3, verbose=0, validation_data=(X, Y))
    assert found is other.history
    assert found.history == expected.history
    assert all(map(np.array_equal, other.get_weights(), one.get_weights()))
    assert batches.taken == 9


def test_no_more_is_taken_than_needed():
    trained, batches, validation = model(), Batches(), Batches()
    trained.fit_generator(batches, 16, 2, verbose=0, validation_data=validation, nb_val_samples=24, max_q_size=50)
    assert (batches.taken, validation.taken) == (4, 6)
    trained.evaluate_generator(batches, 10)
    assert batches.taken == 6
    trained.predict_generator(batches, 8)
    assert batches.taken == 7


def test_evaluation_and_prediction():
    made = model()
    assert made.evaluate_generator(Batches(), 24) == pytest.approx(made.evaluate(X, Y, verbose=0))
    assert made.evaluate_generator(Batches(weights=True), 24)[0] == pytest.approx(2 * made.evaluate(X, Y, verbose=0)[0])
    np.testing.assert_allclose(made.predict_generator(Batches(), 20), made.predict(X)[:20], rtol=1e-6)
    np.testing.assert_allclose(made.predict_generator(iter([X[:8], X[8:16]]), 16), made.predict(X)[:16], rtol=1e-6)


def test_class_weights_and_initial_epoch():
    made = Sequential([Dense(1, input_dim=3)])
    made.compile("sgd", "mse")
    labels = (X[:, :1] > 0.5).astype(float)
    data = itertools.cycle([(X, labels)])
    history = made.fit_generator(data, 24, 5, verbose=0, class_weight={0: 0.0, 1: 1.0}, initial_epoch=3)
    assert history.epoch == [3, 4]


def test_an_epoch_of_too_many_samples():
    with pytest.warns(UserWarning, match="24 samples, more than samples_per_epoch=20"):
        model().fit_generator(Batches(), 20, 1, verbose=0)


def test_what_the_generator_raises_comes_out():
    def broken() -> Iterator[Any]:
        yield X[:8], Y[:8]
        raise KeyError("the file is gone")

    with pytest.raises(KeyError, match="the file is gone"):
        model().fit_generator(broken(), 24, 1, verbose=0)
    with pytest.raises(KeyError, match="the file is gone"):
        model().evaluate_generator(broken(), 24)
    with pytest.raises(KeyError, match="the file is gone"):
        model().predict_generator(broken(), 24)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (iter([(X[:8], Y[:8])]), "ended after 8 of 24 samples"),
        (iter([5]), r"must give \(x, y\).*Received: int"),
        (iter([(X, Y, None, None)]), "Received: tuple of 4"),
        (iter([(X[:, :2], Y)]), "expected shape"),
        (iter([(X[:0], Y[:0])]), "no rows"),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(DataError, match=message):
        model().fit_generator(data, 24, 1, verbose=0)


def test_bad_arguments():
    with pytest.raises(DataError, match="nb_val_samples"):
        model().fit_generator(Batches(), 24, 1, verbose=0, validation_data=Batches())
    with pytest.raises(DataError, match="must be positive"):
        model().predict_generator(Batches(), 0)
    with pytest.raises(DataError, match=r"with each next\(\).* Received: list\."):
        model().fit_generator([(X, Y)], 24, 1, verbose=0)


def test_threads_end():
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    before = threading.active_count()
    model().fit_generator(Batches(), 24, 50, verbose=0, callbacks=[Stop()], max_q_size=2)
    with pytest.raises(DataError):
        model().fit_generator(iter([5]), 24, 1, verbose=0)
    for thread in threading.enumerate():
        if thread.name == "bigdl-prefetch":
            thread.join(timeout=5)
    assert threading.active_count() <= before


def test_callbacks_see_what_is_validated_on():
    class See(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.seen = self.model.validation_data

    see = See()
    model().fit(X, Y, nb_epoch=1, verbose=0, validation_split=0.25, callbacks=[see])
    np.testing.assert_allclose(see.seen[0], X[18:])
    np.testing.assert_allclose(see.seen[1], Y[18:])
    assert see.seen[2].tolist() == [1.0] * 6
    model().fit(X, Y, nb_epoch=1, verbose=0, callbacks=[see])
    assert see.seen is None


def test_torch_data():
    one, other = model(), model()
    other.set_weights(one.get_weights())
    expected = one.fit(X, Y, batch_size=8, nb_epoch=2, shuffle=False, verbose=0, validation_data=(X, Y)).history
    rows = TensorDataset(torch.tensor(X), torch.tensor(Y))
    found = other.fit(rows, batch_size=8, nb_epoch=2, shuffle=False, verbose=0, validation_data=rows).history
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values)
    loader = DataLoader(rows, batch_size=5)
    assert other.evaluate(loader) == pytest.approx(other.evaluate(X, Y, verbose=0))
    np.testing.assert_allclose(other.predict(loader), other.predict(X), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(other.predict(rows, batch_size=-1), other.predict(X), rtol=1e-6, atol=1e-6)


def test_torch_data_is_shuffled_from_the_seed_while_dropout_draws_too():
    rows = TensorDataset(torch.rand(600, 4), torch.rand(600, 1))
    found = []
    for _ in range(4):
        torch.manual_seed(3)
        net: Any = Sequential([Dropout(0.5, input_shape=(4,)), Dense(1)])
        net.compile("sgd", "mse")
        found.append(net.fit(rows, batch_size=2, nb_epoch=3, verbose=0).history["loss"])
    assert found[0] == found[1] == found[2] == found[3]
    assert len(set(found[0])) == 3


def test_loaders_as_generators():
    one, other = model(), model()
    other.set_weights(one.get_weights())
    expected = one.fit(X, Y, batch_size=8, nb_epoch=2, shuffle=False, verbose=0, validation_data=(X, Y)).history
    loader = DataLoader(TensorDataset(torch.tensor(X), torch.tensor(Y)), batch_size=8)
    found = other.fit_generator(loader, len(X), 2, verbose=0, validation_data=loader, nb_val_samples=len(X)).history
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values)
    assert other.evaluate_generator(loader, len(X)) == pytest.approx(other.evaluate(X, Y, verbose=0))
    np.testing.assert_allclose(other.predict_generator(loader, len(X)), other.predict(X), rtol=1e-6, atol=1e-6)


def test_torch_data_of_unknown_length():
    class Stream(IterableDataset[Any]):
        def __iter__(self):
            return iter(zip(X, Y, strict=True))

    with pytest.raises(DataError, match="does not say how many rows"):
        model().fit(Stream(), verbose=0)
    assert model().fit_generator(DataLoader(Stream(), batch_size=8), 2 * len(X), 1, verbose=0).epoch == [0]


def test_a_loader_that_drops_the_last_rows():
    loader = DataLoader(TensorDataset(torch.tensor(X), torch.tensor(Y)), batch_size=10, drop_last=True)
    assert len(model().predict(loader)) == 20


def test_a_loader_without_batches():
    class Liar(Dataset[Any]):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return X[index], Y[index]

    with pytest.raises(DataError, match="gives no batches"):
        model().fit(DataLoader(Liar(), batch_size=3, sampler=[]), verbose=0)
