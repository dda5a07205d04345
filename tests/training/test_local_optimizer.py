"""BigDL's optimizers: what they compute, report and refuse."""

import logging
import re
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import DataError, LayerError, TrainingError
from bigdl.graph import Container, Input
from bigdl.layers import Dense, Dropout
from bigdl.models import Sequential
from bigdl.models.optimizer import Optimizer
from bigdl.training.criterions import ClassNLLCriterion, CrossEntropyCriterion, MSECriterion
from bigdl.training.local_optimizer import LocalOptimizer
from bigdl.training.optimizers import SGD
from bigdl.training.sample import Sample
from bigdl.training.triggers import EveryEpoch, MaxEpoch, MaxIteration, MinLoss, SeveralIteration, TriggerOr
from bigdl.training.validation import Loss, Top1Accuracy

ROWS = 50


@pytest.fixture
def x():
    return np.random.RandomState(0).rand(ROWS, 4).astype("float32")


@pytest.fixture
def labels(x):
    """Classes that follow from the inputs, counted from 1 as in BigDL."""
    return (x @ np.random.RandomState(1).randn(4, 3)).argmax(1) + 1


def classifier() -> Sequential:
    torch.manual_seed(1)
    return Sequential([Dense(3, input_dim=4, activation="softmax", name="only")], name="net")


def nll() -> ClassNLLCriterion:
    return ClassNLLCriterion(logProbAsInput=False)


def softmax_steps(model: Any, x: Any, labels: Any, lr: float, steps: int) -> tuple[Any, Any, list[float]]:
    """Steps of gradient descent on the mean negative log-likelihood of the model above, in NumPy."""
    w, b = (np.array(v, "float64") for v in model.get_weights())
    losses = []
    for _ in range(steps):
        e = np.exp(x @ w + b)
        p = e / e.sum(1, keepdims=True)
        losses.append(-np.log(p[np.arange(len(x)), labels - 1]).mean())
        error = (p - np.eye(3)[labels - 1]) / len(x)
        w, b = w - lr * x.T @ error, b - lr * error.sum(0)
    return w, b, losses


def test_it_descends_the_gradient_of_the_criterion(x, labels):
    model = classifier()
    w, b, losses = softmax_steps(model, x, labels, 0.5, 5)
    optimizer = Optimizer(model, (x, labels), nll(), MaxIteration(5), ROWS, SGD(lr=0.5))
    assert optimizer.optimize(verbose=0) is model
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(optimizer.history["loss"], losses, rtol=1e-5)


def samples(x: Any, labels: Any) -> list[Sample]:
    return [Sample.from_ndarray(row, int(label)) for row, label in zip(x, labels, strict=True)]


@pytest.mark.parametrize(
    "make",
    [
        lambda m, x, y: Optimizer(m, (x, y), nll(), MaxEpoch(2), 20, SGD(lr=0.5)),
        lambda m, x, y: Optimizer(
            model=m,
            training_rdd=(x, y[:, None]),
            criterion=nll(),
            optim_method=SGD(lr=0.5),
            end_trigger=MaxEpoch(2),
            batch_size=20,
        ),
        lambda m, x, y: Optimizer(m, samples(x, y), nll(), MaxEpoch(2), 20, SGD(lr=0.5)),
        lambda m, x, y: Optimizer.create(m, (x, y), nll(), MaxEpoch(2), 20, SGD(lr=0.5)),
        lambda m, x, y: Optimizer.create(m, samples(x, y), nll(), MaxEpoch(2), 20, SGD(lr=0.5)),
        lambda m, x, y: LocalOptimizer(x, y.astype("float32"), m, nll(), MaxEpoch(2), 20, SGD(lr=0.5), cores=1),
        lambda m, x, y: LocalOptimizer([x], [y.astype("uint8")], m, nll(), MaxEpoch(2), 20, SGD(lr=0.5)),
        lambda m, x, y: LocalOptimizer(
            x, y - 1, m, ClassNLLCriterion(logProbAsInput=False, zero_based_label=True), MaxEpoch(2), 20, SGD(lr=0.5)
        ),
    ],
)
def test_all_ways_to_give_data_train_alike(make, x, labels):
    expected, model = classifier(), classifier()
    torch.manual_seed(7)
    Optimizer(expected, (x, labels), nll(), MaxEpoch(2), 20, SGD(lr=0.5)).optimize(verbose=0)
    torch.manual_seed(7)
    optimizer = make(model, x, labels)
    optimizer.optimize(verbose=0)
    assert (optimizer.state.iteration, optimizer.state.epoch, optimizer.state.records) == (6, 2, ROWS)
    np.testing.assert_array_equal(model.get_weights()[0], expected.get_weights()[0])


