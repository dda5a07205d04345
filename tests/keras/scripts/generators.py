"""Images from a generator and from a folder, with augmentation."""

import os

import numpy as np
from keras.layers import Convolution2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator, array_to_img

np.random.seed(5)
labels = np.arange(48) % 2
X = np.random.random((48, 8, 8, 3)) * 0.2
X[labels == 1, :, :4] += 0.8
model = Sequential()
model.add(Convolution2D(4, 3, 3, activation="relu", input_shape=(8, 8, 3)))
model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])

augment = ImageDataGenerator(featurewise_center=True, width_shift_range=0.1, zoom_range=0.1, vertical_flip=True)
augment.fit(X)
history = model.fit_generator(
    augment.flow(X, labels, batch_size=16),
    samples_per_epoch=48,
    nb_epoch=10,
    verbose=0,
    validation_data=augment.flow(X, labels, batch_size=16),
    nb_val_samples=48,
)
assert len(history.history["val_loss"]) == 10
assert history.history["loss"][-1] < history.history["loss"][0]
assert model.predict_generator(augment.flow(X, batch_size=16), 48).shape == (48, 1)
assert len(model.evaluate_generator(augment.flow(X, labels, batch_size=16), 48)) == 2

for name, number in (("dark", 0), ("bright", 1)):
    os.makedirs(os.path.join("pictures", name))
    for i, image in enumerate(X[labels == number][:6]):
        array_to_img(image).save(os.path.join("pictures", name, f"{i}.png"))
pictures = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
    "pictures", target_size=(8, 8), class_mode="binary", batch_size=4
)
assert pictures.class_indices == {"bright": 0, "dark": 1}
model.fit_generator(pictures, 12, 1, verbose=0)
