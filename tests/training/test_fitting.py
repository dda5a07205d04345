"""fit, evaluate and the verbs on batches, beside what the real Keras 1.2.2 returned; see ``goldens_training``."""

from typing import Any

import numpy as np
import pytest

from bigdl.errors import DataError, TrainingError
from bigdl.graph import Container, Input, SequentialContainer
from bigdl.layers import Activation, Dense, Dropout
from bigdl.training import Callback, Compiled, callbacks, evaluate, fit, predict, test_on_batch, train_on_batch
from bigdl.training.optimizers import SGD
from tests.training.goldens import build, read_arrays, read_json

test_on_batch.__test__ = False  # type: ignore[attr-defined]

CASES = read_json("fits.json")
DATA = read_arrays("fits.npz")


def given(value: Any) -> Any:
    """Puts arrays in the place of their names."""
    if isinstance(value, list):
        return [given(item) for item in value]
    return DATA.get(value, value) if isinstance(value, str) else value


def arguments_of(case: dict[str, Any]) -> dict[str, Any]:
    arguments = {name: given(value) for name, value in case["fit"].items()}
    if "class_weight" in arguments:
        arguments["class_weight"] = dict(arguments["class_weight"])
    return {"batch_size": 20, "nb_epoch": 3, "verbose": 0, **arguments}


def compiled_case(case: dict[str, Any]) -> Compiled:
    settings = dict(case["compile"])
    optimizer = SGD(lr=settings.pop("lr", 0.1), momentum=0.9)
    model: Any = build(case["definition"])
    model.set_weights([np.array(w, "float32") for w in case["start"]])
    model.compile(optimizer, settings.pop("loss", "categorical_crossentropy"), **settings)
    compiled: Compiled = model.compiled
    return compiled


def first(arrays: Any, rows: int = 9) -> Any:
    if arrays is None:
        return None
    return [array[:rows] for array in arrays] if isinstance(arrays, list) else arrays[:rows]


@pytest.mark.parametrize("name", sorted(CASES))
def test_fit_returns_what_keras_returns(name):
    case = CASES[name]
    compiled, arguments = compiled_case(case), arguments_of(case)
    model = compiled.model
    made = [getattr(callbacks, class_name)(**kwargs) for class_name, kwargs in case["callbacks"]]
    np.random.seed(5)  # noqa: NPY002 - Keras's generator
    history = fit(model, compiled, callbacks=made, **arguments)
    assert history.epoch == case["epoch"]
    assert history.history.keys() == case["history"].keys()
    for key, values in case["history"].items():
        np.testing.assert_allclose(history.history[key], values, rtol=1e-5, atol=1e-6, err_msg=key)

    assert compiled.metrics_names == case["metrics_names"]
    x, y, weight = arguments["x"], arguments["y"], arguments.get("sample_weight")
    few = [first(x), first(y), first(weight)]
    for received, verb in [
        (evaluate(model, compiled, x, y, verbose=0, sample_weight=weight), "evaluate"),
        (test_on_batch(model, compiled, *few), "test_on_batch"),
        (train_on_batch(model, compiled, *few), "train_on_batch"),
    ]:
        np.testing.assert_allclose(np.atleast_1d(received), case[verb], rtol=1e-5, atol=1e-6, err_msg=verb)
    for ours, theirs in zip(model.get_weights(), case["weights"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("name", ["plain", "shuffle_batch"])
def test_shuffling_leaves_numpys_generator_where_keras_leaves_it(name):
    case = CASES[name]
    compiled = compiled_case(case)
    np.random.seed(5)  # noqa: NPY002 - Keras's generator
    fit(compiled.model, compiled, **arguments_of(case))
    assert np.random.rand() == case["next_random"]  # noqa: NPY002


@pytest.fixture
def x():
    return np.random.RandomState(0).rand(50, 4).astype("float32")


@pytest.fixture
def y():
    return np.random.RandomState(1).rand(50, 3).astype("float32")


@pytest.fixture
def compiled():
    model = SequentialContainer([Dense(3, input_dim=4, name="only")], name="net")
    return Compiled(model, "sgd", "mse")


class Noted(Callback):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append("train")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch", epoch))

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch", batch, dict(logs)))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch end", batch, sorted(logs)))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch end", epoch, sorted(logs)))

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append("train end")


