"""Convolutions: 1D, 2D, 3D, atrous, transposed, separable, locally connected."""

from itertools import product

from keras import regularizers
from keras.layers import (
    AtrousConvolution1D,
    AtrousConvolution2D,
    Convolution1D,
    Convolution2D,
    Convolution3D,
    Deconvolution2D,
    Dense,
    Flatten,
    LocallyConnected1D,
    LocallyConnected2D,
    SeparableConvolution2D,
)
from make_write import Family

conv1d, conv2d, conv3d = Family("conv1d"), Family("conv2d"), Family("conv3d")
atrous, deconv, separable, local = Family("atrous"), Family("deconv"), Family("separable"), Family("local")
BORDERS = ("valid", "same")


def tag(*numbers):
    """``tag(2, (3, 1))`` is ``"2_31"``."""
    return "_".join("".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in numbers)


# Convolution1D
for border, length, stride in product(BORDERS, (1, 2, 3), (1, 2, 3)):
    name = f"{border}_k{length}_s{stride}"
    conv1d.layer(name, Convolution1D, 3, length, border_mode=border, subsample_length=stride, shape=(7, 2))
for border, stride in product(BORDERS, (1, 2)):
    name = f"even_{border}_s{stride}"
    conv1d.layer(name, Convolution1D, 3, 4, border_mode=border, subsample_length=stride, shape=(8, 2))
conv1d.layer("no_bias", Convolution1D, 3, 3, bias=False, shape=(7, 2))
conv1d.layer("relu", Convolution1D, 3, 3, activation="relu", shape=(7, 2))
conv1d.layer("softmax", Convolution1D, 3, 3, activation="softmax", border_mode="same", shape=(7, 2))
conv1d.layer("input_dim_length", Convolution1D, 3, 3, input_dim=2, input_length=7)
conv1d.layer("input_dim_open", Convolution1D, 3, 3, input_dim=2)
conv1d.layer("open_same_stride", Convolution1D, 3, 3, input_dim=2, border_mode="same", subsample_length=2)
conv1d.layer("kernel_longer_than_input", Convolution1D, 3, 5, border_mode="same", shape=(3, 2))
conv1d.layer("square_kernel", Convolution1D, 3, 3, shape=(7, 3))
conv1d.layer("penalties", Convolution1D, 3, 3, W_regularizer="l2", W_constraint="maxnorm", shape=(7, 2))

# Convolution2D
for border, kernel, stride in product(BORDERS, [(3, 3), (2, 3), (4, 2)], [(1, 1), (2, 2), (1, 3)]):
    name = f"{border}_k{tag(kernel)}_s{tag(stride)}"
    conv2d.both(name, Convolution2D, 3, *kernel, border_mode=border, subsample=stride)
for border, stride in product(BORDERS, [(2, 2), (3, 3)]):
    name = f"odd_{border}_s{tag(stride)}"
    conv2d.both(name, Convolution2D, 2, 3, 3, border_mode=border, subsample=stride, size=(7, 7), channels=1)
for activation in ("relu", "tanh", "sigmoid", "hard_sigmoid", "elu", "softplus"):
    conv2d.both(activation, Convolution2D, 2, 2, 2, activation=activation, size=(4, 4))
conv2d.both("one_by_one", Convolution2D, 4, 1, 1)
conv2d.both("one_by_one_stride", Convolution2D, 4, 1, 1, subsample=(2, 2), border_mode="same")
conv2d.both("no_bias", Convolution2D, 3, 3, 3, bias=False)
conv2d.both("whole_image", Convolution2D, 3, 6, 5)
conv2d.both("kernel_larger_than_input", Convolution2D, 3, 5, 5, border_mode="same", size=(3, 4))
conv2d.both("square_channels", Convolution2D, 3, 3, 3, channels=3, size=(5, 5))
conv2d.both("penalties", Convolution2D, 3, 3, 3, W_regularizer=regularizers.l1l2(), b_constraint="nonneg")
conv2d.layer("open_size_tf", Convolution2D, 3, 3, 3, border_mode="same", shape=(None, None, 2))
conv2d.layer("open_size_th", Convolution2D, 3, 3, 3, subsample=(2, 2), shape=(2, None, None), ordering="th")
conv2d.layer("explicit_th", Convolution2D, 3, 3, 3, dim_ordering="th", shape=(2, 6, 5))
conv2d.layer("explicit_tf", Convolution2D, 3, 3, 3, dim_ordering="tf", shape=(6, 5, 2), ordering="th")
for ordering, shape in (("tf", (5, 6, 2)), ("th", (2, 5, 6))):
    conv2d.stack(
        "flatten_dense_" + ordering,
        shape,
        lambda: [Convolution2D(3, 2, 3, activation="relu"), Convolution2D(2, 2, 2), Flatten(), Dense(3)],
        ordering=ordering,
    )

# Convolution3D
for border, kernel, stride in product(BORDERS, [(2, 2, 2), (3, 2, 1)], [(1, 1, 1), (2, 2, 2), (1, 2, 3)]):
    name = f"{border}_k{tag(kernel)}_s{tag(stride)}"
    conv3d.both(name, Convolution3D, 2, *kernel, border_mode=border, subsample=stride, size=(4, 3, 5))
