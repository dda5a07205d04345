"""How the time of this library grows with what it is given: slopes in double logarithmic scale."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import log
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks import nets
from benchmarks.builders.keras1 import Keras1Builder
from bigdl.keras.models import load_model

REPEATS = 5
SHORTEST = 0.05
"""Seconds that each repeat takes at least."""

Work = Callable[[], object]
Series = tuple[str, Sequence[int], Callable[[int], Work]]


def _builder() -> Keras1Builder:
    return Keras1Builder("bigdl.keras", "tf")


def _predicting(model: Any, shape: tuple[int, ...], rows: int, words: int = 0) -> Work:
    random = np.random.RandomState(0)
    x = random.randint(1, words, (rows, *shape)) if words else random.uniform(size=(rows, *shape))
    x = x.astype("int32" if words else "float32")
    return lambda: model.predict(x, batch_size=rows)


def _training(model: Any, shape: tuple[int, ...], rows: int, words: int = 0, classes: int = 10) -> Work:
    random = np.random.RandomState(0)
    x = random.randint(1, words, (rows, *shape)) if words else random.uniform(size=(rows, *shape))
    y = np.ones((rows, 1)) if classes == 1 else np.eye(classes)[random.randint(0, classes, rows)]
    model.compile(optimizer="adam", loss="binary_crossentropy" if classes == 1 else "categorical_crossentropy")
    return lambda: model.train_on_batch(x, y)


def _loading(folder: Path, units: int) -> Work:
    path = folder / f"{units}.h5"
    nets.mlp(_builder(), units=units).save(str(path))
    return lambda: load_model(str(path))


def _series(folder: Path) -> list[Series]:
    batches, lengths, depths = (16, 32, 64, 128, 256), (25, 50, 100, 200, 400), (10, 20, 40, 80, 160)
    return [
        ("batch, LeNet predict", batches, lambda n: _predicting(nets.lenet(_builder()), (28, 28, 1), n)),
        ("batch, LeNet train", batches, lambda n: _training(nets.lenet(_builder()), (28, 28, 1), n)),
        ("batch, MLP predict", batches, lambda n: _predicting(nets.mlp(_builder()), (784,), n)),
        ("batch, MLP train", batches, lambda n: _training(nets.mlp(_builder()), (784,), n)),
        (
            "steps, LSTM predict 32",
            lengths,
            lambda n: _predicting(nets.imdb_lstm(_builder(), 2000, n, 64), (n,), 32, 2000),
        ),
        (
            "steps, LSTM train 32",
            lengths,
            lambda n: _training(nets.imdb_lstm(_builder(), 2000, n, 64), (n,), 32, 2000, 1),
        ),
        ("layers, dense predict 32", depths, lambda n: _predicting(nets.deep_mlp(_builder(), depth=n), (64,), 32)),
        ("layers, dense train 32", depths, lambda n: _training(nets.deep_mlp(_builder(), depth=n), (64,), 32)),
        ("weights, loading a full save", (1000, 2000, 4000, 8000), lambda n: _loading(folder, n)),
    ]


def _seconds(work: Work) -> float:
    """Returns the processor's time for one call, the least of several."""
    calls = 1
    while _cost(work, calls) < SHORTEST:
        calls *= 2
    return min(_cost(work, calls) for _ in range(REPEATS)) / calls


def _cost(work: Work, calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        work()
    return time.process_time() - start


def measured() -> list[dict[str, Any]]:
    """Returns, for each thing that grows, the power of it by which the time grows: 1 is linear."""
    torch.set_num_threads(1)
    results = []
    with TemporaryDirectory() as folder:
        for what, sizes, prepare in _series(Path(folder)):
            times = [_seconds(prepare(n)) for n in sizes]
            grown = [_values_of_mlp(n) for n in sizes] if what.startswith("weights") else list(sizes)
            power = linear_regression([log(n) for n in grown], [log(t) for t in times]).slope
            results.append(
                {
                    "what": what,
                    "from": grown[0],
                    "to": grown[-1],
                    "milliseconds": [1e3 * times[0], 1e3 * times[-1]],
                    "power": power,
                }
            )
            print(f"    {what}: {power:.2f}, {1e3 * times[0]:.3g} to {1e3 * times[-1]:.3g} ms", flush=True)
    return results


def _values_of_mlp(units: int) -> int:
    """Returns how many numbers the weights of ``nets.mlp`` are."""
    return 785 * units + (units + 1) * units + (units + 1) * 10
