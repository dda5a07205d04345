"""Makes the goldens of Keras 1.2.2 on Theano; see README.md."""

import os
import zlib

import h5py
import numpy as np
from keras import backend as K
from keras.layers import (
    LSTM,
    Activation,
    AtrousConvolution1D,
    AtrousConvolution2D,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    ConvLSTM2D,
    Convolution1D,
    Convolution2D,
    Convolution3D,
    Deconvolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    InputLayer,
    LocallyConnected2D,
    MaxoutDense,
    MaxPooling2D,
    PReLU,
    TimeDistributed,
    ZeroPadding2D,
    merge,
)
from keras.models import Model, Sequential, model_from_json

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 3
SIZE, CUBE = (6, 5), (4, 5, 3)


def main():
    assert K.backend() == "theano"
    sequences()
    for ordering in ("tf", "th"):
        images(ordering)
        whole_networks(ordering)
    others()


def sequences():
    write("conv1d", [Convolution1D(3, 3, activation="tanh")], (7, 2))
    write("conv1d_same_stride", [Convolution1D(3, 3, border_mode="same", subsample_length=2)], (7, 2))
    write("atrous1d", [AtrousConvolution1D(3, 3, atrous_rate=2)], (9, 2))


def images(ordering):
    def name(text):
        return text + "_" + ordering

    def shape(size, channels=2):
        return with_channels(size, channels, ordering)

    image = {"dim_ordering": ordering}
    write(name("conv2d"), [Convolution2D(3, 3, 2, activation="relu", **image)], shape(SIZE))
    write(name("conv2d_square"), [Convolution2D(3, 3, 3, **image)], shape(SIZE, 3))
    write(name("conv2d_same"), [Convolution2D(3, 3, 3, border_mode="same", **image)], shape(SIZE))
    write(name("conv2d_stride"), [Convolution2D(3, 2, 3, subsample=(2, 1), bias=False, **image)], shape(SIZE))
    write(name("atrous2d"), [AtrousConvolution2D(3, 2, 2, atrous_rate=(2, 2), **image)], shape(SIZE))
    write(name("conv3d"), [Convolution3D(3, 2, 3, 2, **image)], shape(CUBE))
    larger = with_channels((SIZE[0] + 2, SIZE[1] + 1), 3, ordering)
    write(name("deconv2d"), [Deconvolution2D(3, 3, 2, (BATCH, *larger), **image)], shape(SIZE))
    write(name("local2d"), [LocallyConnected2D(3, 3, 2, **image)], shape(SIZE))
    lstm = ConvLSTM2D(2, 3, 3, border_mode="same", return_sequences=True, **image)
    write(name("convlstm2d"), [lstm], (3, *shape(SIZE)))
    write(name("time_distributed"), [TimeDistributed(Convolution2D(3, 3, 2, **image))], (2, *shape(SIZE)))
    inner = Sequential([InputLayer(shape(SIZE)), Convolution2D(3, 2, 2, **image), Activation("relu")])
    write(name("inner_model"), [inner, Convolution2D(2, 3, 2, **image)], shape(SIZE))


def whole_networks(ordering):
    other = "th" if ordering == "tf" else "tf"

    def net(ordering):
        image = {"dim_ordering": ordering}
        return [
            InputLayer(with_channels((9, 8), 2, ordering)),
            Convolution2D(4, 3, 2, activation="relu", name="c1", **image),
            MaxPooling2D((2, 2), name="p", **image),
            Convolution2D(5, 2, 2, name="c2", **image),
            Flatten(name="f"),
            Dropout(0.5, name="d"),
            Dense(6, activation="tanh", name="d1"),
            Dense(3, name="d2"),
        ]

    def with_vectors(ordering):
        return [
            InputLayer(with_channels((5, 4), 2, ordering)),
            Convolution2D(3, 3, 3, name="c", dim_ordering=ordering),
            AveragePooling2D((1, 2), name="p", dim_ordering=ordering),
            Flatten(name="f"),
            BatchNormalization(name="b"),
            PReLU(name="r"),
            MaxoutDense(4, name="m"),
        ]

    def graph(ordering):
        x = Input(with_channels((6, 7), 2, ordering), name="x")
        a = Convolution2D(3, 3, 3, name="a", dim_ordering=ordering)(x)
        b = Convolution2D(3, 3, 3, name="b", dim_ordering=ordering)(x)
        y = Flatten(name="f")(merge([a, b], mode="mul", name="m"))
        return Model(x, [Dense(3, name="one")(y), Dense(2, name="two")(Activation("tanh", name="t")(y))], name="g")

    for name, build in (("net", lambda o: Sequential(net(o))), ("vectors", lambda o: Sequential(with_vectors(o)))):
        write_both(name, build, ordering, other)
    write_both("graph", graph, ordering, other)


def others():
    write("dense", [Dense(3, activation="tanh"), Dense(2)], (4,))
    write("recurrent", [Bidirectional(LSTM(3, return_sequences=True)), LSTM(2)], (4, 3))
    words = [InputLayer((5,), input_dtype="int32"), Embedding(6, 3), Convolution1D(2, 2), Flatten(), Dense(2)]
    save("words", Sequential(words), [random("words").randint(0, 6, (BATCH, 5)).astype("int32")])
    K.set_image_dim_ordering("th")  # Keras does not write the padding's ordering
    write("padded", [ZeroPadding2D((1, 2)), Convolution2D(2, 2, 2)], (2, 3, 4))


def with_channels(size, channels, ordering):
    return (channels, *tuple(size)) if ordering == "th" else (*tuple(size), channels)


def write_both(name, build, ordering, other):
    """A network in one ordering, and the definition of the same network in the other."""
    name = name + "_" + ordering
    model = build(ordering)
    save(name, model, [random(name).normal(0, 1, (BATCH, *K.int_shape(model.inputs[0])[1:])).astype("float32")])
    write_text(name + "_as_" + other + ".json", build(other).to_json())


def write(name, layers, shape):
    """A Sequential without input shape on the first layer."""
    model = Sequential([InputLayer(batch_input_shape=(BATCH, *shape), name="x"), *layers])
    save(name, model, [random(name).normal(0, 1, (BATCH, *shape)).astype("float32")])


def save(name, model, inputs):
    """Definition, weights, and what the model read back from them predicts."""
    rng = random(name + " weights")
    for layer in model.layers:
        K.batch_set_value([(weight, random_value(weight, rng)) for weight in layer.weights])
    write_text(name + ".json", model.to_json())
    with h5py.File(os.path.join(HERE, name + ".h5"), "w", libver="latest") as file:
        model.save_weights_to_hdf5_group(file)
    again = model_from_json(model.to_json())
    again.load_weights(os.path.join(HERE, name + ".h5"))
    outputs = again.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=BATCH)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    arrays = {"x" + str(i): x for i, x in enumerate(inputs)}
    arrays.update({"y" + str(i): y for i, y in enumerate(outputs)})
    np.savez_compressed(os.path.join(HERE, name + ".npz"), **arrays)
    print(name, [y.shape for y in outputs])


def random_value(weight, rng):
    shape = K.int_shape(weight)
    return rng.uniform(0.5, 1.5, shape) if "running_std" in weight.name else rng.normal(0, 0.4, shape)


def write_text(name, text):
    with open(os.path.join(HERE, name), "w") as file:
        file.write(text + "\n")


def random(name):
    return np.random.RandomState(zlib.crc32(name.encode()) % (2**32))


if __name__ == "__main__":
    main()
