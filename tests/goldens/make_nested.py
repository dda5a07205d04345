"""Models inside models: to any depth, called more than once, with masks, states and frozen parts."""

from keras.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    Convolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Masking,
    MaxPooling2D,
    TimeDistributed,
    merge,
)
from keras.models import Model, Sequential
from make_graphs import ORDER
from make_recurrent import FEATURES, STEPS, masked
from make_write import Family, words

nested = Family("nested", compact=False)


def case(build, **options):
    """Puts a function that builds a model among the cases, under the function's name."""
    nested.model(build.__name__, build, **options)
    return build


def chain(units=4, inputs=4, name=None):
    """A Sequential with everything that makes the order of weights matter."""
    layers = [Dense(units, input_dim=inputs), BatchNormalization(), Activation("tanh"), Dense(units)]
    return Sequential(layers, name=name)


def two_to_one():
    """A functional model with two inputs."""
    a, b = Input((4,)), Input((4,))
    return Model([a, b], Dense(4)(BatchNormalization()(merge([Dense(4)(a), b], mode="sum"))))


def one_to_two():
    """A functional model with two outputs."""
    x = Input((4,))
    h = Dense(4, activation="tanh")(x)
    return Model(x, [Dense(3)(h), Dense(2)(h)])


@case
def sequential_first():
    return Sequential([chain(), Dense(2)])


@case
def sequential_later():
    return Sequential([Dense(4, input_dim=3), chain(), Dense(2)])


@case
def sequential_three_deep():
    return Sequential([Sequential([Sequential([Dense(4, input_dim=4)]), Dense(3)]), Dense(2)])


@case
def sequential_named():
    return Sequential([chain(name="inner"), Dense(2, name="outer")], name="whole")


@case
def sequentials_in_a_row():
    return Sequential([chain(), chain(inputs=4), chain(units=2)])


@case
def model_first():
    x = Input((4,))
    inner = Model(x, merge([Dense(3)(x), Dense(3)(x)], mode="mul"), name="inner")
    return Sequential([inner, Dense(2)])


@case
def model_later():
    x = Input((4,))
    inner = Model(x, BatchNormalization()(Dense(3)(x)))
    return Sequential([Dense(4, input_dim=2), inner, Dense(2)])


@case
def model_of_two_inputs_first():
    return Sequential([two_to_one(), Dense(2)])


@case
def sequential_in_model():
    x = Input((4,))
    return Model(x, Dense(2)(chain()(Dense(4)(x))))


@case
def model_in_model():
    a, b = Input((4,)), Input((4,))
    return Model([a, b], Dense(2)(two_to_one()([Dense(4)(a), b])))


@case
def model_three_deep():
    x = Input((4,))
    inner = Model(x, chain()(Dense(4)(x)))
    y = Input((4,))
    middle = Model(y, BatchNormalization()(inner(y)))
    z = Input((4,))
    return Model(z, Dense(2)(middle(Dense(4)(z))))


@case
def called_twice():
    a, b = Input((4,)), Input((4,))
    inner = chain()
    return Model([a, b], merge([inner(a), inner(b)], mode="concat"))


@case
def called_on_own_output():
    x = Input((4,))
    inner = chain()
    return Model(x, inner(inner(x)))


@case
def second_call_only():
    a, b = Input((4,)), Input((4,))
    inner = chain()
    inner(a)
    return Model(b, Dense(2)(inner(b)))


def model_called_twice():
    a, b, c = Input((4,)), Input((4,)), Input((4,))
    inner = two_to_one()
    return Model([a, b, c], inner([inner([a, b]), c]))


case(model_called_twice, live=ORDER)


@case
def outputs_used_apart():
    x = Input((4,))
    left, right = one_to_two()(x)
    return Model(x, [Dense(2)(right), merge([Dense(2)(left), right], mode="sum")])


@case
def second_output_only():
    x = Input((4,))
    _, right = one_to_two()(x)
    return Model(x, Dense(2)(right))


