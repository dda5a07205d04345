"""Dense layers in one call each way, beside the layers themselves."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bigdl.keras.layers import Activation, BatchNormalization, Dense, Dropout, Input, merge
from bigdl.keras.models import Model, Sequential
from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import chains, dropping, program_for
from bigdl.programs.native_chains import NativeChain
from bigdl.programs.structures import ACTIVATIONS

SETS = found.instruction_sets if (found := kernels()) else []

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels were not built")


@pytest.fixture(params=SETS)
def library(request, monkeypatch):
    """The library with one of its instruction sets, used by chains."""
    library = Library(LIBRARY, request.param)
    monkeypatch.setattr(chains, "kernels", lambda: library)
    return library


@pytest.fixture
def calls(monkeypatch):
    """The functions that chains call."""
    names: list[str] = []
    run = NativeChain.run

    def noted(self: NativeChain, name: str, *rest: Any) -> None:
        names.append(name)
        run(self, name, *rest)

    monkeypatch.setattr(NativeChain, "run", noted)
    return names


def tower(*widths: int) -> Any:
    """Dense layers with all that may follow them."""
    model = Sequential([Dense(widths[0], activation="relu", input_dim=widths[-1]), Dropout(0.2)])
    for i, width in enumerate(widths[1:]):
        model.add(Dense(width, activation=[*sorted(ACTIVATIONS), "linear"][i % 7], bias=i != 1))
        if i % 3 == 2:
            model.add(Dropout(0.3))
    return model


def mixed(*widths: int) -> Any:
    """Dense layers with all that may stand between them."""
    first, second, third, inputs = widths
    layers = [Dense(first, input_dim=inputs), BatchNormalization(), Activation("relu"), Dropout(0.2)]
    layers += [Dense(second, activation="tanh"), Dropout(0.3), BatchNormalization(mode=2), Activation("sigmoid")]
    layers += [Dense(third, activation="relu"), BatchNormalization(momentum=0.5), Dense(7, activation="softmax")]
    layers += [Dropout(0.1), BatchNormalization(epsilon=0.1)]
    model: Any = Sequential(layers)
    random = np.random.RandomState(0)
    model.set_weights([random.uniform(-0.5, 1.0, w.shape) for w in model.get_weights()])
    return model.train()


def running_values(model: Any) -> list[Tensor]:
    return [buffer.clone() for buffer in model.buffers()]


def kinds(model: Any) -> list[list[str]]:
    program = program_for(model, training=True)
    assert program is not None
    return [
        [type(part).__name__ for part in getattr(operation, "parts", [operation])] for operation in program.operations
    ]


def run_both_ways(model: Any, x: Tensor, wanted: list[Tensor], by_layers: bool = False) -> list[Tensor]:
    """Returns a model's output for rows, with the same dropped each time, and gradients."""
    torch.manual_seed(1)
    program = program_for(model, training=True)
    assert program is not None
    y = model.run(x)[0] if by_layers else program.run([x])[0]
    torch.manual_seed(2)
    return [y.detach(), *torch.autograd.grad(((y - torch.rand(y.shape).to(y)) ** 2).mean(), wanted)]


def assert_equal_to_the_layers(model: Any, x: Tensor, wanted: list[Tensor], monkeypatch: Any) -> None:
    found = run_both_ways(model, x, wanted)
    with monkeypatch.context() as patch:
        patch.setattr(dropping, "kernels", lambda: None)
        expected = run_both_ways(model, x, wanted, by_layers=True)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-6)


# All activations; then sizes whose products are computed by tiles, where there are some.
@pytest.mark.parametrize(("rows", "widths"), [(37, (33, 20, 17, 5, 31, 16, 8, 3)), (150, (256, 130, 6, 200, 140))])
def test_results_and_gradients_are_those_of_the_layers(library, calls, monkeypatch, rows, widths):
    model = tower(*widths)
    model.train()
    x = torch.randn(rows, widths[-1], requires_grad=True)
    assert_equal_to_the_layers(model, x, [*model.parameters(), x], monkeypatch)
    chain = NativeChain(program_for(model, training=True).operations[0], library)  # type: ignore[union-attr,arg-type]
    suits = chain.suits(rows, chain.weights())
    assert calls == (["bigdl_chain", "bigdl_chain_gradient"] if suits else [])
    assert suits or max(widths) > 100


def test_only_what_is_wanted_is_computed(calls, monkeypatch):
    model = tower(30, 20, 10, 5)
    model.train()
    weights = list(model.parameters())
    for first in range(len(weights)):
        for weight in weights[:first]:
            weight.requires_grad_(False)
        assert_equal_to_the_layers(model, torch.randn(9, 5), weights[first:], monkeypatch)
    x = torch.randn(9, 5, requires_grad=True)
    weights[-1].requires_grad_(False)
    assert_equal_to_the_layers(model, x, [x], monkeypatch)
    assert calls == ["bigdl_chain", "bigdl_chain_gradient"] * (len(weights) + 1)


def test_a_layer_that_is_used_twice(calls, monkeypatch):
    shared = Dense(12, activation="tanh", input_dim=12)
    model = Sequential([shared, Dense(12, activation="relu"), shared])
    model.train()
    assert_equal_to_the_layers(model, torch.randn(9, 12), list(model.parameters()), monkeypatch)
    assert len(calls) == 2


