"""Whole networks in small: the kinds of model people saved with Keras 1."""

from keras.layers import (
    ELU,
    GRU,
    LSTM,
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Convolution1D,
    Convolution2D,
    Deconvolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    Input,
    LeakyReLU,
    MaxPooling1D,
    MaxPooling2D,
    Permute,
    RepeatVector,
    Reshape,
    SeparableConvolution2D,
    SpatialDropout2D,
    TimeDistributed,
    UpSampling2D,
    ZeroPadding2D,
    merge,
)
from keras.models import Model, Sequential
from make_lenet import lenet
from make_write import Family, floats

nets = Family("nets", compact=False)


def case(build, name=None, **options):
    """Puts a function that builds a model among the cases."""
    nets.model(name or build.__name__, build, **options)
    return build


def image(ordering, size, channels):
    """An input shape in an ordering."""
    return (*size, channels) if ordering == "tf" else (channels, *size)


def channel_axis(ordering):
    """The axis of the channels, the batch being 0."""
    return 3 if ordering == "tf" else 1


def vgg(ordering):
    """Padding layers and convolutions in blocks, then dense layers."""
    layers = [ZeroPadding2D((1, 1), input_shape=image(ordering, (8, 8), 3))]
    for filters in (2, 3):
        layers += [Convolution2D(filters, 3, 3, activation="relu"), ZeroPadding2D((1, 1))]
        layers += [Convolution2D(filters, 3, 3, activation="relu"), MaxPooling2D((2, 2), strides=(2, 2))]
        layers += [ZeroPadding2D((1, 1))]
    layers += [Flatten(), Dense(6, activation="relu"), Dropout(0.5), Dense(3, activation="softmax")]
    return Sequential(layers)


def resnet(ordering):
    """Blocks with a projection and with the identity."""
    axis = channel_axis(ordering)
    x = Input(image(ordering, (9, 9), 3))
    y = ZeroPadding2D((3, 3))(x)
    y = Convolution2D(3, 7, 7, subsample=(2, 2), name="conv1")(y)
    y = Activation("relu")(BatchNormalization(axis=axis, name="bn_conv1")(y))
    y = MaxPooling2D((3, 3), strides=(2, 2))(y)
    for stage, project in enumerate((True, False)):
        z = Convolution2D(2, 1, 1, name=f"res{stage}a")(y)
        z = Activation("relu")(BatchNormalization(axis=axis, name=f"bn{stage}a")(z))
        z = Convolution2D(4, 3, 3, border_mode="same", name=f"res{stage}b")(z)
        z = BatchNormalization(axis=axis, name=f"bn{stage}b")(z)
        if project:
            y = BatchNormalization(axis=axis, name=f"bn{stage}s")(Convolution2D(4, 1, 1, name=f"res{stage}s")(y))
        y = Activation("relu")(merge([z, y], mode="sum"))
    return Model(x, Dense(3, activation="softmax")(Flatten()(AveragePooling2D((2, 2))(y))))


def inception(ordering):
    """Columns of convolutions, concatenated along the channels."""
    axis = channel_axis(ordering)
    x = Input(image(ordering, (6, 6), 2))
    columns = [Convolution2D(2, 1, 1, border_mode="same", activation="relu")(x)]
    columns.append(Convolution2D(2, 3, 3, border_mode="same")(Convolution2D(1, 1, 1, border_mode="same")(x)))
    columns.append(Convolution2D(1, 1, 5, border_mode="same", bias=False)(x))
    columns.append(Convolution2D(1, 1, 1)(AveragePooling2D((3, 3), strides=(1, 1), border_mode="same")(x)))
    y = merge(columns, mode="concat", concat_axis=axis)
    return Model(x, Dense(2)(GlobalAveragePooling2D()(y)))


def squeeze(ordering):
    """A fire module with an ELU and spatial dropout."""
    x = Input(image(ordering, (6, 6), 2))
    y = ELU(0.5)(Convolution2D(2, 1, 1, activation="relu")(x))
    expanded = [Convolution2D(2, k, k, border_mode="same", activation="relu")(y) for k in (1, 3)]
    y = SpatialDropout2D(0.2)(merge(expanded, mode="concat", concat_axis=channel_axis(ordering)))
    y = Convolution2D(3, 1, 1)(y)
    return Model(x, Activation("softmax")(GlobalAveragePooling2D()(y)))


def autoencoder(ordering):
    """Down and up again."""
    return Sequential(
        [
            Convolution2D(3, 3, 3, border_mode="same", activation="relu", input_shape=image(ordering, (4, 6), 1)),
            MaxPooling2D((2, 2), border_mode="same"),
            Convolution2D(2, 3, 3, border_mode="same", activation="relu"),
            UpSampling2D((2, 2)),
            GaussianNoise(0.1),
            Convolution2D(1, 3, 3, border_mode="same", activation="sigmoid"),
        ]
    )


def music_tagger(ordering):
    """Convolutions over a spectrogram, then a GRU over what is left of time."""
    axis = channel_axis(ordering)
    layers = [BatchNormalization(axis=2 if ordering == "tf" else 3, input_shape=image(ordering, (6, 8), 1))]
    layers += [Convolution2D(2, 3, 3, border_mode="same"), BatchNormalization(axis=axis), ELU(), MaxPooling2D((2, 2))]
    layers += [Convolution2D(3, 3, 3, border_mode="same"), ELU(), MaxPooling2D((3, 1)), Dropout(0.1)]
    layers += [Permute((3, 1, 2))] if ordering == "th" else [Permute((2, 1, 3))]
    layers += [Reshape((4, 3)), GRU(3, return_sequences=True), GRU(3), Dense(2, activation="sigmoid")]
    return Sequential(layers)