def test_what_callbacks_are_told(compiled, x, y):
    noted = Noted()
    fit(compiled.model, compiled, x, y, 30, 1, 0, [noted], validation_split=0.2)
    assert noted.calls == [
        "train",
        ("epoch", 0),
        ("batch", 0, {"batch": 0, "size": 30}),
        ("batch end", 0, ["batch", "loss", "size"]),
        ("batch", 1, {"batch": 1, "size": 10}),
        ("batch end", 1, ["batch", "loss", "size"]),
        ("epoch end", 0, ["loss", "val_loss"]),
        "train end",
    ]
    assert noted.model is compiled.model
    assert noted.params == {
        "batch_size": 30,
        "nb_epoch": 1,
        "nb_sample": 40,
        "verbose": 0,
        "do_validation": True,
        "metrics": ["loss", "val_loss"],
    }


def test_a_line_for_each_epoch(compiled, x, y, capsys):
    fit(compiled.model, compiled, x, y, nb_epoch=2, validation_split=0.2)
    written, errors = capsys.readouterr()
    lines = written.splitlines()
    assert lines[0] == "Train on 40 samples, validate on 10 samples"
    assert [line.split(" - ")[0] for line in lines[1:]] == ["Epoch 1/2", "Epoch 2/2"]
    assert all("records/s - loss: " in line and " - val_loss: " in line for line in lines[1:])
    assert errors == ""


def test_silence(compiled, x, y, capsys):
    fit(compiled.model, compiled, x, y, nb_epoch=1, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_no_epochs_are_no_training(compiled, x, y):
    before = compiled.model.get_weights()
    assert fit(compiled.model, compiled, x, y, nb_epoch=3, initial_epoch=3, verbose=0).history == {}
    np.testing.assert_array_equal(compiled.model.get_weights()[0], before[0])


def test_the_mode_comes_back(compiled, x, y):
    compiled.model.eval()
    fit(compiled.model, compiled, x, y, nb_epoch=1, verbose=0)
    train_on_batch(compiled.model, compiled, x, y)
    assert not compiled.model.training


def test_dropout_works_in_training_only(x):
    model = SequentialContainer([Dropout(0.5, input_shape=(4,)), Activation("linear")])
    compiled = Compiled(model, "sgd", "mse")
    assert test_on_batch(model, compiled, x, x) == 0.0
    assert train_on_batch(model, compiled, x, x) > 0.01


def test_weights_to_move_are_settled_when_compiled(compiled, x, y):
    model = compiled.model
    model.layers[0].trainable = False
    frozen = Compiled(model, "sgd", "mse")
    before = model.get_weights()[0]
    train_on_batch(model, frozen, x, y)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    train_on_batch(model, compiled, x, y)
    assert np.abs(model.get_weights()[0] - before).max() > 0
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_penalties_of_predictions_are_not_added_to_the_loss(x):
    model = SequentialContainer([Dense(3, input_dim=4, activity_regularizer="activity_l2")])
    compiled = Compiled(model, "sgd", "mse")
    alone = test_on_batch(model, compiled, x[:5], np.zeros((5, 3)))
    predict(model, x)
    model.run([compiled.step._parameters[0].new_ones(2, 4)])
    assert test_on_batch(model, compiled, x[:5], np.zeros((5, 3))) == alone


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": np.ones((50, 3))}, r"input 'dense_input_1': expected shape \(None, 4\)"),
        ({"y": np.ones((50, 2))}, r"targets of output 'only': expected shape \(None, 3\). Received: \(50, 2\)"),
        ({"y": np.ones((49, 3))}, r"same number of rows. Received: 'input .*' 50, 'targets of only' 49"),
        ({"x": np.ones((0, 4)), "y": np.ones((0, 3))}, "'net': the data has no rows"),
        ({"batch_size": 0}, "batch_size must be a positive whole number"),
        ({"validation_split": 1.0}, "validation_split must be from 0 to below 1"),
        ({"validation_split": 0.99}, "leaves 0 to train on and 50 to validate on"),
        ({"validation_data": [1]}, r"validation_data must be \(x, y\).* Received: list of 1"),
        ({"sample_weight": np.ones(3)}, r"expected sample weights of shape \(50,\). Received: \(3,\)"),
        ({"sample_weight": np.ones((50, 3))}, r"need compile\(sample_weight_mode='temporal'\)"),
        ({"class_weight": {0: 1.0, 1: 2.0}}, "class_weight has no weight for class 2"),
        ({"class_weight": [1.0, 2.0]}, r"class numbers to weights. Received: list.*dict\(enumerate"),
    ],
)
def test_data_that_does_not_fit(compiled, x, y, changes, message):
    with pytest.raises(DataError, match=message):
        fit(compiled.model, compiled, **{"x": x, "y": y, "verbose": 0, **changes})