@case
def outputs_of_two_calls():
    a, b = Input((4,)), Input((4,))
    inner = one_to_two()
    left_a, right_a = inner(a)
    left_b, right_b = inner(b)
    return Model([a, b], [merge([left_a, left_b], mode="mul"), right_b, right_a])


@case
def inner_output_is_an_output():
    x = Input((4,))
    inner = one_to_two()
    return Model(x, inner(x))


@case
def layer_shared_with_inner():
    """One layer, inside a nested model and outside it: read back, Keras makes two of it."""
    x = Input((4,))
    shared = Dense(4, activation="tanh")
    inner = Model(x, shared(x))
    y = Input((4,))
    return Model(y, Dense(2)(inner(Dense(4)(y))))


@case
def frozen_inner_layers():
    x = Input((4,))
    y = Dense(4, trainable=False)(x)
    inner = Model(x, Dense(4)(BatchNormalization()(y)))
    z = Input((4,))
    return Model(z, Dense(2)(inner(z)))


@case
def frozen_inner_layers_in_sequential():
    inner = Sequential(
        [Dense(4, input_dim=4), Dense(4, trainable=False), BatchNormalization(trainable=False), Dense(3)]
    )
    return Sequential([inner, Dense(2)])


@case
def frozen_inner_model():
    inner = chain()
    inner.trainable = False
    x = Input((4,))
    return Model(x, Dense(2)(inner(x)))


@case
def bidirectional_inside():
    inner = Sequential([Bidirectional(LSTM(2, return_sequences=True), input_shape=(4, 3)), BatchNormalization()])
    return Sequential([inner, GRU(2)])


@case
def convolutions_inside():
    base = Sequential([Convolution2D(2, 3, 3, input_shape=(6, 6, 1)), BatchNormalization(), MaxPooling2D()])
    return Sequential([base, Flatten(), Dense(3, activation="softmax")])


def convolutions_inside_th():
    base = Sequential([Convolution2D(2, 3, 3, input_shape=(1, 6, 6)), BatchNormalization(axis=1), MaxPooling2D()])
    return Sequential([base, Flatten(), Dense(3, activation="softmax")])


case(convolutions_inside_th, ordering="th")


@case
def siamese():
    inner = Sequential([Convolution2D(2, 2, 2, input_shape=(4, 4, 1)), Flatten(), Dropout(0.5), Dense(3)])
    a, b = Input((4, 4, 1)), Input((4, 4, 1))
    return Model([a, b], merge([inner(a), inner(b)], mode="dot", dot_axes=1))


@case
def distributed_model():
    frame = Sequential([Convolution2D(2, 2, 2, input_shape=(4, 4, 1)), Flatten(), Dense(3)])
    x = Input((3, 4, 4, 1))
    return Model(x, LSTM(2)(TimeDistributed(frame)(x)))


# Masks that leave a nested model (none can enter: its input layer refuses them)
def mask_comes_out():
    inner = Sequential([Masking(input_shape=(STEPS, FEATURES)), Activation("tanh")])
    return Sequential([inner, LSTM(3)])


def mask_comes_out_of_words():
    x = Input((STEPS,), dtype="int32")
    inner = Model(x, LSTM(3, return_sequences=True)(Embedding(6, 3, mask_zero=True)(x)))
    y = Input((STEPS,), dtype="int32")
    return Model(y, GRU(2)(inner(y)))


def mask_comes_out_of_model():
    x = Input((STEPS, FEATURES))
    inner = Model(x, LSTM(3, return_sequences=True)(Masking()(x)))
    y = Input((STEPS, FEATURES))
    return Model(y, LSTM(2)(inner(y)))


case(mask_comes_out, inputs=masked)
case(mask_comes_out_of_model, inputs=masked)
case(mask_comes_out_of_words, inputs=lambda rng: [words(rng, STEPS)])


@case
def stateful_first():
    inner = Sequential([LSTM(3, stateful=True, return_sequences=True, batch_input_shape=(2, 4, 3))])
    return Sequential([inner, LSTM(2, stateful=True)])


FAMILIES = [nested]
