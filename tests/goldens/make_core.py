"""Core layers: Dense, Activation, Flatten, Reshape, Permute, RepeatVector, Dropout and noise, and their older kin."""

import numpy as np
from keras import constraints, regularizers
from keras.layers import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Highway,
    Input,
    InputLayer,
    Masking,
    MaxoutDense,
    Permute,
    RepeatVector,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    TimeDistributedDense,
)
from keras.models import Model, Sequential
from make_write import Family, sequences

ACTIVATIONS = ["softmax", "elu", "softplus", "softsign", "relu", "tanh", "sigmoid", "hard_sigmoid", "linear"]
INITS = ["uniform", "lecun_uniform", "normal", "identity", "orthogonal", "zero", "one", "glorot_normal"]
INITS += ["glorot_uniform", "he_normal", "he_uniform"]

core = Family("core", compact=False)


def extreme(rng):
    """Numbers where a careless softplus or softmax overflows."""
    edges = np.array([-200, -90, -20, -2.5, -1e-4, 0, 1e-4, 2.5, 20, 90, 200], "float32")
    return [np.stack([rng.permutation(edges) for _ in range(4)])]


# Dense and the inputs of a model
for rank, shape in enumerate([(5,), (4, 5), (3, 4, 5), (2, 3, 2, 5)]):
    core.layer(f"dense_{rank + 1}d", Dense, 3, shape=shape)
for activation in ACTIVATIONS:
    core.layer("dense_" + activation, Dense, 4, shape=(5,), activation=activation)
core.layer("dense_no_bias", Dense, 3, shape=(5,), bias=False)
core.layer("dense_input_dim", Dense, 3, input_dim=5)
core.layer("dense_batch_input_shape", Dense, 3, batch_input_shape=(4, 5))
core.layer("dense_open_time", Dense, 3, shape=(None, 5), activation="tanh")
core.layer("dense_3d_softmax", Dense, 4, shape=(3, 5), activation="softmax")
core.layer("dense_one_unit", Dense, 1, shape=(5,), activation="sigmoid")
core.layer("dense_named", Dense, 3, shape=(5,), name="block/a.dense-1")
core.layer("dense_frozen", Dense, 3, shape=(5,), trainable=False)
core.layer(
    "dense_penalties",
    Dense,
    3,
    shape=(5,),
    W_regularizer=regularizers.l1l2(0.01, 0.02),
    b_regularizer=regularizers.l2(0.1),
    activity_regularizer=regularizers.activity_l1(0.1),
    W_constraint=constraints.maxnorm(2, axis=0),
    b_constraint=constraints.nonneg(),
)
core.layer("dense_unitnorm", Dense, 3, shape=(5,), W_constraint=constraints.unitnorm(axis=1), W_regularizer="l1")
core.stack("dense_inits", (4,), lambda: [Dense(4, init=init, activation="tanh") for init in INITS])
core.stack("input_layer", (5,), lambda: [Dense(3, activation="tanh"), Dense(2)])
core.stack("input_layer_batch", (5,), lambda: [Dense(3, activation="tanh")], batch=3)
core.model("input_layer_alone", lambda: Sequential([InputLayer(input_shape=(5,), name="only")]))


def integer_input():
    """An input of whole numbers that a model declares itself."""
    x = Input((4,), dtype="int32", name="tokens")
    return Model(x, Flatten()(Embedding(6, 3, name="table")(x)))


core.model("input_int32", integer_input)

# Activation
for activation in ACTIVATIONS:
    core.layer("activation_" + activation, Activation, activation, shape=(6,))
    core.layer(f"activation_{activation}_extreme", Activation, activation, shape=(11,), inputs=extreme)
    if activation != "softmax":
        core.layer(f"activation_{activation}_4d", Activation, activation, shape=(3, 2, 2))
core.layer("activation_softmax_3d", Activation, "softmax", shape=(3, 4))

