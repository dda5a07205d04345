"""Writes the definitions of Keras 1.2.2's applications (see README.md).

``KERAS_BACKEND=tensorflow $KERAS122_PYTHON -W ignore tests/applications/make_networks.py``
"""

import gzip
import os

from keras import backend as K
from keras.applications import inception_v3, music_tagger_crnn, resnet50, vgg16, vgg19, xception
from keras.layers import Input

HERE = os.path.dirname(os.path.abspath(__file__))


def image(size):
    """The shape of a square picture in the present ordering."""
    return (3, size, size) if K.image_dim_ordering() == "th" else (size, size, 3)


def headless(build, size):
    """A network without its classifier, for pictures of a size."""
    return lambda: build(include_top=False, weights=None, input_shape=image(size) if size else None)


def whole(build, size):
    """A network with its classifier, for pictures of a size; with None of the network's own."""
    if size is None:
        return lambda: build(weights=None)
    return lambda: build(weights=None, input_tensor=Input(shape=image(size)))


NETWORKS = [
    ("vgg16", headless(vgg16.VGG16, None)),
    ("vgg16_top", whole(vgg16.VGG16, 48)),
    ("vgg19", headless(vgg19.VGG19, 48)),
    ("vgg19_top", whole(vgg19.VGG19, 48)),
    ("resnet50", headless(resnet50.ResNet50, 197)),
    ("resnet50_top", whole(resnet50.ResNet50, None)),
    ("inception_v3", headless(inception_v3.InceptionV3, 139)),
    ("inception_v3_top", whole(inception_v3.InceptionV3, None)),
    ("music_tagger_crnn", lambda: music_tagger_crnn.MusicTaggerCRNN(include_top=False, weights=None)),
    ("music_tagger_crnn_top", lambda: music_tagger_crnn.MusicTaggerCRNN(weights=None)),
]
CHANNELS_LAST_ONLY = [
    ("vgg16_full", whole(vgg16.VGG16, None)),
    ("xception", headless(xception.Xception, 71)),
    ("xception_top", whole(xception.Xception, 96)),
]


def write(name, model):
    """Writes a definition, the same bytes every time."""
    path = os.path.join(HERE, "networks", name + ".json.gz")
    with open(path, "wb") as file, gzip.GzipFile("", "wb", mtime=0, fileobj=file) as packed:
        packed.write((model.to_json() + "\n").encode())


if __name__ == "__main__":
    for ordering in ("tf", "th"):
        for name, build in NETWORKS + (CHANNELS_LAST_ONLY if ordering == "tf" else []):
            K.clear_session()
            K.set_image_dim_ordering(ordering)
            write(name + "_" + ordering, build())
            print(name, ordering)
