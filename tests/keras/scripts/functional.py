"""Shared layers, several inputs and outputs, and a look at what is inside."""

import numpy as np
from keras import backend as K
from keras.layers import LSTM, Dense, Embedding, Input, Lambda, merge
from keras.models import Model

np.random.seed(0)
words = np.random.randint(1, 20, (60, 5))
others = np.random.randint(1, 20, (60, 5))
same = (words[:, :1] % 2 == others[:, :1] % 2).astype("float32")

a = Input(shape=(5,), dtype="int32", name="a")
b = Input(shape=(5,), dtype="int32", name="b")
embed = Embedding(20, 6, mask_zero=True)
encode = LSTM(7)
left, right = encode(embed(a)), encode(embed(b))
distance = Lambda(
    lambda pair: K.sqrt(K.sum(K.square(pair[0] - pair[1]), axis=1, keepdims=True) + K.epsilon()), output_shape=(1,)
)([left, right])
joined = merge([left, right], mode="concat")
answer = Dense(1, activation="sigmoid", name="answer")(joined)
model = Model(input=[a, b], output=[answer, distance])
model.compile(
    optimizer="adam",
    loss={"answer": "binary_crossentropy", model.output_names[1]: lambda y, d: K.mean(y * K.square(d), axis=-1)},
    loss_weights=[1.0, 0.1],
    metrics={"answer": "accuracy"},
)
model.fit({"a": words, "b": others}, [same, same], nb_epoch=2, batch_size=16, verbose=0)
assert len(model.evaluate([words, others], [same, same], verbose=0)) == 4

assert encode.get_output_at(0) is left
assert encode.get_input_shape_at(1) == (None, 5, 6)
assert model.get_layer("answer").output_shape == (None, 1)
assert K.int_shape(joined) == (None, 14)

inside = K.function([model.layers[0].input, model.layers[1].input, K.learning_phase()], [joined])
assert np.allclose(inside([words, others, 0])[0], Model([a, b], joined).predict([words, others]), atol=1e-6)

K.set_value(model.optimizer.lr, 0.01)
assert np.isclose(K.get_value(model.optimizer.lr), 0.01)
copy = Model.from_config(model.get_config())
copy.set_weights(model.get_weights())
assert np.array_equal(copy.predict([words, others])[0], model.predict([words, others])[0])