# Shapes
core.layer("flatten_3d", Flatten, shape=(3, 4))
core.both("flatten_4d", Flatten, size=(3, 4))
core.both("flatten_5d", Flatten, size=(2, 3, 2))
for name, shape, target in [
    ("vector", (3, 4), (12,)),
    ("matrix", (12,), (4, 3)),
    ("cube", (12,), (2, 3, 2)),
    ("image", (3, 4, 2), (2, 6, 2)),
    ("open_vector", (3, 4), (-1,)),
    ("open_first", (12,), (-1, 3)),
    ("open_last", (2, 6), (4, -1)),
    ("open_middle", (2, 6), (2, -1, 2)),
]:
    core.layer("reshape_" + name, Reshape, target, shape=shape)
core.layer("reshape_th", Reshape, (3, 2, 2), shape=(12,), ordering="th")
for dims in [(1,), (2, 1), (2, 3, 1), (3, 1, 2), (1, 3, 2), (4, 1, 3, 2)]:
    core.layer("permute_" + "".join(map(str, dims)), Permute, dims, shape=(2, 3, 4, 5)[: len(dims)])
core.layer("repeat_vector", RepeatVector, 3, shape=(4,))
core.layer("repeat_vector_once", RepeatVector, 1, shape=(4,))

# Regularization that does nothing in prediction
for p in (0.0, 0.25, 0.5, 1.0):
    core.layer(f"dropout_{p}", Dropout, p, shape=(5,))
core.layer("dropout_noise_shape", Dropout, 0.5, shape=(3, 5), noise_shape=(4, 1, 5), seed=7)
core.layer("spatial_dropout_1d", SpatialDropout1D, 0.5, shape=(4, 3))
core.both("spatial_dropout_2d", SpatialDropout2D, 0.5, size=(3, 4))
core.both("spatial_dropout_3d", SpatialDropout3D, 0.5, size=(2, 3, 2))
core.layer("gaussian_noise", GaussianNoise, 0.7, shape=(5,))
core.layer("gaussian_noise_3d", GaussianNoise, 0.7, shape=(4, 5))
core.layer("gaussian_dropout", GaussianDropout, 0.4, shape=(5,))
core.layer("gaussian_dropout_4d", GaussianDropout, 0.4, shape=(3, 2, 2))
core.layer("activity_regularization", ActivityRegularization, l1=0.1, l2=0.2, shape=(5,))
core.stack("dropout_between", (5,), lambda: [Dense(4), Dropout(0.5), GaussianNoise(0.1), Dense(3)])

# Masking alone: masked steps become zero
core.layer("masking", Masking, shape=(6, 3), inputs=lambda rng: [sequences(rng, 6, 3)])
core.layer("masking_value", Masking, -1.0, shape=(6, 3), inputs=lambda rng: [sequences(rng, 6, 3, -1.0)])
core.layer("masking_4d", Masking, mask_value=0.0, shape=(3, 2, 4))

# MaxoutDense, Highway, TimeDistributedDense
core.layer("maxout_dense", MaxoutDense, 3, shape=(5,))
core.layer("maxout_dense_features", MaxoutDense, 3, nb_feature=2, shape=(5,))
core.layer("maxout_dense_no_bias", MaxoutDense, 3, bias=False, input_dim=5)
core.layer("highway", Highway, shape=(5,))
for activation in ("relu", "tanh", "softmax"):
    core.layer("highway_" + activation, Highway, activation=activation, shape=(5,))
core.layer("highway_no_bias", Highway, bias=False, activation="tanh", input_dim=5)
core.layer("time_distributed_dense", TimeDistributedDense, 3, shape=(4, 5))
core.layer("time_distributed_dense_softmax", TimeDistributedDense, 3, activation="softmax", shape=(4, 5))
core.layer("time_distributed_dense_no_bias", TimeDistributedDense, 3, bias=False, input_dim=5, input_length=4)

FAMILIES = [core]
