"""Networks on MNIST by one process and by workers of Spark, in turns: what docs/spark.md says of speed.

    python benchmarks/spark_scaling.py --rounds 5
    python benchmarks/spark_scaling.py --network mlp --steps 200
    python benchmarks/spark_scaling.py --sums          # the sums over two workers alone, for the cost model

Each is trained for some steps in its turn; of these the first are not counted. Other work on the machine disturbs all
alike; the load is told. A step's seconds are those of the summary (``Throughput``), as users see them.
"""

import argparse
import functools
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

from bigdl.dataset import mnist
from bigdl.dataset.transformer import normalizer
from bigdl.layers import LSTM, Convolution2D, Dense, Dropout, Flatten, MaxPooling2D, Reshape
from bigdl.models import Sequential
from bigdl.nn.criterion import ClassNLLCriterion
from bigdl.nn.layer import Model
from bigdl.optim.optimizer import Adadelta, MaxIteration, Optimizer, TrainSummary
from bigdl.spark.options import Options
from bigdl.util.common import create_spark_conf, get_spark_context, get_spark_sql_context

LENET = Path(__file__).parents[1] / "examples" / "lenet.json"
WARM_UP = 15


def mlp() -> Any:
    """Returns Keras 1.2.2's example mnist_mlp: 669,706 weights."""
    hidden = [layer for _ in range(2) for layer in (Dense(512, activation="relu"), Dropout(0.2))]
    return Sequential([Flatten(input_shape=(28, 28, 1)), *hidden, Dense(10, activation="softmax")])


def small() -> Any:
    """Returns two small convolutions: 5,258 weights."""
    first = Convolution2D(8, 3, 3, activation="relu", input_shape=(28, 28, 1))
    second = Convolution2D(16, 3, 3, activation="relu")
    return Sequential([first, MaxPooling2D(), second, MaxPooling2D(), Flatten(), Dense(10, activation="softmax")])


def lstm() -> Any:
    """Returns an LSTM that reads images line by line: 81,674 weights."""
    return Sequential([Reshape((28, 28), input_shape=(28, 28, 1)), LSTM(128), Dense(10, activation="softmax")])


NETWORKS = {"lenet": lambda: Model.load_keras(LENET), "mlp": mlp, "small": small, "lstm": lstm}

scale = functools.partial(normalizer, mean=mnist.TRAIN_MEAN, std=mnist.TRAIN_STD)


def seconds_of_a_step(network: str, data: Any, batch_size: int, steps: int, **settings: Any) -> float:
    """Returns the mean over the steps that are counted."""
    optimizer = Optimizer(
        NETWORKS[network](),
        data,
        ClassNLLCriterion(logProbAsInput=False),
        MaxIteration(steps),
        batch_size,
        Adadelta(decayrate=0.95, epsilon=1e-8),
        **settings,
    )
    with tempfile.TemporaryDirectory() as folder:
        summary = TrainSummary(folder, "scaling")
        optimizer.set_train_summary(summary)
        optimizer.optimize(verbose=0)
        rates = [value for _, value, _ in summary.read_scalar("Throughput")][WARM_UP:]
    return statistics.fmean(batch_size / rate for rate in rates)


def measure(network: str, rounds: int, steps: int, folder: Path, master: str) -> None:
    """Prints the medians of some rounds."""
    images, labels = mnist.read_data_sets(folder, "train")
    images, labels = images[: 128 * steps], labels[: 128 * steps].astype("int64") + 1
    here = (scale(images).astype("float32"), labels)
    conf = create_spark_conf().setMaster(master).set("spark.executor.memory", "2g")
    context = get_spark_context(conf.set("spark.ui.showConsoleProgress", "false"))
    rows = [(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)]
    frame = get_spark_sql_context(context).createDataFrame(rows, "image binary, label int").cache()
    on_spark = {"features_col": "image", "preprocess": scale}

    def alone(batch_size: int, threads: int) -> float:
        torch.set_num_threads(threads)
        return seconds_of_a_step(network, here, batch_size, steps)

    def workers(batch_size: int, count: int) -> float:
        return seconds_of_a_step(network, frame, batch_size, steps, options=Options(workers=count), **on_spark)

    cases = {
        "one process, 2 threads, batch 128": lambda: alone(128, 2),
        "2 workers, 1 thread each, batch 128": lambda: workers(128, 2),
        "one process, 1 thread, batch 128": lambda: alone(128, 1),
        "1 worker, 1 thread, batch 128": lambda: workers(128, 1),
        "1 worker, 1 thread, batch 64": lambda: workers(64, 1),
    }
    found: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds):
        for name, case in cases.items():
            found[name].append(case())
        shown = ", ".join(f"{1000 * seconds[-1]:.1f}" for seconds in found.values())
        print(f"round {number + 1}: {shown} ms; load {os.getloadavg()[0]:.1f}", flush=True)
    for name, seconds in found.items():
        middle = statistics.median(seconds)
        print(f"{name}: {1000 * middle:.1f} ms a step, {1 / middle:.1f} steps/s")
    both = zip(*list(found.values())[:2], strict=True)
    ratios = sorted(one / two for one, two in both)
    print("2 workers beside 1 process of 2 threads, round by round:", *(f"{ratio:.2f}" for ratio in ratios))
    context.stop()


def measure_sums() -> None:
    """Prints how long two workers on this machine take to add up vectors."""
    conf = create_spark_conf().setMaster("local[2]").set("spark.ui.showConsoleProgress", "false")
    context = get_spark_context(conf)

    def add(_: Iterable[int]) -> Iterator[Any]:
        from pyspark import BarrierTaskContext

        from bigdl.spark.group import joined, open_store, reach_store

        task = BarrierTaskContext.get()
        rank = task.partitionId()
        store = open_store("127.0.0.1") if rank == 0 else None
        port = int(task.allGather(str(store.port if store is not None else 0))[0])
        store = store or reach_store("127.0.0.1", port, 60.0)
        with joined(rank, 2, "127.0.0.1", store, Options(), torch.device("cpu")) as group:
            for size in (1 << 10, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26):
                flat = torch.ones(size // 4)
                taken = []
                for _ in range(30):
                    started = time.perf_counter()
                    group.all_reduce([flat])
                    taken.append(time.perf_counter() - started)
                yield size, statistics.median(taken), min(taken)
            group.part(store)

    for size, middle, least in context.parallelize(range(2), 2).barrier().mapPartitions(add).collect()[:6]:
        print(f"{size / 1e6:.3f} MB: {1000 * middle:.2f} ms (least {1000 * least:.2f}); load {os.getloadavg()[0]:.1f}")
    context.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS, default="lenet", help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--steps", type=int, default=75, help="steps a round, warm-up included (%(default)s)")
    parser.add_argument("--master", default="local-cluster[2,1,2048]", help="(%(default)s)")
    parser.add_argument("--sums", action="store_true", help="measure the sums alone")
    parser.add_argument(
        "--data", type=Path, default=Path.home() / ".cache" / "bigdl" / "mnist", help="folder of MNIST (%(default)s)"
    )
    args = parser.parse_args()
    if args.sums:
        measure_sums()
    else:
        measure(args.network, args.rounds, args.steps, args.data, args.master)


if __name__ == "__main__":
    main()
