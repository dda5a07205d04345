"""Runs a script for Keras 1.2.2 on bigdl.keras: ``python -m tests.keras.run_script SCRIPT FOLDER [SOURCE]``.

With SOURCE, a checkout of Keras, the script is one of its examples and made small: data sets are the made ones, each
``fit`` ends after one epoch, and what else takes long is cut by ``EDITS``, which change numbers and what Python has
changed since. SCRIPT is read where it is; nothing of it is kept.
"""

import re
import statistics
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bigdl.layers import settings
from tests.keras import alias, made_data

# What is replaced in every script: the sizes of MNIST.
SIZES = [("60000", str(made_data.TRAIN)), ("10000", str(made_data.TEST))]
# Since Python 3.7 a pattern that may match nothing splits everywhere.
PYTHON_37 = (r"re.split('(\W+)?'", r"re.split('(\W+)'")
# What is replaced in single scripts: numbers of rounds, of samples and of units.
EDITS = {
    "babi_memnn.py": [PYTHON_37],
    "babi_rnn.py": [PYTHON_37],
    "addition_rnn.py": [("TRAINING_SIZE = 50000", "TRAINING_SIZE = 200"), ("range(1, 200)", "range(1, 2)")],
    "conv_filter_visualization.py": [
        ("weights='imagenet'", "weights=None"),
        ("range(0, 200)", "range(0, 2)"),
        ("range(20)", "range(2)"),
        ("n = 8", "n = 1"),
    ],
    "conv_lstm.py": [
        ("n_samples=1200", "n_samples=6"),
        ("which = 1004", "which = 4"),
        ("nb_filter=40", "nb_filter=4"),
        ("[:1000]", "[:4]"),
        ("range(16)", "range(2)"),
        ("range(15)", "range(2)"),
    ],
    "lstm_benchmark.py": [("epochs = 10", "epochs = 1"), ("embedding_dim = 256", "embedding_dim = 16")],
    "lstm_text_generation.py": [("range(1, 60)", "range(1, 2)"), ("range(400)", "range(5)")],
    "mnist_acgan.py": [("nb_epochs = 50", "nb_epochs = 1")],
    "mnist_net2net.py": [("(kh - 1) / 2, (kw - 1) / 2", "(kh - 1) // 2, (kw - 1) // 2")],  # a division of Python 2
    "pretrained_word_embeddings.py": [
        ("BASE_DIR = ''", "BASE_DIR = '.'"),
        ("MAX_NB_WORDS = 20000", "MAX_NB_WORDS = 10"),
    ],
    "stateful_lstm.py": [
        ("epochs = 25", "epochs = 1"),
        ("500", "50"),
        ("cos = gen_cosine_amp(", "cos = gen_cosine_amp(xn=1000, "),
    ],
    "variational_autoencoder.py": [("n = 15", "n = 2")],
    "variational_autoencoder_deconv.py": [("n = 15", "n = 2")],
}


# Those that only run with the channels first.
CHANNELS_FIRST = {"mnist_net2net.py"}


def small_source(script: Path) -> str:
    """Returns a script's source with smaller numbers.

    Raises:
        ValueError: An edit finds nothing to change.
    """
    source = script.read_text("utf-8")
    for old, new in SIZES:
        source = re.sub(rf"(?<!\d){old}(?!\d)", new, source)
    for old, new in EDITS.get(script.name, ()):
        if old not in source:
            raise ValueError(f"{script.name} has no {old!r}")
        source = source.replace(old, new)
    return source


def patch(folder: str) -> None:
    """Puts made data in the place of downloads, and ends each training after an epoch."""
    from bigdl.keras.datasets import cifar10, imdb, mnist, reuters
    from bigdl.keras.utils import data_utils
    from bigdl.models import Model

    for module in (mnist, cifar10, imdb, reuters):
        vars(module)["load_data"] = getattr(made_data, module.__name__.rpartition(".")[2])
    vars(data_utils)["get_file"] = made_data.get_file(folder)
    made_data.embeddings_and_news(folder)
    for name in ("fit", "fit_generator"):
        setattr(Model, name, _one_epoch(getattr(Model, name), 1 if name == "fit_generator" else 3))
    _stand_in_for_scipy()


def _one_epoch(verb: Callable[..., Any], position: int) -> Callable[..., Any]:
    def limited(self: Any, *given: Any, **kwargs: Any) -> Any:
        args = list(given)
        if len(args) > position:
            args[position] = 1
        else:
            kwargs["nb_epoch"] = 1
        if verb.__name__ == "fit_generator":
            kwargs["samples_per_epoch"] = min(args.pop(1) if len(args) > 1 else kwargs["samples_per_epoch"], 64)
            if len(args) > 1:
                kwargs["nb_epoch"] = args.pop(1)
        return verb(self, *args, **kwargs)

    return limited


def _stand_in_for_scipy() -> None:
    """Two functions of SciPy that examples draw pictures with."""
    norm = types.SimpleNamespace(ppf=lambda p: [statistics.NormalDist().inv_cdf(float(x)) for x in p])
    names: dict[str, dict[str, Any]] = {
        "scipy": {},
        "scipy.stats": {"norm": norm},
        "scipy.misc": {"imsave": lambda path, image: None},
    }
    for name, members in names.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        sys.modules.setdefault(name, module)


def main(script: str, folder: str, source: str | None = None) -> None:
    torch.set_num_threads(1)
    alias.install(source)
    text = Path(script).read_text("utf-8")
    if source is not None:
        patch(folder)
        text = small_source(Path(script))
    if Path(script).name in CHANNELS_FIRST:
        settings.set_image_dim_ordering("th")
    sys.argv = [str(script)]
    scope = {"__name__": "__main__", "__file__": str(script)}
    exec(compile(text, script, "exec"), scope)


if __name__ == "__main__":
    main(*sys.argv[1:])
