"""A variational autoencoder: its loss computes with tensors of the graph."""

import numpy as np
from keras import backend as K
from keras import objectives
from keras.layers import Dense, Input, Lambda
from keras.models import Model

np.random.seed(2)
X = (np.random.random((80, 12)) > 0.5).astype("float32")
x = Input(batch_shape=(20, 12))
h = Dense(8, activation="relu")(x)
z_mean = Dense(2)(h)
z_log_var = Dense(2)(h)


def sampling(args):
    mean, log_var = args
    return mean + K.exp(log_var / 2) * K.random_normal(shape=(20, 2), mean=0.0, std=1.0)


z = Lambda(sampling, output_shape=(2,))([z_mean, z_log_var])
decoded = Dense(12, activation="sigmoid")(z)


def vae_loss(x, x_decoded):
    kl = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return 12 * objectives.binary_crossentropy(x, x_decoded) + kl


vae = Model(x, decoded)
vae.compile(optimizer="adam", loss=vae_loss)
losses = vae.fit(X, X, shuffle=True, nb_epoch=40, batch_size=20, verbose=0).history["loss"]
assert np.mean(losses[-10:]) < np.mean(losses[:10])  # each alone is that of one draw
assert Model(x, z_mean).predict(X, batch_size=20).shape == (80, 2)
gradient = K.function([x], K.gradients(K.sum(z_mean), x))
assert gradient([X[:20]])[0].shape == (20, 12)
