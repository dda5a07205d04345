"""Whole sequences by the kernels: what they compute is what single steps do, and what Keras does."""

import contextlib
import math
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from bigdl.errors import DataError
from bigdl.graph import Input
from bigdl.layers import GRU, LSTM, SimpleRNN, activations
from bigdl.layers.recurrent import base
from bigdl.layers.recurrent.cells import LSTMCell
from bigdl.layers.recurrent.kernels import kernel_for, native
from bigdl.layers.recurrent.kernels.native import NativeKernel, native_kernel
from bigdl.layers.recurrent.kernels.slopes import SLOPES
from bigdl.layers.recurrent.kernels.stepwise import StepwiseKernel
from bigdl.models import Model
from bigdl.native import LIBRARY, Library
from tests.golden_cases import CASES

CELLS = [SimpleRNN, GRU, LSTM]

NATIVE: dict[str, Any] = {}
if found := native_kernel():
    NATIVE = {name: NativeKernel(Library(LIBRARY, name)) for name in found.library.instruction_sets}
KERNELS = {**NATIVE, "stepwise": StepwiseKernel()}
# The kernel in Python is for LSTM and GRU.
WITH_CELLS = [(name, cls) for name in KERNELS for cls in CELLS if name in NATIVE or cls is not SimpleRNN]

BATCH, STEPS, FEATURES, UNITS = 13, 5, 3, 21


