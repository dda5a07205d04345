"""Training curves as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

from bigdl import files
from bigdl.errors import DataError
from bigdl.files import Uri
from bigdl.training.callbacks import History

_VALIDATION = "val_"


def plot_history(history: Mapping[str, Sequence[float]] | History, path: Uri, title: str = "") -> None:
    """Draws every measure over the epochs, with its validation counterpart in the same axes, and saves a PNG.

    Args:
        history: Values per epoch by name, ``loss``, ``val_loss``, ...; or what ``fit`` returned.
        path: Where the picture goes; a path or a URI.
        title: What stands above it.

    Raises:
        DataError: There is nothing to draw, or matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise DataError("Drawing needs matplotlib: pip install 'bigdl-torch[plot]'.") from error
    if isinstance(history, History):
        history = history.history
    names = list(dict.fromkeys(name.removeprefix(_VALIDATION) for name, values in history.items() if len(values)))
    if not names:
        raise DataError("The history is empty: there is nothing to draw before the first epoch has ended.")
    figure = Figure(figsize=(5 * len(names), 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        for key, label in ((name, "training"), (_VALIDATION + name, "validation")):
            values = history.get(key, ())
            if len(values):
                axes.plot(range(1, len(values) + 1), values, marker="o", markersize=3, label=label)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    if title:
        figure.suptitle(title)
    picture = BytesIO()
    figure.set_canvas(FigureCanvasAgg(figure))
    figure.savefig(picture, format="png")
    files.write_bytes(path, picture.getvalue())
