"""Merge, as a layer of a graph and as the first layer of a Sequential, with and without masks."""

from itertools import product

from keras.layers import (
    GRU,
    LSTM,
    Convolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Masking,
    Merge,
    Permute,
    RepeatVector,
    TimeDistributed,
    merge,
)
from keras.models import Model, Sequential
from make_conv import tag
from make_recurrent import FEATURES, STEPS
from make_write import Family, sequences, words

merging, legacy = Family("merge"), Family("legacy_merge")
SAME = ("sum", "mul", "ave", "max", "concat")


def merged(shapes, **options):
    """A model that merges inputs of the given shapes and nothing else."""
    inputs = [Input(shape) for shape in shapes]
    return Model(inputs, merge(inputs, **options))


def case(name, *shapes, **options):
    """One merge of bare inputs."""
    merging.model(name, lambda: merged(shapes, **options))


for mode in SAME:
    for rank, shape in ((2, (4,)), (3, (3, 4)), (4, (2, 3, 4)), (5, (2, 2, 3, 2))):
        case(f"{mode}_{rank}d", shape, shape, mode=mode)
    case(f"{mode}_three", (4,), (4,), (4,), mode=mode)
for axis in (1, 2, 3, -1, -2, -3):
    shapes = [[2, 3, 4], [2, 3, 4]]
    shapes[1][axis - 1 if axis > 0 else axis] += 2
    case(f"concat_axis_{axis}", *map(tuple, shapes), mode="concat", concat_axis=axis)
case("concat_unequal", (4,), (2,), (3,), mode="concat")
case("concat_open_time", (None, 2), (None, 3), mode="concat")
case("concat_time", (3, 2), (4, 2), mode="concat", concat_axis=1)
for mode in ("dot", "cos"):
    case(f"{mode}_2d", (5,), (5,), mode=mode)
    case(f"{mode}_2d_axes_1", (5,), (5,), mode=mode, dot_axes=1)
    for axes in (-1, 1, 2, (2, 2), (1, 1)):
        case(f"{mode}_3d_axes_{tag(axes)}", (3, 3), (3, 3), mode=mode, dot_axes=axes)
case("dot_3d_axes_12", (4, 3), (2, 4), mode="dot", dot_axes=(1, 2))
case("dot_3d_axes_21", (2, 4), (4, 3), mode="dot", dot_axes=(2, 1))
case("dot_3d_unequal_22", (3, 4), (2, 4), mode="dot", dot_axes=(2, 2))
case("dot_3d_unequal_11", (4, 3), (4, 2), mode="dot", dot_axes=(1, 1))
case("dot_3d_unequal_last", (3, 4), (2, 4), mode="dot")


def built(name):
    """Puts a function that builds a model among the cases."""

    def register(build):
        merging.model(name, build)
        return build

    return register


@built("layer_called")
def layer_called():
    """The Merge layer itself, applied to tensors."""
    a, b = Input((4,)), Input((4,))
    y = Merge(mode="concat", concat_axis=1, name="joined")([Dense(3)(a), Dense(2)(b)])
    return Model([a, b], Dense(2)(y))


@built("same_tensor_twice")
def same_tensor_twice():
    """One tensor, merged with itself."""
    x = Input((4,))
    y = Dense(3, activation="tanh")(x)
    return Model(x, merge([y, y], mode="mul"))


@built("cos_then_flatten")
def cos_then_flatten():
    """The extra axis of cos, seen by the next layer."""
    a, b = Input((5,)), Input((5,))
    return Model([a, b], merge([Dense(3)(a), Dense(3)(b)], mode="cos", dot_axes=1))


@built("attention")
def attention():
    """Weights over steps, applied by dot, as in the attention models of the time."""
    x = Input((4, 3))
    scores = TimeDistributed(Dense(1))(x)
    weights = Dense(4, activation="softmax")(Flatten()(scores))
    weighted = merge([x, Permute((2, 1))(RepeatVector(3)(weights))], mode="mul")
    return Model(x, merge([weighted, x], mode="dot", dot_axes=(1, 1)))


# Masks that meet
def two_masked(mode, second=True, axis=-1):
    """Two padded sequences, merged, then read by an LSTM that sees the merged mask."""
    a, b = Input((STEPS, FEATURES)), Input((STEPS, FEATURES))
    y = merge([Masking()(a), Masking()(b) if second else b], mode=mode, concat_axis=axis)
    return Model([a, b], LSTM(3, return_sequences=True)(y))


def shifted(rng):
    """Two sets of padded sequences whose masks differ."""
    return [sequences(rng, STEPS, FEATURES), sequences(rng, STEPS, FEATURES)[[1, 2, 3, 0, 4]]]