@contextlib.contextmanager
def running_by(kernel: Any):
    """Runs recurrent layers by this kernel, and by none for None."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "kernel_for", lambda *_: kernel)
        yield


def built(cls: Any, units: int = UNITS, batch: int | None = None, **options: Any) -> Any:
    layer = cls(units, **options)
    layer(Input(batch_shape=(batch, None, FEATURES)))
    for weight in layer.weights:
        weight.assign(torch.randn(weight.shape) / math.sqrt(units))
    return layer


def results(layer: Any, kernel: Any, x: Tensor, mask: Tensor | None) -> list[Tensor]:
    """The output, the gradients and, of a stateful layer, the state."""
    torch.manual_seed(7)  # of dropout
    layer.reset_states()
    x = x.clone().requires_grad_()
    with running_by(kernel):
        if layer.stateful:
            layer(x.detach().flip(0), mask=mask)  # the state that the second call starts from
        y = layer(x, mask=mask)
        with torch.inference_mode():
            training, layer.training = layer.training, False
            predicted = layer(x, mask=mask)
            layer.training = training
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape)
    gradients = torch.autograd.grad((y * weights).sum(), [x, *layer.parameters()])
    return [y.detach(), predicted, *gradients, *(state.clone() for state in layer.states)]


def random_mask() -> Tensor:
    mask = torch.rand(BATCH, STEPS) < 0.6
    mask[0], mask[1] = False, True
    return mask


VARIANTS: dict[str, dict[str, Any]] = {
    "last": {},
    "sequences": {"return_sequences": True},
    "backwards": {"go_backwards": True},
    "backwards sequences": {"go_backwards": True, "return_sequences": True},
    "dropout": {"dropout_W": 0.3, "dropout_U": 0.4, "return_sequences": True},
    "joint dropout": {"dropout_W": 0.3, "dropout_U": 0.4, "consume_less": "gpu", "go_backwards": True},
    "stateful": {"stateful": True, "batch": BATCH, "return_sequences": True},
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("kernel", "cls"), WITH_CELLS)
def test_the_same_as_step_by_step(kernel, cls, variant, masked):
    layer = built(cls, **VARIANTS[variant]).double()
    x, mask = torch.randn(BATCH, STEPS, FEATURES, dtype=torch.float64), random_mask() if masked else None
    expected = results(layer, None, x, mask)
    # torch computes the slope of its hardsigmoid, 1 / 6, in single precision.
    for ours, theirs in zip(results(layer, KERNELS[kernel], x, mask), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)


# Every height of a tile, panels of every width, whole and in part; more rows and columns than are done at once.
@pytest.mark.parametrize(("batch", "units"), [(1, 1), (2, 70), (3, 15), (4, 16), (5, 64), (6, 35), (60, 21), (50, 130)])
@pytest.mark.parametrize(("kernel", "cls"), WITH_CELLS)
def test_sizes(kernel, cls, batch, units):
    layer = built(cls, units, return_sequences=True)
    x = torch.randn(batch, 3, FEATURES)
    for ours, theirs in zip(results(layer, KERNELS[kernel], x, None), results(layer, None, x, None), strict=True):
        scale = max(1.0, float(theirs.abs().max()))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5 * scale)


def activations_of(kernel: Any) -> Any:
    return native.ACTIVATIONS if isinstance(kernel, NativeKernel) else SLOPES


EVERY_ACTIVATION = [(*pair, activation) for pair in WITH_CELLS for activation in activations_of(KERNELS[pair[0]])]


@pytest.mark.parametrize(("kernel", "cls", "activation"), EVERY_ACTIVATION)
def test_activations(kernel, cls, activation):
    options = {} if cls is SimpleRNN else {"inner_activation": activation}
    layer = built(cls, activation=activation, return_sequences=True, **options).double()
    x = torch.randn(BATCH, STEPS, FEATURES, dtype=torch.float64)
    for ours, theirs in zip(results(layer, KERNELS[kernel], x, None), results(layer, None, x, None), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("activation", native.ACTIVATIONS)
@pytest.mark.parametrize("kernel", NATIVE)
def test_activations_in_single_precision(kernel, activation):
    """Against double precision, from where they are nearly linear to where they saturate or overflow."""
    sizes = torch.logspace(-30, 38, 4000)
    x = torch.cat([-sizes, torch.zeros(1), sizes, torch.linspace(-20, 20, 4000), torch.tensor([math.inf, -math.inf])])
    layer = SimpleRNN(1, activation=activation, weights=[np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1)])
    with running_by(KERNELS[kernel]), torch.no_grad():
        y = layer(x.view(-1, 1, 1)).flatten()
    expected = activation(x.double())
    eps = torch.finfo(torch.float32).eps
    # hard_sigmoid subtracts near the end of its slope. Keras's own softsign of infinity is not a number either.
    near_zero = eps / 2 if activation is activations.hard_sigmoid else 1e-37
    torch.testing.assert_close(y.double(), expected, rtol=3 * eps, atol=near_zero, equal_nan=True)


@pytest.mark.parametrize("activation", native.ACTIVATIONS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_what_is_no_number_stays_so(kernel, activation):
    layer = built(GRU, activation=activation, inner_activation=activation)
    x = torch.zeros(3, STEPS, FEATURES)
    x[1, 2, 0] = math.nan
    with running_by(KERNELS[kernel]):
        y = layer(x)
    assert y[1].isnan().all()
    assert y[[0, 2]].isfinite().all()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("kernel", "cls"), WITH_CELLS)
def test_gradients(kernel, cls, masked):
    inner: dict[str, Any] = {} if cls is SimpleRNN else {"inner_activation": "sigmoid"}
    layer = built(cls, 3, go_backwards=True, return_sequences=True, **inner).double()
    names = [name for name, _ in layer.named_parameters()]
    x = torch.randn(3, 3, FEATURES, dtype=torch.float64, requires_grad=True)
    mask = random_mask()[:3, :3] if masked else None

    def run(x, *parameters):
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,), {"mask": mask})

    with running_by(KERNELS[kernel]):
        assert torch.autograd.gradcheck(run, (x, *layer.parameters()))
        assert torch.autograd.gradgradcheck(run, (x, *layer.parameters()), fast_mode=True)


@pytest.mark.parametrize("frozen", ["x", "weight", "recurrent_weight", "bias"])
def test_gradients_that_are_not_wanted(frozen):
    layer = built(LSTM)
    tensors = {"x": torch.randn(2, STEPS, FEATURES), **dict(layer.named_parameters())}
    for name, tensor in tensors.items():
        tensor.requires_grad_(name != frozen)
    layer(tensors["x"]).sum().backward()
    assert {name for name, tensor in tensors.items() if tensor.grad is None} == {frozen}


def test_gradients_twice():
    layer, x = built(GRU), torch.randn(2, STEPS, FEATURES)
    y = layer(x).sum()
    once, twice = (torch.autograd.grad(y, list(layer.parameters()), retain_graph=True) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(once, twice, strict=True))


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
def test_outputs_may_be_changed(kernel, sequences):
    layer, x = built(LSTM, return_sequences=sequences), torch.randn(1, STEPS, FEATURES)
    with running_by(KERNELS[kernel]):
        expected = torch.autograd.grad((layer(x) * 2).sum(), list(layer.parameters()))
        received = torch.autograd.grad(layer(x).mul_(2).sum(), list(layer.parameters()))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(received, expected, strict=True))


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_output_keeps_itself_alive(kernel):
    with running_by(KERNELS[kernel]):
        y = built(LSTM)(torch.randn(2, STEPS, FEATURES))
    weak = weakref.ref(y)
    del y
    assert weak() is None


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("cls", CELLS)
@pytest.mark.parametrize("kernel", NATIVE)
def test_threads_change_nothing(kernel, cls):
    layer = built(cls, 96, return_sequences=True)
    x = torch.randn(33, 40, FEATURES)
    divided = results(layer, NATIVE[kernel], x, None)
    torch.set_num_threads(1)
    alone = NativeKernel(Library(LIBRARY, kernel))
    alone.library.parallel_for = None
    for other in (NATIVE[kernel], alone):
        for ours, theirs in zip(results(layer, other, x, None), divided, strict=True):
            assert torch.equal(ours, theirs)


# Gradients that fade over hundreds of steps end among numbers below 1e-38.
@pytest.mark.parametrize("kernel", NATIVE)
def test_gradients_that_fade(kernel):
    layer = built(SimpleRNN, activation="linear")
    with torch.no_grad():
        layer.recurrent_weight.mul_(0.1)
    x = torch.randn(2, 100, FEATURES)
    for ours, theirs in zip(results(layer, KERNELS[kernel], x, None), results(layer, None, x, None), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-37)


# Keras's numbers, step by step; the other tests of the goldens run the best kernel.
RECURRENT = [case for case in CASES if case.family in ("recurrent", "bidirectional")]


@pytest.mark.parametrize("case", RECURRENT, ids=lambda case: case.name)
def test_goldens(case):
    model = Model.load_keras(case.definition, case.weights)
    x = case.arrays("x")
    with running_by(None):
        received = model.predict(x if len(x) > 1 else x[0], batch_size=len(x[0]))
    for ours, theirs in zip(received if isinstance(received, list) else [received], case.arrays("y"), strict=True):
        assert np.abs(ours - theirs).max() <= 1e-5 * max(1.0, np.abs(theirs).max())


# Which path is taken.


def kernel_of(layer: Any, x: Tensor) -> Any:
    return kernel_for(layer.cell(layer.recurrent_weight, None), x, *layer.parameters())


def test_the_kernel_for_each_activation():
    x = torch.randn(2, STEPS, FEATURES)
    assert isinstance(kernel_of(built(LSTM), x), NativeKernel if NATIVE else StepwiseKernel)
    assert isinstance(kernel_of(built(SimpleRNN), x), NativeKernel if NATIVE else type(None))
    assert kernel_of(built(SimpleRNN, activation="elu"), x) is None
    with torch.no_grad():
        assert kernel_of(built(LSTM, activation="softplus"), x) is None
    assert isinstance(kernel_of(built(LSTM, activation="softplus"), x), StepwiseKernel)
    assert kernel_of(built(GRU, inner_activation="softmax"), x) is None
    assert kernel_of(built(LSTM, activation=lambda x: x * torch.sigmoid(x)), x) is None


def test_cells_of_the_user_are_run_step_by_step():
    class Forgetful(LSTMCell):
        def step(self, inputs, state):
            h, c = super().step(inputs, state)
            return h, c * 0

    class Layer(LSTM):
        def cell(self, weight, masks):
            return Forgetful(weight, masks, self.activation, self.inner_activation)

    layer, x = built(Layer), torch.randn(2, STEPS, FEATURES)
    assert kernel_of(layer, x) is None
    remembering = built(LSTM)
    remembering.set_weights(layer.get_weights())
    torch.testing.assert_close(layer(x[:, :1]), remembering(x[:, :1]))
    assert not torch.allclose(layer(x), remembering(x))


def test_empty_batches():
    layer, x = built(GRU), torch.zeros(0, STEPS, FEATURES)
    assert layer(x).shape == (0, UNITS)
    layer(x).sum().backward()
    assert layer.recurrent_weight.grad.eq(0).all()


@pytest.mark.parametrize("shape", [(2, STEPS, FEATURES + 1), (STEPS, FEATURES), (2, 3, STEPS, FEATURES)])
def test_inputs_of_another_shape(shape):
    with pytest.raises(DataError, match=r"'lstm_1' .LSTM. takes .batch, time, 3.. Received: shape .*"):
        built(LSTM)(torch.zeros(shape))


@pytest.mark.parametrize("kernel", KERNELS)
def test_masks(kernel):
    layer, x, mask = built(LSTM), torch.randn(BATCH, STEPS, FEATURES), random_mask()
    with running_by(KERNELS[kernel]):
        assert torch.equal(layer(x, mask=mask.float()), layer(x, mask=mask.t().contiguous().t()))
        with pytest.raises(RuntimeError, match="size"):
            layer(x, mask=mask[:, 1:])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_other_precisions_are_run_step_by_step(dtype):
    layer, x = built(LSTM).to(dtype), torch.randn(2, STEPS, FEATURES).to(dtype)
    assert kernel_of(layer, x) is None
    assert layer(x).dtype == dtype


def test_autocast_leaves_single_precision():
    layer, x = built(LSTM), torch.randn(2, STEPS, FEATURES)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x.bfloat16())
    assert torch.equal(y, layer(x.bfloat16().float()))
    y.sum().backward()
    assert layer.weight.grad.dtype == torch.float32


# torch compiles rules of its own the first time.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_transformations_of_torch():
    layer, x = built(GRU).eval(), torch.randn(2, STEPS, FEATURES)
    slopes = torch.func.jacrev(layer)(x)
    torch.testing.assert_close(slopes, torch.autograd.functional.jacobian(layer, x))
    torch.testing.assert_close(torch.func.jacfwd(layer)(x), slopes)
    torch.testing.assert_close(torch.func.vmap(layer)(x.unsqueeze(1)), layer(x).unsqueeze(1))
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        tangent = torch.autograd.forward_ad.unpack_dual(layer(dual)).tangent
    torch.testing.assert_close(tangent, slopes.sum((2, 3, 4)))


@pytest.mark.filterwarnings("ignore:.torch.jit.trace.* is deprecated", "ignore::torch.jit.TracerWarning")
def test_a_traced_layer_computes_by_torch_alone():
    layer, x = built(LSTM).eval(), torch.randn(2, STEPS, FEATURES)
    program = torch.export.export(layer, (x,))
    with torch.no_grad():
        torch.testing.assert_close(program.module()(x), layer(x))
    assert "addmm" in str(program)  # in the step of its loop
    traced = torch.jit.trace(layer, x)
    torch.testing.assert_close(traced(x), layer(x))