conv3d.both("relu_no_bias", Convolution3D, 2, 2, 2, 2, activation="relu", bias=False, size=(3, 4, 3))
conv3d.both("same_3", Convolution3D, 3, 3, 3, 3, border_mode="same", size=(3, 3, 3), channels=3)
conv3d.layer("explicit_th", Convolution3D, 2, 2, 2, 2, dim_ordering="th", shape=(2, 3, 4, 3))

# Atrous (dilated) convolutions
for border, length, rate in product(BORDERS, (2, 3), (1, 2, 3)):
    name = f"1d_{border}_k{length}_r{rate}"
    atrous.layer(name, AtrousConvolution1D, 3, length, border_mode=border, atrous_rate=rate, shape=(9, 2))
for border in BORDERS:
    name = f"1d_{border}_stride"
    atrous.layer(name, AtrousConvolution1D, 3, 3, border_mode=border, subsample_length=2, shape=(9, 2))
atrous.layer("1d_tanh_no_bias", AtrousConvolution1D, 3, 2, atrous_rate=2, activation="tanh", bias=False, shape=(9, 2))
atrous.layer("1d_input_dim", AtrousConvolution1D, 3, 2, atrous_rate=2, input_dim=2, input_length=9)
for border, kernel, rate in product(BORDERS, [(3, 3), (2, 3)], [(1, 1), (2, 2), (3, 3)]):
    name = f"2d_{border}_k{tag(kernel)}_r{tag(rate)}"
    atrous.both(name, AtrousConvolution2D, 2, *kernel, border_mode=border, atrous_rate=rate, size=(8, 9))
for border in BORDERS:
    atrous.both(f"2d_{border}_stride", AtrousConvolution2D, 2, 3, 3, border_mode=border, subsample=(2, 2))
atrous.both("2d_relu_no_bias", AtrousConvolution2D, 2, 2, 2, atrous_rate=(2, 2), activation="relu", bias=False)


def transposed(name, output, *args, **kwargs):
    """A Deconvolution2D in both orderings: ``output`` is rows and columns, ``batch`` the batch of its output_shape."""
    size, batch = kwargs.pop("size", (3, 4)), kwargs.pop("batch", None)
    filters = args[0]
    for ordering in ("tf", "th"):
        last = ordering == "tf"
        kwargs["output_shape"] = (batch, *output, filters) if last else (batch, filters, *output)
        shape = (*size, 2) if last else (2, *size)
        deconv.layer(f"{name}_{ordering}", Deconvolution2D, *args, shape=shape, ordering=ordering, **kwargs)


transposed("valid", (5, 6), 3, 3, 3)
transposed("valid_k23", (4, 6), 3, 2, 3)
transposed("valid_s2", (7, 9), 3, 3, 3, subsample=(2, 2))
transposed("valid_s2_longer", (8, 10), 3, 3, 3, subsample=(2, 2))
transposed("valid_s32", (9, 9), 2, 2, 3, subsample=(3, 2))
transposed("valid_stride_over_kernel", (8, 11), 2, 2, 2, subsample=(3, 3))
transposed("same", (3, 4), 3, 3, 3, border_mode="same")
transposed("same_even_kernel", (3, 4), 3, 2, 4, border_mode="same")
transposed("same_s2", (6, 8), 3, 3, 3, border_mode="same", subsample=(2, 2))
transposed("same_s2_shorter", (5, 7), 3, 3, 3, border_mode="same", subsample=(2, 2))
transposed("same_s3", (9, 12), 2, 2, 2, border_mode="same", subsample=(3, 3))
transposed("fixed_batch", (5, 6), 3, 3, 3, batch=4)
transposed("relu_no_bias", (5, 6), 3, 3, 3, activation="relu", bias=False)

# SeparableConvolution2D
for border, stride, multiplier in product(BORDERS, [(1, 1), (2, 2)], (1, 2)):
    name = f"{border}_s{tag(stride)}_m{multiplier}"
    separable.both(
        name, SeparableConvolution2D, 3, 3, 2, border_mode=border, subsample=stride, depth_multiplier=multiplier
    )
separable.both("one_channel", SeparableConvolution2D, 3, 3, 3, depth_multiplier=2, channels=1)
separable.both("relu_no_bias", SeparableConvolution2D, 3, 2, 2, channels=3, activation="relu", bias=False)
separable.both("penalties", SeparableConvolution2D, 2, 2, 2, depthwise_regularizer="l2", pointwise_constraint="nonneg")

# Locally connected
for length, stride in product((1, 2, 3), (1, 2, 3)):
    name = f"1d_k{length}_s{stride}"
    local.layer(name, LocallyConnected1D, 3, length, subsample_length=stride, shape=(7, 2))
local.layer("1d_tanh_no_bias", LocallyConnected1D, 3, 3, activation="tanh", bias=False, shape=(6, 2))
local.layer("1d_input_dim", LocallyConnected1D, 3, 3, input_dim=2, input_length=6)
for kernel, stride in product([(3, 3), (2, 3), (1, 1)], [(1, 1), (2, 2), (1, 2)]):
    name = f"2d_k{tag(kernel)}_s{tag(stride)}"
    local.both(name, LocallyConnected2D, 3, *kernel, subsample=stride, size=(4, 5))
local.both("2d_square", LocallyConnected2D, 2, 2, 2, size=(4, 4))
local.both("2d_relu_no_bias", LocallyConnected2D, 2, 2, 2, activation="relu", bias=False, size=(4, 5))

FAMILIES = [conv1d, conv2d, conv3d, atrous, deconv, separable, local]