def test_the_seed_decides(x, labels):
    weights = []
    for seed in (1, 1, 2):
        model = classifier()
        torch.manual_seed(seed)
        Optimizer(model, (x, labels), nll(), MaxEpoch(1), 20, SGD(lr=0.5)).optimize(verbose=0)
        weights.append(model.get_weights()[0])
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[0] - weights[2]).max() > 0


def test_several_inputs_and_a_criterion_of_ones_own(x):
    a, b = Input((4,), name="a"), Input((4,), name="b")
    model = Container([a, b], [Dense(2, name="left")(a), Dense(2, name="right")(b)])

    def criterion(output: Any, target: Any) -> Any:
        return sum((o - t).square().mean() for o, t in zip(output, target, strict=True))

    targets = [np.zeros((ROWS, 2)), np.ones((ROWS, 2))]
    optimizer = LocalOptimizer([x, x], targets, model, criterion, MaxEpoch(100), ROWS, SGD(lr=0.5))
    optimizer.optimize(verbose=0)
    assert optimizer.history["loss"][-1] < 0.05 < 0.5 < optimizer.history["loss"][0]


def test_validation_and_history(x, labels):
    model = classifier()
    optimizer = Optimizer(model, (x, labels), nll(), MaxEpoch(3), 20, SGD(lr=0.5))
    optimizer.set_validation(
        batch_size=7, val_rdd=(x, labels), trigger=EveryEpoch(), val_method=[Top1Accuracy(), Loss(nll())]
    )
    optimizer.optimize(verbose=0)
    w, b = model.get_weights()
    e = np.exp(x @ w + b)
    p = e / e.sum(1, keepdims=True)
    assert sorted(optimizer.history) == ["loss", "val_loss", "val_top1accuracy"]
    assert [len(values) for values in optimizer.history.values()] == [3, 3, 3]
    assert optimizer.history["val_top1accuracy"][-1] == np.mean(p.argmax(1) + 1 == labels) == optimizer.state.score
    np.testing.assert_allclose(
        optimizer.history["val_loss"][-1], -np.log(p[np.arange(ROWS), labels - 1]).mean(), rtol=1e-5
    )


def test_validation_of_a_local_optimizer(x, labels):
    for arguments in [{"X_val": x, "Y_val": labels}, {"val_rdd": (x, labels)}]:
        optimizer = Optimizer.create(classifier(), (x, labels), nll(), MaxIteration(4), 20)
        assert isinstance(optimizer, LocalOptimizer)
        optimizer.set_validation(batch_size=20, trigger=SeveralIteration(2), **arguments)
        optimizer.optimize(verbose=0)
        assert len(optimizer.history["val_top1accuracy"]) == 2


def test_dropout_is_off_in_validation_and_on_in_training(x):
    model = Sequential([Dropout(0.5, input_shape=(4,)), Dense(4, init="identity", bias=False)])
    optimizer = LocalOptimizer(x, x, model, MSECriterion(), MaxIteration(1), ROWS, SGD(lr=0.0))
    optimizer.set_validation(ROWS, x, x, EveryEpoch(), [Loss(MSECriterion())])
    optimizer.optimize(verbose=0)
    assert optimizer.history["val_loss"] == [0.0]
    assert optimizer.history["loss"][0] > 0.1


def test_triggers_end_training(x, labels):
    optimizer = Optimizer(classifier(), (x, labels), nll(), TriggerOr(MinLoss(0.9), MaxEpoch(500)), ROWS, SGD(lr=0.5))
    optimizer.optimize(verbose=0)
    losses = optimizer.history["loss"]
    assert losses[-1] < 0.9 <= losses[-2]


def test_training_goes_on_when_asked_again(x, labels):
    once, twice = classifier(), classifier()
    torch.manual_seed(3)
    Optimizer(once, (x, labels), nll(), MaxEpoch(4), 20, SGD(lr=0.5, momentum=0.9)).optimize(verbose=0)
    torch.manual_seed(3)
    optimizer = Optimizer(twice, (x, labels), nll(), MaxEpoch(2), 20, SGD(lr=0.5, momentum=0.9))
    optimizer.optimize(verbose=0)
    optimizer.set_end_when(MaxEpoch(4))
    optimizer.optimize(verbose=0)
    np.testing.assert_array_equal(once.get_weights()[0], twice.get_weights()[0])
    assert len(optimizer.history["loss"]) == 4


def first_step(x: Any, labels: Any, *settings: Any) -> Any:
    """The change of the weights by one step at rate 1, which is minus the gradient."""
    model = classifier()
    before = [w.copy() for w in model.get_weights()]
    optimizer = Optimizer(model, (x * 10, labels), nll(), MaxIteration(1), ROWS, SGD(lr=1.0))
    for name, *arguments in settings:
        getattr(optimizer, name)(*arguments)
    optimizer.optimize(verbose=0)
    return [after - start for after, start in zip(model.get_weights(), before, strict=True)]