def test_class_weights_by_name_have_no_effect_as_in_keras(compiled, x, y, caplog):
    expected = test_on_batch(compiled.model, compiled, x, y)
    assert train_on_batch(compiled.model, compiled, x, y, class_weight="auto") == pytest.approx(expected)
    assert "class_weight='auto' has no effect, as in Keras" in caplog.text


@pytest.mark.parametrize(
    ("loss", "targets", "message"),
    [
        ("sparse_categorical_crossentropy", [0, 3], "class numbers from 0 to 2. Received: 3"),
        ("sparse_categorical_crossentropy", [-1, 0], "class numbers from 0 to 2. Received: -1"),
        ("sparse_categorical_crossentropy", [0.5, 0], r"class numbers from 0 to 2. Received: 0\.5"),
        ("categorical_crossentropy", [0, 2], "a column for each class.*use sparse_categorical_crossentropy"),
    ],
)
def test_labels_that_do_not_fit(x, loss, targets, message):
    model = SequentialContainer([Dense(3, input_dim=4, activation="softmax")])
    before = model.get_weights()[0]
    with pytest.raises(DataError, match=message):
        fit(model, Compiled(model, "sgd", loss), x[:2], np.array(targets), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_a_loss_of_ones_own_takes_any_targets(x):
    model = SequentialContainer([Dense(3, input_dim=4)])
    compiled = Compiled(model, "sgd", lambda y_true, y_pred: (y_pred.sum(-1) - y_true[:, 0]).square())
    w, b = model.get_weights()
    expected = np.mean(((x @ w + b).sum(-1) - np.arange(50)) ** 2)
    np.testing.assert_allclose(test_on_batch(model, compiled, x, np.arange(50)), expected, rtol=1e-5)


def test_a_metric_of_several_values(x, y):
    def spread(y_true: Any, y_pred: Any) -> Any:
        return {"low": y_true.min(), "high": y_true.max()}

    model = SequentialContainer([Dense(3, input_dim=4)])
    compiled = Compiled(model, "sgd", "mse", [spread, "mae"])
    assert compiled.metrics_names == ["loss", "low", "high", "mean_absolute_error"]
    np.testing.assert_allclose(test_on_batch(model, compiled, x, y)[1:3], [y.min(), y.max()], rtol=1e-6)


def test_outputs_of_one_layer_have_labels_of_their_own(x, y):
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(3, name="shared")
    compiled = Compiled(Container([a, b], [shared(a), shared(b)]), "sgd", "mse")
    assert compiled.metrics_names == ["loss", "shared_loss", "shared_loss"]
    history = fit(compiled.model, compiled, [x, x], [y, y], nb_epoch=1, verbose=0).history
    assert sorted(history) == ["loss", "shared_loss_1", "shared_loss_2"]  # Keras numbers both


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": ["mse"]}, r"loss must have one item for each of the 2 outputs \(left, right\). Received: 1"),
        ({"loss": {"left": "mse"}}, "loss must name the outputs .* Received: nothing for 'right'"),
        ({"loss": "mse", "loss_weights": {"up": 1.0}}, "loss_weights must name the outputs .* Received: unknown 'up'"),
        ({"loss": "mse", "loss_weights": 2.0}, "loss_weights must be a list or a dict"),
        ({"loss": "mse", "sample_weight_mode": "time"}, "must be None or 'temporal'. Received: 'time'"),
        ({"loss": "mse", "metrics": "accuracy"}, "metrics must be a list"),
    ],
)
def test_compile_refuses(arguments, message):
    a = Input((4,))
    model = Container(a, [Dense(2, name="left")(a), Dense(2, name="right")(a)])
    with pytest.raises(DataError, match=message):
        Compiled(model, "sgd", **arguments)


