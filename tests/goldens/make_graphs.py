"""Graphs of plain layers: shared layers, several inputs and outputs, node indices, the order of layers."""

import numpy as np
from keras.layers import (
    LSTM,
    Activation,
    ActivityRegularization,
    BatchNormalization,
    Bidirectional,
    Convolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GlobalMaxPooling1D,
    Input,
    Masking,
    RepeatVector,
    TimeDistributed,
    merge,
)
from keras.models import Model
from make_recurrent import FEATURES, STEPS, masked
from make_write import Family, words

graphs = Family("graphs")
# Keras reads layers one by one, with all calls of each: a call on a layer further down the file defeats it.
ORDER = "a layer is called on one that comes later in the file"


def case(build, **options):
    """Puts a function that builds a model among the cases, under the function's name."""
    graphs.model(build.__name__, build, **options)
    return build


def vectors(count, size=4):
    """Inputs of vectors."""
    return [Input((size,)) for _ in range(count)]


@case
def shared_layer():
    a, b = vectors(2)
    shared = Dense(3, activation="tanh")
    return Model([a, b], merge([shared(a), shared(b)], mode="concat"))


def shared_three_times():
    a, b, c = vectors(3)
    shared, other = Dense(3), Dense(3)
    return Model([a, b, c], merge([shared(a), other(shared(b)), shared(c)], mode="sum"))


@case
def own_output():
    (x,) = vectors(1)
    again = Dense(4, activation="tanh")
    return Model(x, again(again(again(x))))


@case
def own_output_every_call():
    (x,) = vectors(1)
    again = Dense(4, activation="tanh")
    first = again(x)
    second = again(first)
    return Model(x, [again(second), first, second])


@case
def second_call_only():
    a, b = vectors(2)
    shared = Dense(3)
    shared(a)
    return Model(b, Dense(2)(shared(b)))


@case
def calls_out_of_order():
    a, b = vectors(2)
    shared = Dense(3)
    of_a = shared(a)
    of_b = shared(b)
    return Model([b, a], merge([Dense(3)(of_b), of_a], mode="mul"))


@case
def several_outputs():
    a, b = vectors(2)
    h = Dense(3, activation="relu", name="hidden")(merge([a, b], mode="sum"))
    return Model([a, b], [Dense(2, name="left")(h), h, Dense(1, activation="sigmoid", name="right")(h)])


@case
def output_inside():
    (x,) = vectors(1)
    h = Dense(3, activation="tanh")(x)
    return Model(x, [h, Dense(2)(Dense(3)(h))])


@case
def same_output_twice():
    (x,) = vectors(1)
    y = Dense(3)(x)
    return Model(x, [y, y])


@case
def input_is_output():
    a, b = vectors(2)
    return Model([a, b], [a, Dense(2)(b)])


@case
def inputs_reversed():
    a, b = vectors(1)[0], Input((2,))
    return Model([b, a], Dense(3)(merge([a, b], mode="concat")))


@case
def unequal_depths():
    a, b, c = vectors(3)
    late = Dense(3, name="made_first")
    deep = Dense(3)(Dense(3, activation="relu")(Dense(3)(a)))
    middle = Dense(3)(b)
    y = merge([deep, middle, late(c)], mode="sum")
    return Model([c, a, b], [Dense(2)(y), Dense(2)(middle)])


@case
def made_in_reverse():
    last, middle, first = Dense(2), Dense(3, activation="tanh"), Dense(5)
    (x,) = vectors(1)
    return Model(x, last(middle(first(x))))


@case
def names_that_sort_badly():
    (x,) = vectors(1)
    y = x
    for name in ("dense_10", "dense_9", "zz", "a", "dense_1"):
        y = Dense(4, activation="tanh", name=name)(y)
    return Model(x, y)


@case
def equal_shapes_many_branches():
    (x,) = vectors(1)
    branches = [Dense(4)(x)]
    for activation in ("relu", "tanh", "sigmoid"):
        branches.append(Dense(4, activation=activation)(branches[-1]))
    y = merge(branches[::-1], mode="concat")
    return Model(x, merge([Dense(2)(y), Dense(2)(branches[2])], mode="ave"))


def normalization_shared():
    a, b = vectors(2)
    shared = BatchNormalization()
    return Model([a, b], merge([shared(a), Dense(4)(shared(b))], mode="sum"))


@case
def frozen_layers():
    (x,) = vectors(1)
    y = Dense(3, trainable=False)(x)
    y = BatchNormalization(trainable=False)(y)
    return Model(x, Dense(2)(y))


@case
def residual_vectors():
    (x,) = vectors(1)
    y = x
    for _ in range(3):
        y = merge([y, Dense(4)(Dense(3, activation="relu")(y))], mode="sum")
    return Model(x, Dense(2)(y))


