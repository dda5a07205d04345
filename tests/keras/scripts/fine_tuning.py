"""Layers cut off, frozen and replaced, as tutorials for Keras 1 do it."""

import numpy as np
from keras.layers import Dense
from keras.models import Model, Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
from keras.utils.generic_utils import Progbar
from keras.utils.np_utils import to_categorical

np.random.seed(4)
X, Y = np.random.random((40, 5)), to_categorical(np.arange(40) % 3)
base = Sequential([Dense(8, input_dim=5, activation="relu", name="kept"), Dense(3, activation="softmax", name="head")])
base.compile("sgd", "categorical_crossentropy")
base.fit(X, Y, nb_epoch=1, verbose=0)

base.layers.pop()
base.outputs = [base.layers[-1].output]
base.layers[-1].outbound_nodes = []
for layer in base.layers:
    layer.trainable = False
features = Model(base.input, base.layers[-1].output)
assert features.predict(X).shape == (40, 8)

model = Model(input=base.input, output=Dense(2, activation="softmax", name="new")(base.layers[-1].output))
before = model.get_layer("kept").get_weights()[0]
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(X, to_categorical(np.arange(40) % 2), nb_epoch=2, verbose=0)
assert np.array_equal(before, model.get_layer("kept").get_weights()[0])
assert len(model.trainable_weights) == 2

tokenizer = Tokenizer(nb_words=5)
tokenizer.fit_on_texts(["one two two", "two three three three"])
assert pad_sequences(tokenizer.texts_to_sequences(["three one two"]), maxlen=4).tolist() == [[0, 2, 3, 1]]
bar = Progbar(3, verbose=2)
for _ in range(3):
    bar.add(1, values=[("loss", 0.5)])