for build in (vgg, resnet, inception, squeeze, autoencoder, music_tagger):
    for ordering in ("tf", "th"):
        case(lambda build=build, ordering=ordering: build(ordering), f"{build.__name__}_{ordering}", ordering=ordering)
case(lambda: lenet(rows=8, filters=3, units=6), "lenet")


@case
def xception():
    x = Input((6, 6, 2))
    y = BatchNormalization()(SeparableConvolution2D(3, 3, 3, border_mode="same", bias=False)(Activation("relu")(x)))
    y = MaxPooling2D((3, 3), strides=(2, 2), border_mode="same")(y)
    shortcut = BatchNormalization()(Convolution2D(3, 1, 1, subsample=(2, 2), border_mode="same", bias=False)(x))
    return Model(x, Dense(2)(GlobalAveragePooling2D()(merge([y, shortcut], mode="sum"))))


@case
def gan_generator():
    layers = [Dense(12, input_dim=5, activation="relu"), BatchNormalization(), Reshape((2, 2, 3))]
    layers += [Deconvolution2D(2, 3, 3, output_shape=(None, 4, 4, 2), subsample=(2, 2), border_mode="same")]
    layers += [LeakyReLU(0.2), Convolution2D(1, 3, 3, border_mode="same", activation="tanh")]
    return Sequential(layers)


@case
def gan():
    generator = Sequential([Dense(4, input_dim=3, activation="tanh"), Reshape((2, 2, 1))])
    discriminator = Sequential([Convolution2D(2, 2, 2, input_shape=(2, 2, 1)), LeakyReLU(), Flatten(), Dense(1)])
    discriminator.trainable = False
    return Sequential([generator, discriminator])


@case
def text_convolution():
    layers = [Embedding(6, 4, input_length=9), Dropout(0.2), Convolution1D(3, 3, activation="relu")]
    layers += [MaxPooling1D(2), Convolution1D(3, 2, border_mode="same"), GlobalMaxPooling1D(), Dense(1)]
    return Sequential([*layers, Activation("sigmoid")])


@case
def text_convolution_columns():
    x = Input((7,), dtype="int32")
    table = Embedding(6, 4, input_length=7, dropout=0.1)(x)
    columns = [Flatten()(MaxPooling1D(8 - k)(Convolution1D(2, k, activation="relu")(table))) for k in (2, 3, 4)]
    return Model(x, Dense(2, activation="softmax")(merge(columns, mode="concat")))


@case
def character_model():
    return Sequential([LSTM(5, input_shape=(6, 4), return_sequences=True), LSTM(3), Dense(4), Activation("softmax")])


@case
def sentiment():
    return Sequential(
        [Embedding(6, 4, dropout=0.2), LSTM(3, dropout_W=0.2, dropout_U=0.2), Dense(1), Activation("tanh")]
    )


@case
def tagger():
    layers = [Embedding(6, 4, mask_zero=True), Bidirectional(LSTM(3, return_sequences=True)), Dropout(0.5)]
    return Sequential([*layers, TimeDistributed(Dense(3, activation="softmax"))])


@case
def addition():
    layers = [GRU(4, input_shape=(5, 3)), RepeatVector(3), LSTM(4, return_sequences=True)]
    return Sequential([*layers, TimeDistributed(Dense(3)), Activation("softmax")])


@case
def memory_network():
    story, question = Input((4,), dtype="int32"), Input((3,), dtype="int32")
    asked = Embedding(6, 3, input_length=3)(question)
    match = merge([Embedding(6, 3, input_length=4)(story), asked], mode="dot", dot_axes=[2, 2])
    response = merge([Activation("softmax")(match), Embedding(6, 3, input_length=4)(story)], mode="sum")
    answer = merge([Permute((2, 1))(response), asked], mode="concat", concat_axis=-1)
    return Model([story, question], Dense(5, activation="softmax")(LSTM(3)(answer)))


@case
def caption():
    picture, text = Input((6, 6, 2)), Input((4,), dtype="int32")
    seen = Dense(4)(Flatten()(MaxPooling2D()(Convolution2D(2, 3, 3, activation="relu")(picture))))
    read = TimeDistributed(Dense(3))(GRU(4, return_sequences=True)(Embedding(6, 3)(text)))
    joined = merge([RepeatVector(4)(seen), read], mode="concat", concat_axis=-1)
    return Model([picture, text], Dense(5, activation="softmax")(GRU(4)(joined)))


@case
def video():
    frames = Sequential([Convolution2D(2, 3, 3, input_shape=(5, 5, 1)), Activation("relu"), MaxPooling2D(), Flatten()])
    return Sequential([TimeDistributed(frames, input_shape=(3, 5, 5, 1)), LSTM(3), Dense(2, activation="softmax")])


@case
def recommender():
    user, item = Input((1,), dtype="int32"), Input((1,), dtype="int32")
    factors = [Flatten()(Embedding(6, 3, input_length=1)(x)) for x in (user, item)]
    bias = Flatten()(Embedding(6, 1, input_length=1)(user))
    return Model([user, item], merge([merge(factors, mode="dot", dot_axes=1), bias], mode="sum"))


@case
def wide_and_deep():
    wide, deep = Input((5,), name="wide"), Input((3,), name="deep")
    h = BatchNormalization()(Dense(4, activation="relu")(Dense(6, activation="relu")(deep)))
    return Model([wide, deep], Dense(1, activation="sigmoid", name="score")(merge([wide, h], mode="concat")))


case(
    lambda: Sequential([Dense(4, input_dim=3, activation="softplus"), Dense(1, activation="linear")]),
    "regression",
    inputs=lambda rng: [floats(rng, (40, 3))],
)

FAMILIES = [nets]