def test_gradients_are_clipped(x, labels):
    free = first_step(x, labels)
    norm = np.sqrt(sum(np.square(change).sum() for change in free))
    for ours, change in zip(first_step(x, labels, ("set_gradclip_l2norm", norm / 4)), free, strict=True):
        np.testing.assert_allclose(ours, change / 4, rtol=1e-4, atol=1e-6)
    for ours, change in zip(first_step(x, labels, ("set_gradclip_const", -0.1, 0.2)), free, strict=True):
        np.testing.assert_allclose(ours, np.clip(change, -0.2, 0.1), rtol=1e-4, atol=1e-6)
    same = first_step(x, labels, ("set_gradclip_const", -0.1, 0.2), ("disable_gradclip",))
    np.testing.assert_array_equal(same[0], free[0])


def two_layers() -> Sequential:
    torch.manual_seed(1)
    return Sequential([Dense(5, input_dim=4, name="low"), Dense(3, activation="softmax", name="high")], name="net")


def test_an_optim_method_for_each_layer(x, labels):
    model, plain = two_layers(), two_layers()
    start = model.get_weights()
    Optimizer(plain, (x, labels), nll(), MaxIteration(1), ROWS, SGD(lr=0.5)).optimize(verbose=0)
    methods = {"low": SGD(lr=0.5), "high": SGD(lr=0.0)}
    Optimizer(model, (x, labels), nll(), MaxIteration(1), ROWS, methods).optimize(verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], plain.get_weights()[0], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(model.get_weights()[2], start[2])


def test_one_optim_method_for_two_layers_is_one(x, labels):
    model, plain = two_layers(), two_layers()
    method = SGD(lr=0.5, momentum=0.9)
    torch.manual_seed(1)
    Optimizer(model, (x, labels), nll(), MaxIteration(5), 20, {"low": method, "high": method}).optimize(verbose=0)
    torch.manual_seed(1)
    Optimizer(plain, (x, labels), nll(), MaxIteration(5), 20, SGD(lr=0.5, momentum=0.9)).optimize(verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], plain.get_weights()[0])


def test_optim_methods_that_leave_a_layer_out(x, labels):
    model = two_layers()
    optimizer = Optimizer(model, (x, labels), nll(), MaxIteration(1), ROWS, {"low": SGD()})
    with pytest.raises(
        DataError, match=r"layer 'high' has weights to train, but no optimizer. Received optimizers for"
    ):
        optimizer.optimize(verbose=0)
    model.freeze(["high"])
    optimizer.optimize(verbose=0)
    with pytest.raises(LayerError, match="nope"):
        Optimizer(model, (x, labels), nll(), MaxIteration(1), ROWS, {"nope": SGD()}).optimize(verbose=0)


def test_frozen_layers_stay(x, labels):
    model = two_layers()
    start = model.get_weights()
    model.freeze(["low"])
    Optimizer(model, (x, labels), nll(), MaxIteration(3), ROWS, SGD(lr=0.5)).optimize(verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], start[0])
    assert np.abs(model.get_weights()[2] - start[2]).max() > 0


def test_log_lines_are_bigdls(x, labels, caplog):
    optimizer = Optimizer(classifier(), (x, labels), nll(), MaxEpoch(1), 20)
    optimizer.set_validation(20, (x, labels), EveryEpoch(), [Top1Accuracy()])
    with caplog.at_level(logging.INFO, "bigdl"):
        optimizer.optimize(verbose=0)
    lines = [record.getMessage() for record in caplog.records if record.name == "bigdl"]
    pattern = (
        r"\[Epoch 1 40/50\]\[Iteration 2\]\[Wall Clock \d+\.\ds\] Trained 20\.0 records in \d+\.\d+ seconds\. "
        r"Throughput is \d+\.\d+ records/second\. Loss is \d\.\d+\."
    )
    assert re.fullmatch(pattern, lines[1])
    assert re.fullmatch(r"\[Epoch 1 50/50\]\[Iteration 3\]\[.*s\] Top1Accuracy is 0?\.?\d* \(of 50\)", lines[3])


