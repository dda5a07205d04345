from struct import unpack

import pytest

from bigdl.errors import DataError
from bigdl.training import plot_history
from bigdl.training.callbacks import History

VALUES = {"loss": [3.0, 2.0], "val_loss": [4.0, 3.0], "acc": [0.1, 0.2]}


def history(values: dict[str, list[float]]) -> History:
    kept = History()
    kept.on_train_begin()
    for epoch in range(2):
        kept.on_epoch_end(epoch, {name: series[epoch] for name, series in values.items()})
    return kept


def test_a_picture_of_a_history_and_of_its_values(tmp_path):
    plot_history(VALUES, tmp_path / "values.png")
    plot_history(history(VALUES), tmp_path / "history.png")
    picture = (tmp_path / "values.png").read_bytes()
    assert picture == (tmp_path / "history.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert unpack(">II", picture[16:24]) == (1000, 360)  # two measures beside each other, 100 dots an inch


def test_nothing_to_draw(tmp_path):
    with pytest.raises(DataError, match="The history is empty"):
        plot_history(history({}), tmp_path / "none.png")
    assert not list(tmp_path.iterdir())
