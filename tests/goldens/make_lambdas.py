"""Lambda layers and Lambda merges: small functions of the kind people published."""

from keras import backend as K
from keras.layers import Convolution2D, Dense, Flatten, Input, Lambda, Merge, merge
from keras.models import Model, Sequential
from make_write import Family

lambdas = Family("lambdas")


def function(source):
    """A Lambda's function; its bytecode names no file of this machine."""
    return eval(compile(source, "model.py", "eval"), {"K": K})


def case(name, expression, shape=(4, 3), **options):
    """One Lambda over an expression of x."""
    lambdas.layer(
        name,
        Lambda,
        function("lambda x: " + expression),
        shape=shape,
        name="function",
        functions={"function": expression},
        **options,
    )


for name, expression in {
    "scale_shift": "x / 127.5 - 1",
    "scale_shift_float": "x / 127.5 - 1.0",
    "shift_scale": "(x - 128) / 128",
    "divide": "x / 255.",
    "multiply": "x * 2",
    "multiply_left": "0.5 * x",
    "subtract": "x - 0.5",
    "subtract_from": "1 - x",
    "negate": "-x",
    "power": "x ** 2",
    "add_itself": "x + x",
    "identity": "x",
    "mean": "K.mean(x, axis=1)",
    "sum": "K.sum(x, axis=1)",
    "sum_last": "K.sum(x, axis=-1)",
    "max": "K.max(x, axis=1)",
    "min": "K.min(x, axis=2)",
    "mean_keepdims": "K.mean(x, axis=1, keepdims=True)",
    "last_step": "x[:, -1]",
    "first_step": "x[:, 0, :]",
    "steps": "x[:, 1:3]",
    "channels": "x[:, :, :2]",
    "reversed": "x[:, ::-1, :]",
    "ellipsis": "x[..., 0]",
    "abs": "K.abs(x)",
    "square": "K.square(x)",
    "exp": "K.exp(x)",
    "root": "K.sqrt(K.abs(x) + 1e-3)",
    "log": "K.log(K.abs(x) + 1)",
    "sigmoid": "K.sigmoid(x)",
    "tanh": "K.tanh(x)",
    "relu": "K.relu(x)",
    "clip": "K.clip(x, -1, 1)",
    "l2_normalize": "K.l2_normalize(x, axis=-1)",
    "expand": "K.expand_dims(x, 1)",
    "squeeze": "K.squeeze(K.expand_dims(x, 1), 1)",
    "permute": "K.permute_dimensions(x, (0, 2, 1))",
    "reverse": "K.reverse(x, 1)",
    "concatenate": "K.concatenate([x, -x])",
}.items():
    case(name, expression)
case("batch_flatten", "K.batch_flatten(x)", shape=(2, 3, 2))
case("softmax", "K.softmax(x)", shape=(4,))
case("flip_channels", "x[:, :, :, ::-1]", shape=(3, 2, 3))
case("variance", "K.mean(K.square(x - K.mean(x, axis=1, keepdims=True)), axis=1)")


def layer(name, build, live=None, **functions):
    """A model that is more than one Lambda."""
    lambdas.model(name, build, live=live, functions=functions)


def driving():
    """The head of many models that drive cars."""
    scale = Lambda(function("lambda x: x/127.5 - 1."), input_shape=(6, 6, 3), output_shape=(6, 6, 3), name="scale")
    return Sequential([scale, Convolution2D(2, 3, 3, activation="elu"), Flatten(), Dense(1)])


def argument():
    """An argument that the config holds."""
    scale = Lambda(function("lambda x, scale: x * scale"), arguments={"scale": 2.5}, input_shape=(4,), name="scaled")
    return Sequential([scale, Dense(2)])


def shape_function():
    """An output shape that is a function too."""
    first = function("lambda x: x[:, :2]")
    shape = function("lambda s: (s[0], 2) + s[2:]")
    return Sequential([Lambda(first, output_shape=shape, input_shape=(4, 3), name="first"), Flatten(), Dense(2)])


def default():
    """A default of the function itself."""
    times = function("lambda x, times=3: x * times")
    return Sequential([Dense(3, input_dim=4), Lambda(times, name="times")])


def absolute_difference():
    """The distance of a siamese network."""
    a, b = Input((4,)), Input((4,))
    shared = Dense(3)
    apart = function("lambda x: K.abs(x[0] - x[1])")
    same = function("lambda shapes: shapes[0]")
    return Model([a, b], Dense(1)(merge([shared(a), shared(b)], mode=apart, output_shape=same, name="apart")))


def legacy_difference():
    """A Lambda merge as the first layer of a Sequential."""
    branches = [Sequential([Dense(3, input_dim=4)]), Sequential([Dense(3, input_dim=2)])]
    return Sequential([Merge(branches, mode=function("lambda x: x[0] - x[1]"), output_shape=(3,), name="less")])


layer("driving", driving, scale="x/127.5 - 1.")
layer("argument", argument, scaled="x * 2.5")
layer("shape_function", shape_function, first="x[:, :2]")
layer("default", default, live="a list stands where the function's defaults were a tuple", times="x * 3")
layer("absolute_difference", absolute_difference, apart="K.abs(x[0] - x[1])")
layer("legacy_difference", legacy_difference, less="x[0] - x[1]")

FAMILIES = [lambdas]
