"""Networks of dense layers that are trained without torch's record, beside their layers."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.keras import backend as K
from bigdl.keras.layers import Dense, Dropout
from bigdl.keras.models import Sequential
from bigdl.keras.objectives import categorical_crossentropy
from bigdl.keras.optimizers import SGD
from bigdl.native import kernels
from bigdl.programs import dropping
from bigdl.programs.direct_chain import DirectChain
from bigdl.training import step
from bigdl.training.criterion_goal import CriterionGoal
from bigdl.training.criterions import MSECriterion
from bigdl.training.criterions_tables import ParallelCriterion

pytestmark = pytest.mark.skipif(kernels() is None, reason="the kernels were not built")

ROWS, FEATURES, CLASSES = 23, 7, 4
random = np.random.RandomState(0)
X = random.normal(size=(ROWS, FEATURES)).astype("float32")
Y = np.eye(CLASSES, dtype="float32")[random.randint(0, CLASSES, ROWS)]


@pytest.fixture
def direct(monkeypatch):
    """How often a network was run without torch's record."""
    runs: list[DirectChain] = []
    run = DirectChain.run

    def noted(self: DirectChain, x: torch.Tensor) -> torch.Tensor:
        runs.append(self)
        return run(self, x)

    monkeypatch.setattr(DirectChain, "run", noted)
    return runs


def classifier(**arguments: Any) -> Any:
    first = Dense(12, activation="relu", input_dim=FEATURES, **arguments)
    layers = [first, Dropout(0.3), Dense(9, activation="tanh", bias=False), Dense(CLASSES, activation="softmax")]
    return Sequential(layers)


def trained(model: Any, loss: Any = "categorical_crossentropy", epochs: int = 3, **arguments: Any) -> list[Any]:
    """Returns the losses of a model and its weights after training, with the same dropped each time."""
    weights = model.get_weights()
    torch.manual_seed(1)
    model.compile(SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
    history = model.fit(X, Y, batch_size=10, nb_epoch=epochs, shuffle=False, verbose=0, **arguments)
    after = model.get_weights()
    model.set_weights(weights)
    return [history.history["loss"], history.history["acc"], *after]


def by_layers(model: Any, monkeypatch: Any, *arguments: Any, **more: Any) -> list[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(step, "program_for", lambda *_: None)
        patch.setattr(dropping, "kernels", lambda: None)
        patch.setattr("bigdl.training.graded.GRADED", {})
        return trained(model, *arguments, **more)


def assert_equal(found: list[Any], expected: list[Any]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def weighing(model: Any) -> Any:
    """Returns an objective that looks at weights of the model by itself."""

    def objective(y_true: Any, y_pred: Any) -> Any:
        return categorical_crossentropy(y_true, y_pred) + 0.01 * K.sum(K.square(model.layers[0].W))

    return objective


CASES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "plain": (classifier, "categorical_crossentropy", {}),
    "another objective": (classifier, "mse", {}),
    "penalties": (lambda: classifier(W_regularizer="l2", b_regularizer="l1"), "categorical_crossentropy", {}),
    "constraints": (lambda: classifier(W_constraint="maxnorm"), "categorical_crossentropy", {}),
    "weights of classes": (classifier, "categorical_crossentropy", {"class_weight": {0: 1, 1: 0.5, 2: 3, 3: 0}}),
    "weights of samples": (classifier, "binary_crossentropy", {"sample_weight": np.linspace(0, 2, ROWS)}),
    "frozen": (lambda: classifier(trainable=False), "categorical_crossentropy", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_training_is_that_of_the_layers(direct, monkeypatch, case):
    make, loss, arguments = CASES[case]
    model = make()
    assert_equal(trained(model, loss, **arguments), by_layers(model, monkeypatch, loss, **arguments))
    assert len(direct) == 9


def test_an_objective_that_looks_at_weights_itself(direct, monkeypatch):
    model = classifier()
    objective = weighing(model)
    found = trained(model, objective)
    assert_equal(found, by_layers(model, monkeypatch, objective))
    assert len(direct) == 9
    with pytest.raises(AssertionError):
        assert_equal(found, trained(model))


def test_an_objective_that_does_not_look_at_the_output(direct):
    model = classifier()
    before = model.get_weights()
    model.compile(SGD(0.1), lambda y_true, y_pred: 0.5 * K.sum(K.square(model.layers[0].W)) + 0 * y_true)
    model.train_on_batch(X, Y)
    np.testing.assert_allclose(model.get_weights()[0], 0.9 * before[0], rtol=1e-5)
    for now, then in zip(model.get_weights()[1:], before[1:], strict=True):
        np.testing.assert_array_equal(now, then)
    assert len(direct) == 1


def test_several_models_and_steps_in_turn(direct, monkeypatch):
    models = [classifier(), classifier()]
    expected = [by_layers(model, monkeypatch, epochs=1) for model in models]
    for model in models:
        model.compile(SGD(0.1, momentum=0.9), "categorical_crossentropy")
    torch.manual_seed(1)
    for start in (0, 10, 20):
        for model in models:
            state = torch.get_rng_state()
            model.train_on_batch(X[start : start + 10], Y[start : start + 10])
            if model is models[0]:
                torch.set_rng_state(state)
    for model, (_, _, *weights) in zip(models, expected, strict=True):
        assert_equal(model.get_weights(), weights)


def test_weights_that_move_elsewhere(direct, monkeypatch):
    model = classifier()
    (expected,) = [by_layers(model, monkeypatch, epochs=2)[2:]]
    model.compile(SGD(0.1, momentum=0.9), "categorical_crossentropy")
    torch.manual_seed(1)
    for _ in range(2):
        for start in (0, 10, 20):
            model.train_on_batch(X[start : start + 10], Y[start : start + 10])
            for parameter in model.parameters():
                parameter.data = parameter.data.clone()
    assert_equal(model.get_weights(), expected)
    assert len(direct) == 6


def test_the_output_of_a_step_stays_as_it_is():
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def look(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor:
        seen.append((y_pred, y_pred.clone()))
        return y_pred.sum()

    model = classifier()
    model.compile("sgd", "mse", metrics=[look])
    model.fit(X, Y, batch_size=10, nb_epoch=2, verbose=0)
    assert all(torch.equal(now, then) for now, then in seen)


def test_what_torch_has_to_record_is_recorded(direct, monkeypatch):
    shared = Dense(FEATURES, activation="tanh", input_dim=FEATURES)
    twice = Sequential([shared, shared, Dense(CLASSES, activation="softmax")])
    watched = classifier()
    seen: list[torch.Tensor] = []
    next(watched.parameters()).register_hook(seen.append)
    for model in (twice, watched):
        assert_equal(trained(model), by_layers(model, monkeypatch))
    assert len(seen) == 18
    assert not direct


def test_a_batch_of_another_type(direct, monkeypatch):
    model = classifier().double()
    assert_equal(trained(model), by_layers(model, monkeypatch))
    assert not direct


def test_a_loss_that_is_not_finite_moves_nothing(direct):
    model = classifier()
    model.compile("sgd", "categorical_crossentropy")
    before = model.get_weights()
    x = X.copy()
    x[3, 2] = np.nan
    with pytest.raises(Exception, match="loss is nan"):
        model.train_on_batch(x, Y)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert len(direct) == 1


def test_criterions_that_may_look_at_weights():
    assert CriterionGoal(MSECriterion()).is_of_outputs
    for criterion in (ParallelCriterion().add(MSECriterion()), lambda output, target: output.sum()):
        assert not CriterionGoal(criterion).is_of_outputs