def test_a_line_for_each_epoch_and_for_the_rest(x, labels, capsys):
    optimizer = Optimizer(classifier(), (x, labels), nll(), MaxIteration(5), 20)
    optimizer.set_validation(20, (x, labels), EveryEpoch(), [Top1Accuracy()])
    optimizer.optimize()
    written, errors = capsys.readouterr()
    first, second = written.splitlines()
    assert re.fullmatch(r"Epoch 1 - \d+\.\ds - \d+ records/s - val_top1accuracy: .* - loss: .*|Epoch 1 - .*", first)
    assert second.startswith("Epoch 2 - ")
    assert "val_" in first
    assert "val_" not in second
    assert errors == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training_rdd": (np.ones((5, 3)), np.ones(5))}, r"expected shape \(None, 4\). Received: \(5, 3\)"),
        ({"training_rdd": (np.ones((5, 4)), np.ones(4))}, "same number of rows. Received: .* 5, 'targets 1' 4"),
        ({"training_rdd": (np.ones((0, 4)), np.ones(0))}, "'net': the data has no rows"),
        ({"training_rdd": np.ones((5, 4))}, r"Expected \(X, Y\) or a list of Sample. Received: ndarray"),
        ({"training_rdd": [1, 2, 3]}, "Received: list of 3 items"),
        ({"training_rdd": (np.ones((5, 4)), 3)}, "targets: expected an array with the rows first"),
        ({"model": "net"}, "model must be a model of this library. Received: str"),
        ({"criterion": "nll"}, "criterion must be a criterion, or a function"),
        ({"end_trigger": 10}, r"end_trigger must be a trigger such as MaxEpoch\(10\). Received: 10"),
        ({"batch_size": 0}, "batch_size must be a positive whole number"),
    ],
)
def test_arguments_that_do_not_fit(changes, message):
    arguments: dict[str, Any] = {
        "model": classifier(),
        "training_rdd": (np.ones((5, 4)), np.ones(5)),
        "criterion": nll(),
        "end_trigger": MaxEpoch(1),
        "batch_size": 2,
    }
    with pytest.raises(DataError, match=message):
        Optimizer(**{**arguments, **changes})


def test_an_rdd_names_the_extra():
    class Rdd:
        def mapPartitions(self) -> None:  # noqa: N802 - pyspark's name
            """Nothing."""

    with pytest.raises(DataError, match=r"bigdl-torch\[spark\]"):
        Optimizer(classifier(), Rdd(), nll(), MaxEpoch(1), 2)


def test_samples_of_different_shapes():
    rows = [Sample.from_ndarray(np.ones(4), 1), Sample.from_ndarray(np.ones(3), 1)]
    with pytest.raises(DataError, match=r"Sample 0 has \[\(4,\)\], sample 1 has \[\(3,\)\]"):
        Optimizer(classifier(), rows, nll(), MaxEpoch(1), 2)


@pytest.mark.parametrize(
    ("wrong", "criterion", "message"),
    [
        (0, nll(), "expects class labels from 1 to 3 .*Received: labels from 0 to 2"),
        (4, CrossEntropyCriterion(), "expects class labels from 1 to 3 .*Received: labels from 1 to 4"),
        (1.5, nll(), "whole numbers. Received: 1.5"),
    ],
)
def test_labels_out_of_range_are_found_before_the_first_step(x, labels, wrong, criterion, message):
    model = classifier()
    before = model.get_weights()[0]
    labels = labels.astype(type(wrong))
    labels[-1] = wrong
    with pytest.raises(DataError, match=message):
        Optimizer(model, (x, labels), criterion, MaxEpoch(1), 2).optimize(verbose=0)
    optimizer = Optimizer(model, (x[:4], [1, 2, 3, 1]), criterion, MaxEpoch(1), 2)
    optimizer.set_validation(2, (x, labels), EveryEpoch())
    with pytest.raises(DataError, match=message):
        optimizer.optimize(verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_what_validation_cannot_take_is_found_before_the_first_step(x, labels):
    model = classifier()
    before = model.get_weights()[0]
    optimizer = Optimizer(model, (x, labels), nll(), MaxEpoch(1), 20)
    optimizer.set_validation(20, (x, np.ones((ROWS, 2))), EveryEpoch(), [Loss(MSECriterion())])
    with pytest.raises(DataError, match=r"one class label for each row|target of the output's shape"):
        optimizer.optimize(verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_validation_refuses(x, labels):
    optimizer = Optimizer(classifier(), (x, labels), nll(), MaxEpoch(1), 20)
    with pytest.raises(DataError, match="val_method must be a list of validation methods"):
        optimizer.set_validation(20, (x, labels), EveryEpoch(), ["Top1Accuracy"])
    with pytest.raises(DataError, match="trigger must be a trigger"):
        optimizer.set_validation(20, (x, labels), None)


def test_a_loss_that_is_not_finite_names_the_place(x, labels):
    x[:, 1] = np.inf
    with pytest.raises(TrainingError, match=r"epoch 1, iteration 1 .*the loss is nan \(ClassNLLCriterion is nan\)"):
        Optimizer(classifier(), (x, labels), nll(), MaxEpoch(1), 20).optimize(verbose=0)