for mode in ("sum", "mul", "ave", "concat"):
    merging.model(f"masked_{mode}", lambda mode=mode: two_masked(mode), inputs=shifted)
for mode in ("sum", "mul", "ave"):
    merging.model(f"half_masked_{mode}", lambda mode=mode: two_masked(mode, second=False), inputs=shifted)


def masked_words(mode, same_table=True):
    """Two padded texts, through one Embedding or two."""
    a, b = Input((STEPS,), dtype="int32"), Input((STEPS,), dtype="int32")
    first = Embedding(6, 3, mask_zero=True)
    second = first if same_table else Embedding(6, 3, mask_zero=True)
    y = merge([first(a), second(b)], mode=mode)
    return Model([a, b], GRU(3)(y))


def shifted_words(rng):
    """Two sets of padded texts whose masks differ."""
    return [words(rng, STEPS), words(rng, STEPS)[[1, 2, 3, 0, 4]]]


for mode, same in product(("sum", "concat"), (True, False)):
    merging.model(
        f"masked_words_{mode}_{'one' if same else 'two'}_tables",
        lambda mode=mode, same=same: masked_words(mode, same),
        inputs=shifted_words,
    )


@built("masked_dot_drops")
def masked_dot_drops():
    """Dot and cos drop the masks, so a Dense may follow."""
    a, b = Input((4, 3)), Input((4, 3))
    return Model([a, b], Dense(2)(merge([Masking()(a), Masking()(b)], mode="dot", dot_axes=2)))


# Merge as the first layer of a Sequential
def branch(units=3, inputs=4, **options):
    """A small Sequential of vectors."""
    return Sequential([Dense(units, input_dim=inputs, activation="tanh", **options), Dropout(0.3), Dense(units)])


def legacy_model(mode, *branches, **options):
    """A Sequential that begins with a Merge of other models."""
    return Sequential([Merge(list(branches), mode=mode, **options), Dense(2, activation="sigmoid")])


for mode in SAME:
    legacy.model(mode, lambda mode=mode: legacy_model(mode, branch(), branch(inputs=5)))
legacy.model("dot", lambda: legacy_model("dot", branch(), branch(), dot_axes=1))
legacy.model("three", lambda: legacy_model("concat", branch(2), branch(3), branch(4), concat_axis=1))
legacy.model("alone", lambda: Sequential([Merge([branch(), branch(inputs=2)], mode="sum")]))
legacy.model("named", lambda: legacy_model("sum", branch(name="left"), branch(name="right"), name="both"))
legacy.model(
    "nested",
    lambda: legacy_model("concat", legacy_model("sum", branch(), branch()), branch(2)),
)
legacy.model(
    "nested_second",
    lambda: legacy_model("concat", branch(2), legacy_model("mul", branch(2), legacy_model("ave", branch(), branch()))),
)


def functional_branch():
    """A functional model of vectors."""
    x = Input((5,))
    return Model(x, merge([Dense(3)(x), Dense(3, activation="relu")(x)], mode="ave"))


legacy.model("functional_branch", lambda: legacy_model("sum", branch(), functional_branch()))
for ordering, shape in (("tf", (4, 4, 2)), ("th", (2, 4, 4))):
    legacy.model(
        f"images_and_words_{ordering}",
        lambda shape=shape: legacy_model(
            "concat",
            Sequential([Convolution2D(2, 3, 3, input_shape=shape), Flatten()]),
            Sequential([Embedding(6, 3, input_length=5), LSTM(4)]),
        ),
        ordering=ordering,
    )


def word_branch(mask=True, **options):
    """A branch of words with a mask."""
    return Sequential([Embedding(6, 3, input_length=5, mask_zero=mask, **options)])


def masked_model(mode, *branches, **options):
    """A recurrent layer on the Merge of branches whose masks Keras does not look at."""
    return Sequential([Merge(list(branches), mode=mode, **options), GRU(2, return_sequences=True)])


def masked_in_model():
    """The same as a layer of a functional model, where the masks count."""
    a, b = Input((5,), dtype="int32"), Input((5,), dtype="int32")
    return Model([a, b], masked_model("sum", word_branch(), word_branch())([a, b]))


for mode in ("sum", "max"):
    legacy.model("masked_" + mode, lambda mode=mode: masked_model(mode, word_branch(), word_branch()))
legacy.model("masked_concat", lambda: masked_model("concat", word_branch(), word_branch(mask=False)))
legacy.model("masked_inside_model", masked_in_model)


def legacy_in_model():
    """A Sequential with a Merge in front, as a layer of a functional model."""
    a, b = Input((4,)), Input((4,))
    return Model([a, b], Dense(2)(legacy_model("concat", branch(2), branch(3))([a, b])))


legacy.model("inside_model", legacy_in_model)

FAMILIES = [merging, legacy]
