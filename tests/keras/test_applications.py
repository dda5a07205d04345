"""The networks against the definitions that the real Keras 1.2.2 wrote of them."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigdl.errors import DataError, LayerError
from bigdl.graph import Input, without_initialization
from bigdl.keras import applications
from bigdl.keras.applications import imagenet_utils, inception_v3, music_tagger_crnn
from bigdl.layers import settings
from bigdl.models import Model

DEFINITIONS = Path(__file__).parents[1] / "applications" / "networks"
HEADLESS = [
    ("vgg16", "VGG16", None),
    ("vgg19", "VGG19", 48),
    ("resnet50", "ResNet50", 197),
    ("inception_v3", "InceptionV3", 139),
]
WHOLE = [
    ("vgg16_top", "VGG16", 48),
    ("vgg19_top", "VGG19", 48),
    ("resnet50_top", "ResNet50", None),
    ("inception_v3_top", "InceptionV3", None),
]


def definition(name: str, ordering: str) -> Any:
    with gzip.open(DEFINITIONS / f"{name}_{ordering}.json.gz") as file:
        return json.load(file)


def image(size: int) -> tuple[int, int, int]:
    return (3, size, size) if settings.image_dim_ordering() == "th" else (size, size, 3)


def check(model: Model, name: str, ordering: str) -> None:
    made, expected = json.loads(model.to_json()), definition(name, ordering)
    assert made["config"]["name"] == expected["config"]["name"]
    for one, other in zip(made["config"]["layers"], expected["config"]["layers"], strict=True):
        assert {key: one[key] for key in ("class_name", "name", "inbound_nodes")} == {
            key: other[key] for key in ("class_name", "name", "inbound_nodes")
        }
        assert {key: one["config"].get(key) for key in other["config"]} == other["config"]


@pytest.mark.parametrize("ordering", ["tf", "th"])
@pytest.mark.parametrize(("name", "build", "size"), HEADLESS)
def test_headless(name, build, size, ordering):
    settings.set_image_dim_ordering(ordering)
    shape = image(size) if size else None
    with without_initialization():
        check(getattr(applications, build)(include_top=False, weights=None, input_shape=shape), name, ordering)


@pytest.mark.parametrize("ordering", ["tf", "th"])
@pytest.mark.parametrize(("name", "build", "size"), WHOLE)
def test_whole(name, build, size, ordering):
    settings.set_image_dim_ordering(ordering)
    options = {"input_tensor": Input(shape=image(size))} if size else {}
    with without_initialization():
        check(getattr(applications, build)(weights=None, **options), name, ordering)


@pytest.mark.parametrize(("name", "size", "top"), [("xception", 71, False), ("xception_top", 96, True)])
def test_xception(name, size, top):
    options = {"input_tensor": Input(shape=image(size))} if top else {"input_shape": image(size)}
    with without_initialization():
        check(applications.Xception(include_top=top, weights=None, **options), name, "tf")


def test_xception_takes_channels_last_only():
    settings.set_image_dim_ordering("th")
    with without_initialization(), pytest.warns(UserWarning, match="channels last"):
        model = applications.Xception(include_top=False, weights=None)
    assert model.input_shape == (None, None, None, 3)


@pytest.mark.parametrize("ordering", ["tf", "th"])
@pytest.mark.parametrize("top", [True, False])
def test_music_tagger(top, ordering):
    settings.set_image_dim_ordering(ordering)
    name = "music_tagger_crnn_top" if top else "music_tagger_crnn"
    check(applications.MusicTaggerCRNN(include_top=top, weights=None), name, ordering)


def test_weights_from_a_file(tmp_path):
    model = applications.MusicTaggerCRNN(weights=None)
    model.save_weights(tmp_path / "weights.h5")
    loaded = applications.MusicTaggerCRNN(weights=tmp_path / "weights.h5")
    assert all(map(np.array_equal, loaded.get_weights(), model.get_weights()))


def test_weights_from_keras_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    model = applications.MusicTaggerCRNN(weights=None)
    folder = tmp_path / ".keras" / "models"
    folder.mkdir(parents=True)
    model.save_weights(folder / "music_tagger_crnn_weights_tf_kernels_tf_dim_ordering.h5")
    assert all(map(np.array_equal, applications.MusicTaggerCRNN().get_weights(), model.get_weights()))


def test_theanos_kernels_are_flipped(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    settings.set_image_dim_ordering("th")
    model = applications.VGG16(include_top=False, weights=None)
    folder = tmp_path / ".keras" / "models"
    folder.mkdir(parents=True)
    model.save_weights(folder / "vgg16_weights_th_dim_ordering_th_kernels_notop.h5")
    loaded = applications.VGG16(include_top=False)
    kernel, bias = model.get_weights()[:2]
    assert np.array_equal(loaded.get_weights()[0], kernel[:, :, ::-1, ::-1])
    assert np.array_equal(loaded.get_weights()[1], bias)


def test_nothing_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with without_initialization(), pytest.raises(DataError, match=r"nothing is downloaded.*give the path"):
        applications.VGG16()


def test_wrong_arguments():
    with pytest.raises(LayerError, match="1000 classes"):
        applications.ResNet50(classes=10)
    with pytest.raises(LayerError, match="input_shape must be"):
        applications.VGG16(include_top=False, weights=None, input_shape=(20, 20, 3))
    with pytest.raises(LayerError, match="input_shape must be"):
        applications.VGG16(weights=None, input_shape=(200, 200, 3))


def test_images():
    x = np.arange(12.0).reshape(1, 2, 2, 3)
    expected = x[..., ::-1] - [103.939, 116.779, 123.68]
    np.testing.assert_allclose(imagenet_utils.preprocess_input(x.copy()), expected)
    th = imagenet_utils.preprocess_input(x.transpose(0, 3, 1, 2).copy(), "th")
    np.testing.assert_allclose(th, expected.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(inception_v3.preprocess_input(np.array([0.0, 127.5, 255.0])), [-1, 0, 1])


def test_decoding(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    scores = np.zeros((1, 1000))
    scores[0, [7, 3]] = 0.6, 0.4
    with pytest.raises(DataError, match=r"imagenet_class_index\.json"):
        imagenet_utils.decode_predictions(scores)
    folder = tmp_path / ".keras" / "models"
    folder.mkdir(parents=True)
    names = {str(i): [f"n{i}", f"class {i}"] for i in range(1000)}
    (folder / "imagenet_class_index.json").write_text(json.dumps(names))
    assert imagenet_utils.decode_predictions(scores, top=2) == [[("n7", "class 7", 0.6), ("n3", "class 3", 0.4)]]
    tags = np.zeros((1, 50))
    tags[0, 49] = 1
    assert music_tagger_crnn.decode_predictions(tags, 1) == [[("happy", 1.0)]]
