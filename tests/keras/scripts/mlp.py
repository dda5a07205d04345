"""A classifier as a beginner writes it."""

import numpy as np
from keras.callbacks import CSVLogger, EarlyStopping, LambdaCallback, LearningRateScheduler, ModelCheckpoint
from keras.layers.core import Activation, Dense, Dropout
from keras.models import Sequential, load_model, model_from_json
from keras.optimizers import SGD
from keras.regularizers import l2
from keras.utils import np_utils

np.random.seed(1337)
X = np.random.random((200, 8)).astype("float32")
labels = (X[:, 0] > 0.5).astype(int)
Y = np_utils.to_categorical(labels, 2)

model = Sequential()
model.add(Dense(16, input_shape=(8,), init="glorot_uniform", W_regularizer=l2(1e-4)))
model.add(Activation("relu"))
model.add(Dropout(0.1))
model.add(Dense(2, activation="softmax"))
model.summary()
model.compile(loss="categorical_crossentropy", optimizer=SGD(lr=0.2, momentum=0.9, nesterov=True), metrics=["accuracy"])

seen = []
history = model.fit(
    X,
    Y,
    batch_size=20,
    nb_epoch=20,
    verbose=2,
    validation_split=0.2,
    callbacks=[
        EarlyStopping(patience=19),
        LearningRateScheduler(lambda epoch: 0.2 * 0.95**epoch),
        ModelCheckpoint("best.h5", save_best_only=True),
        CSVLogger("log.csv"),
        LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["val_acc"])),
    ],
)
assert seen == history.history["val_acc"]
assert history.history["acc"][-1] > 0.9
assert open("log.csv").readline().split(",")[0] == "epoch"

score = model.evaluate(X, Y, verbose=0)
assert model.metrics_names == ["loss", "acc"]
assert len(score) == 2
assert model.predict_classes(X, verbose=0).shape == (200,)

twin = model_from_json(model.to_json())
model.save_weights("weights.h5", overwrite=True)
twin.load_weights("weights.h5")
assert np.array_equal(twin.predict(X), model.predict(X))
best = load_model("best.h5")
assert best.evaluate(X, Y, verbose=0)[1] > 0.85
best.train_on_batch(X[:20], Y[:20])