def test_what_is_taken_elsewhere_ends_a_chain():
    x = Input((8,))
    first = Dense(8, activation="relu")(x)
    second = Dense(8, activation="sigmoid")(first)
    model = Model(x, [Dense(3)(merge([first, second], mode="sum")), second])
    assert kinds(model) == [["Multiply"], ["Multiply", "Apply"], ["Add"], ["Multiply"]]


@pytest.mark.parametrize(("rows", "widths"), [(37, (33, 20, 17, 30)), (6, (5, 40, 130, 9)), (64, (70, 64, 33, 20))])
def test_what_is_between_is_part_of_a_chain(library, calls, monkeypatch, rows, widths):
    model, exact = mixed(*widths), mixed(*widths).double()
    x = torch.randn(rows, widths[-1], requires_grad=True)
    found = run_both_ways(model, x, [*model.parameters(), x]) + running_values(model)
    assert calls == ["bigdl_chain", "bigdl_chain_gradient"]
    with monkeypatch.context() as patch:
        patch.setattr(dropping, "kernels", lambda: None)
        y = x.detach().double().requires_grad_()
        expected = run_both_ways(exact, y, [*exact.parameters(), y], by_layers=True) + running_values(exact)
    for ours, theirs in zip(found, expected, strict=True):
        scale = max(1.0, float(theirs.abs().max()))
        torch.testing.assert_close(ours.double() / scale, theirs / scale, rtol=2e-4, atol=1e-5)


def test_chains_hold_what_is_between_products():
    layers = [Dense(6, input_dim=4), BatchNormalization(), Activation("relu"), Dropout(0.5), Dense(6)]
    parts = [["Multiply", "Normalize", "Drop", "Multiply"]]
    assert kinds(Sequential(layers)) == parts
    assert kinds(Sequential([BatchNormalization(input_shape=(4,)), *layers])) == [["Normalize", *parts[0]]]
    assert kinds(Sequential([BatchNormalization(input_shape=(4,)), Activation("softmax")])) == [
        ["Normalize"],
        ["Apply"],
    ]


def test_normalization_by_known_values_is_left_to_the_layers(calls):
    model = mixed(9, 8, 7, 6)
    model.layers[1].eval()
    program = program_for(model, training=True)
    assert program is not None
    before = running_values(model.layers[1])
    program.run([torch.randn(5, 6)])
    assert not calls
    assert all(map(torch.equal, running_values(model.layers[1]), before))


def test_products_of_another_rank_and_activations_of_activations_are_no_part():
    model = Sequential([Dense(6, activation="relu", input_dim=4), Activation("tanh"), Dense(5, activation="tanh")])
    model.add(Activation("sigmoid"))
    assert kinds(model) == [["Multiply"], ["Apply"], ["Multiply", "Apply"], ["Apply"]]


@pytest.mark.parametrize("kind", ["double", "gaps", "bf16", "others are quicker", "none"])
def test_what_the_kernels_do_not_take_is_computed_by_the_layers_one_by_one(calls, monkeypatch, kind):
    model = tower(30, 20, 10, 5)
    model.train()
    x = torch.randn(9, 5)
    if kind == "double":
        model, x = model.double(), x.double()
    elif kind == "gaps":
        x = torch.randn(9, 8)[:, :5]
    elif kind == "others are quicker":
        monkeypatch.setattr(NativeChain, "suits", lambda self, rows, weights: False)
    elif kind == "none":
        x = x[:0]
    if kind in ("double", "gaps", "others are quicker"):
        assert_equal_to_the_layers(model, x, list(model.parameters()), monkeypatch)
    else:
        program = program_for(model, training=True, in_bf16=kind == "bf16")
        assert program is not None
        assert program.run([x])[0].shape == (len(x), 5)
    assert not calls


def test_a_second_derivative_is_refused():
    model = tower(6, 4, 5)
    x = torch.randn(3, 5, requires_grad=True)
    program = program_for(model, training=True)
    assert program is not None
    (gradient,) = torch.autograd.grad((program.run([x])[0] ** 2).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_a_value_that_is_not_finite_is_seen(library):
    model = tower(33, 20, 5)
    program = program_for(model, training=True)
    assert program is not None
    x = torch.randn(6, 5)
    x[2, 3] = torch.nan
    finite = torch.isfinite(program.run([x])[0]).all(1)
    assert finite.tolist() == [True, True, False, True, True, True]


def test_any_number_of_threads_gives_the_same_numbers(library):
    by_tiles = library.instruction_sets[library.set] == "amx"
    model = tower(*((256, 130, 6, 200, 140) if by_tiles else (90, 60, 17, 40, 20, 10, 6, 8)))
    model.train()
    x = torch.randn(150, 140 if by_tiles else 8)
    alone = run_both_ways(model, x, list(model.parameters()))
    try:
        for count in (2, 3):
            torch.set_num_threads(count)
            for ours, before in zip(run_both_ways(model, x, list(model.parameters())), alone, strict=True):
                assert torch.equal(ours, before)
    finally:
        torch.set_num_threads(1)
