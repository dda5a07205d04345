import io
import sys

import numpy as np
import pytest

from bigdl.errors import TrainingError
from bigdl.graph import SequentialContainer
from bigdl.layers import Dense
from bigdl.training import Compiled, fit
from bigdl.training.progress import EpochDisplay, progress_bar


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Puts a terminal in the place of the standard error; to be called by the test itself, after capsys."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    return terminal


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    terminal = on_a_terminal(monkeypatch)
    display = EpochDisplay(100, 1, epochs=3)
    display.begin(2)
    display.advance(50, {"loss": 1.0})
    display._shown_at = 0.0
    display.advance(30, {"loss": 3.0})
    bar = display._bar
    assert bar is not None
    bar.refresh()
    shown = terminal.getvalue()
    assert "Epoch 2/3:  80%" in shown
    assert "80/100" in shown
    assert " records/s" in shown
    assert "loss: 1.7500" in shown  # the mean over 50 rows of 1 and 30 rows of 3
    display.advance(20, {"loss": 1.0})
    display.end({"loss": 1.5})
    line = capsys.readouterr().out
    assert line.startswith("Epoch 2/3 - ")
    assert line.endswith(" records/s - loss: 1.5000\n")


def test_no_bar_elsewhere(capsys):
    with progress_bar(10, "predict", 1) as bar:
        bar.update(10)
    assert capsys.readouterr() == ("", "")


def test_no_bar_when_only_lines_are_wanted(monkeypatch):
    terminal = on_a_terminal(monkeypatch)
    display = EpochDisplay(10, 2)
    display.begin(1)
    display.advance(10, {"loss": 1.0})
    display.end({"loss": 1e-5})
    assert terminal.getvalue() == ""


def test_small_values_keep_their_digits(capsys):
    display = EpochDisplay(10, 2)
    display.begin(1)
    display.advance(10, {})
    display.end({"loss": 1.25e-5})
    assert capsys.readouterr().out.endswith(" - loss: 1.2500e-05\n")


def test_a_bar_is_taken_away_when_training_fails(monkeypatch):
    terminal = on_a_terminal(monkeypatch)
    model = SequentialContainer([Dense(1, input_dim=2)])
    compiled = Compiled(model, "sgd", "mse")
    x = np.array([[1.0, 1.0], [np.nan, 1.0]])
    with pytest.raises(TrainingError):
        fit(model, compiled, x, np.ones(2), batch_size=1, nb_epoch=1, shuffle=False)
    assert terminal.getvalue().endswith("\r")  # the line is blank, the cursor at its begin