@case
def fixed_batch():
    a, b = Input(batch_shape=(3, 4)), Input(batch_shape=(3, 2))
    return Model([a, b], Dense(2)(merge([a, b], mode="concat", concat_axis=1)))


@case
def different_ranks():
    image, vector = Input((4, 4, 2), name="image"), Input((3,), name="vector")
    y = Flatten()(Convolution2D(2, 3, 3)(image))
    return Model([image, vector], Dense(2, name="out")(merge([y, Dense(4)(vector)], mode="concat")))


@case
def siamese_lstm():
    a, b = Input((5, 3)), Input((5, 3))
    shared = LSTM(4)
    return Model([a, b], Dense(1, activation="sigmoid")(merge([shared(a), shared(b)], mode="concat")))


def shared_convolution_two_sizes():
    a, b = Input((5, 5, 2)), Input((4, 6, 2))
    shared = Convolution2D(2, 3, 3)
    return Model([a, b], merge([Flatten()(shared(a)), Dense(18)(Flatten()(shared(b)))], mode="sum"))


@case
def unmerged_bidirectional():
    x = Input((4, 3))
    forward, backward = Bidirectional(LSTM(3, return_sequences=True), merge_mode=None)(x)
    return Model(x, merge([Dense(2)(backward), LSTM(2, return_sequences=True)(forward)], mode="concat"))


@case
def second_output_of_bidirectional():
    x = Input((4, 3))
    _, backward = Bidirectional(LSTM(3, return_sequences=True), merge_mode=None)(x)
    return Model(x, LSTM(2)(backward))


for build in (shared_three_times, normalization_shared, shared_convolution_two_sizes):
    case(build, live=ORDER)


def masks_and_outputs():
    x = Input((STEPS, FEATURES))
    y = Masking()(x)
    h = LSTM(3, return_sequences=True)(y)
    return Model(x, [y, h, LSTM(2)(h), TimeDistributed(Dense(2))(h)])


def encoder_decoder():
    x = Input((6,), dtype="int32")
    code = LSTM(4)(Embedding(6, 3, mask_zero=True)(x))
    y = LSTM(4, return_sequences=True)(RepeatVector(3)(code))
    return Model(x, TimeDistributed(Dense(5, activation="softmax"))(y))


def stateful_functional():
    a, b = Input(batch_shape=(2, 4, 3)), Input(batch_shape=(2, 4, 3))
    first = LSTM(3, stateful=True, return_sequences=True)(a)
    second = LSTM(3, stateful=True, go_backwards=True)(merge([first, b], mode="concat"))
    return Model([a, b], [first, second])


case(masks_and_outputs, inputs=masked)
case(encoder_decoder, inputs=lambda rng: [words(rng, 6)])
case(stateful_functional)


@case
def text_of_many_kernels():
    x = Input((7,), dtype="int32")
    table = Embedding(6, 4, input_length=7)(x)
    columns = [GlobalMaxPooling1D()(LSTM(units, return_sequences=True)(table)) for units in (2, 3)]
    return Model(x, Dense(2, activation="softmax")(merge(columns, mode="concat")))


@case
def inputs_returned_as_they_are():
    """Layers that return TensorFlow's own tensor: the file then names them as the model's inputs."""
    a, b = vectors(2)
    before = Dense(3, activation="tanh")(a)
    same = ActivityRegularization(l1=0.1)(Dropout(0.0)(Activation("linear")(a)))
    other = GaussianDropout(0.0)(b)
    return Model([b, a], [merge([Dense(3)(same), Dense(3)(other), before], mode="mul"), same])


def random_graph(seed):
    """Dense layers and merges at random, some of them shared, over one to three inputs."""
    rng = np.random.RandomState(seed)
    inputs = vectors(rng.randint(1, 4))
    tensors, layers = list(inputs), []
    for _ in range(rng.randint(5, 12)):
        chosen = [tensors[i] for i in rng.randint(0, len(tensors), rng.randint(2, 4))]
        if rng.uniform() < 0.4:
            tensors.append(merge(chosen, mode=["sum", "mul", "ave", "max"][rng.randint(4)]))
            continue
        if not layers or rng.uniform() < 0.7:
            layers.append(Dense(4, activation=["tanh", "relu", "linear"][rng.randint(3)]))
        tensors.append(layers[rng.randint(len(layers))](chosen[0]))
    outputs = [merge(inputs + tensors[-3:], mode="concat"), *tensors[-2:]]
    return Model(inputs, outputs[: rng.randint(1, 4)])


UNREADABLE = (1, 2, 9, 10, 11, 12, 13, 14, 18, 19)
for seed in range(20):
    live = ORDER if seed in UNREADABLE else None
    graphs.model(f"random_{seed:02d}", lambda seed=seed: random_graph(seed), live=live)

FAMILIES = [graphs]