def test_configuration_as_keras_saves_it():
    model = SequentialContainer([Dense(3, input_dim=4)])
    config = Compiled(model, SGD(lr=0.5), "mse", ["accuracy"]).get_config()
    assert config == {
        "optimizer_config": {
            "class_name": "SGD",
            "config": {"lr": 0.5, "momentum": 0.0, "decay": 0.0, "nesterov": False},
        },
        "loss": "mse",
        "metrics": ["accuracy"],
        "sample_weight_mode": None,
        "loss_weights": None,
    }


def test_a_loss_that_is_not_finite_stops_training_and_says_where(compiled, x, y):
    x[17, 2] = np.nan
    before = compiled.model.get_weights()[0]
    with pytest.raises(TrainingError) as caught:
        fit(compiled.model, compiled, x, y, batch_size=10, shuffle=False, verbose=0)
    message = str(caught.value)
    assert message.startswith("Training stopped at epoch 1, iteration 2 (batch 2 of the epoch): the loss is nan")
    assert "1 of 40 values of input 'dense_input_1' in this batch, the first in its row 7 (from 0)" in message
    assert "learning rate" not in message  # which would not help
    assert np.isfinite(compiled.model.get_weights()[0]).all()
    assert np.abs(compiled.model.get_weights()[0] - before).max() > 0  # by the first step


def test_callbacks_must_be_callbacks(compiled, x, y):
    wrong: Any
    for wrong in (["early"], [callbacks.History], callbacks.EarlyStopping()):
        with pytest.raises(DataError, match="callbacks must be a list of"):
            fit(compiled.model, compiled, x, y, callbacks=wrong, verbose=0)


def test_the_first_layer_that_is_not_finite_is_named(x):
    model = SequentialContainer(
        [
            Dense(3, input_dim=4, name="fine"),
            Activation(lambda t: (t - t).log(), name="culprit"),
            Activation("linear", name="later"),
        ]
    )
    with pytest.raises(TrainingError, match=r"150 of 150 values in the output of layer 'culprit' \(Activation\)"):
        train_on_batch(model, Compiled(model, "sgd", "mse"), x, np.ones((50, 3)))


def test_weights_that_are_not_finite_are_named(compiled, x, y):
    w, b = compiled.model.get_weights()
    w[1, 1] = np.inf
    compiled.model.set_weights([w, b])
    with pytest.raises(TrainingError, match=r"not finite since the step before: 1 of 12 values of W of layer 'only'"):
        train_on_batch(compiled.model, compiled, x, y)


def test_the_loss_function_is_blamed_when_all_else_is_finite(x, y):
    model = SequentialContainer([Dense(3, input_dim=4)])
    compiled = Compiled(model, "sgd", lambda t, p: (p * 0 - 1).mean(-1).log())
    with pytest.raises(TrainingError, match="the loss function itself"):
        train_on_batch(model, compiled, x, y)
