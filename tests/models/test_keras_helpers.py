"""What scripts for Keras 1.2.2 use beside models: wrappers, pictures of models, files read by rows, objects by name."""

import json

import h5py
import numpy as np
import pytest

from bigdl.errors import DataError, FormatError, MissingFileError, UnsupportedLayerError
from bigdl.formats.hdf5_matrix import HDF5Matrix
from bigdl.graph import Input
from bigdl.layers import Convolution2D, Dense, TimeDistributed, merge
from bigdl.layers.custom import KerasLayer
from bigdl.models import Model, Sequential
from bigdl.models.definitions import layer_from_config, model_from_config, model_from_json, model_from_yaml
from bigdl.models.layer_utils import convert_all_kernels_in_model, count_total_params, print_summary
from bigdl.models.loading import load_model
from bigdl.models.plot import Dot, model_to_dot, plot_model
from bigdl.models.saving import save_model
from bigdl.models.scikit_learn import KerasClassifier, KerasRegressor
from bigdl.registry import get_custom_objects
from bigdl.registry.keras_objects import custom_object_scope, get_from_module, make_tuple
from bigdl.training.progbar import Progbar

RNG = np.random.default_rng(0)
X, Y = RNG.random((30, 4)), np.arange(30) % 3


def classifier(units=5, loss="categorical_crossentropy"):
    model = Sequential([Dense(units, input_dim=4, activation="relu"), Dense(3, activation="softmax")])
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def test_classifiers():
    made = KerasClassifier(classifier, units=7, nb_epoch=2, verbose=0)
    made.fit(X, Y)
    assert made.model.layers[0].output_dim == 7
    assert len(made.model.history.epoch) == 2
    scores = made.predict_proba(X)
    np.testing.assert_allclose(scores, made.model.predict(X))
    assert np.array_equal(made.predict(X), scores.argmax(1))
    assert made.score(X, Y) == pytest.approx((scores.argmax(1) == Y).mean())
    assert made.get_params() == {"units": 7, "nb_epoch": 2, "verbose": 0, "build_fn": classifier}
    assert made.set_params(units=6) is made
    made.fit(X, Y, nb_epoch=1)
    assert (made.model.layers[0].output_dim, len(made.model.history.epoch)) == (6, 1)
    with pytest.raises(DataError, match="'depth' is no argument"):
        KerasClassifier(classifier, depth=3)
    with pytest.raises(DataError, match="build_fn, a function"):
        KerasClassifier()


def test_classifiers_of_two_classes():
    class Binary(KerasClassifier):
        def __call__(self):
            model = Sequential([Dense(1, input_dim=4, activation="sigmoid")])
            model.compile("sgd", "binary_crossentropy")
            return model

    made = Binary(nb_epoch=1, verbose=0)
    made.fit(X, Y % 2)
    assert made.predict_proba(X).shape == (30, 2)
    np.testing.assert_allclose(made.predict_proba(X).sum(1), 1, rtol=1e-6)
    with pytest.raises(DataError, match="metrics"):
        made.score(X, Y % 2)


def test_regressors():
    class Build:
        def __call__(self, units):
            model = Sequential([Dense(units, input_dim=4), Dense(1)])
            model.compile("sgd", "mse")
            return model

    made = KerasRegressor(Build(), units=2, nb_epoch=1, verbose=0)
    made.fit(X, X[:, 0])
    assert made.predict(X).shape == (30,)
    assert made.score(X, X[:, 0]) == pytest.approx(((made.predict(X) - X[:, 0]) ** 2).mean(), rel=1e-5)


def test_drawings(tmp_path):
    a = Input(shape=(4,), name="a")
    joined = merge([Dense(2, name="b")(a), Dense(2, name="c")(a)], mode="sum", name="d")
    model = Model(a, joined)
    drawing = model_to_dot(model, show_shapes=True)
    assert drawing.arrows == [(0, 1), (0, 2), (1, 3), (2, 3)]
    assert drawing.labels[1] == ["b: Dense", "input: (None, 4)", "output: (None, 2)"]
    assert '0 [label="a: InputLayer\\ninput: (None, 4)\\noutput: (None, 4)"];' in drawing.to_string()
    assert "  2 -> 3;" in drawing.to_string()
    assert model_to_dot(model, show_layer_names=False).labels[1] == ["Dense"]
    wrapped = Sequential([TimeDistributed(Dense(2, name="in"), input_shape=(3, 4), name="t")])
    assert model_to_dot(wrapped).labels == [["t(in): TimeDistributed(Dense)"]]
    assert '\\"' in Dot([['say "x"']], []).to_string()
    for suffix, start in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("dot", b"digraph")):
        plot_model(model, tmp_path / f"model.{suffix}", show_shapes=True)
        assert (tmp_path / f"model.{suffix}").read_bytes().startswith(start)
    with pytest.raises(DataError, match=r"png, svg, pdf or dot\. Received: 'txt'"):
        plot_model(model, tmp_path / "model.txt")
    with pytest.raises(ImportError, match="not installed"):
        drawing.create(prog="no-such-program")


def test_rows_of_a_file(tmp_path):
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = X, Y.astype("float32")[:, None]
    x, y = HDF5Matrix(path, "x", 2, 26), HDF5Matrix(path, "y", 2, 26, normalizer=lambda rows: rows * 2)
    assert (len(x), x.shape, x.dtype) == (24, (24, 4), np.dtype("float64"))
    assert np.array_equal(x[1:3], X[3:5])
    assert np.array_equal(x[-1], X[25])
    assert np.array_equal(x[np.array([0, 5])], X[[2, 7]])
    assert np.array_equal(y[[0]], [[2 * Y[2]]])
    for wrong in (24, [30], -25):
        with pytest.raises(IndexError, match="0 to 23"):
            x[wrong]
    model = Sequential([Dense(1, input_dim=4)])
    model.compile("sgd", "mse")
    model.fit(x, y, nb_epoch=1, batch_size=8, verbose=0, validation_split=0.5)
    np.testing.assert_allclose(model.predict(x), model.predict(X[2:26]), rtol=1e-6)
    assert model.validation_data is not None
    assert np.array_equal(model.validation_data[0], X[14:26])
    with pytest.raises(MissingFileError):
        HDF5Matrix(tmp_path / "other.h5", "x")
    with pytest.raises(FormatError, match="no data set 'z'"):
        HDF5Matrix(path, "z")


def test_memory_mapped_arrays(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    model = Sequential([Dense(1, input_dim=4)])
    model.compile("sgd", "mse")
    model.fit(mapped, Y, nb_epoch=1, verbose=0, validation_split=0.5)
    np.testing.assert_allclose(model.predict(mapped), model.predict(X), rtol=1e-6)


def test_definitions():
    model = Sequential([Dense(2, input_dim=4, name="d")])
    weights = model.get_weights()
    pair = {"class_name": "Sequential", "config": model.get_config()}
    for twin in (model_from_json(model.to_json()), model_from_yaml(model.to_yaml()), model_from_config(pair)):
        assert isinstance(twin, Sequential)
        twin.set_weights(weights)
        np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    assert layer_from_config({"class_name": "Dense", "config": {"output_dim": 3}}).output_dim == 3
    with pytest.raises(FormatError, match=r"Sequential\.from_config"):
        model_from_config(model.get_config())


def test_objects_by_name():
    class Mine(KerasLayer):
        pass

    pair = {"class_name": "Mine", "config": {"name": "m"}}
    with custom_object_scope({"Mine": Mine}, {"other": 1}):
        assert isinstance(layer_from_config(pair), Mine)
        assert get_from_module("other", {"other": 2}, "thing") == 1
        assert len(get_custom_objects()) == 2
    with pytest.raises(UnsupportedLayerError, match="Mine"):
        layer_from_config(pair)
    get_custom_objects()["Mine"] = Mine
    try:
        assert isinstance(layer_from_config(pair), Mine)
    finally:
        get_custom_objects().clear()
    objects = {"make": lambda value=1: value + 1}
    assert get_from_module("make", objects, "thing", instantiate=True, kwargs={"value": 4}) == 5
    assert get_from_module({"name": "make", "value": 6}, objects, "thing") == 7
    assert get_from_module(8, objects, "thing") == 8
    with pytest.raises(UnsupportedLayerError, match="Unknown thing 'gone'"):
        get_from_module("gone", objects, "thing")
    assert make_tuple(1, 2) == (1, 2)


def test_layers_of_models(capsys):
    model = Sequential([Dense(3, input_dim=4), Sequential([Dense(2, input_dim=3)])])
    model.layers[0].trainable = False
    assert count_total_params(model.layers) == (8, 15)
    print_summary(model.layers)
    assert "Total params: 23" in capsys.readouterr().out


@pytest.mark.parametrize(("ordering", "shape"), [("tf", (5, 5, 2)), ("th", (2, 5, 5))])
def test_kernels_are_flipped(ordering, shape):
    model = Sequential([Convolution2D(3, 2, 2, dim_ordering=ordering, input_shape=shape)])
    before = model.get_weights()
    convert_all_kernels_in_model(model)
    axes = (0, 1) if ordering == "tf" else (2, 3)
    assert np.array_equal(model.get_weights()[0], np.flip(before[0], axes))
    assert np.array_equal(model.get_weights()[1], before[1])


def test_progress_bars(capsys):
    bar = Progbar(4, verbose=2)
    bar.update(1, [("loss", 1.0)])
    bar.add(3, [("loss", 5.0)])
    assert capsys.readouterr().out == "4/4 - 0s - loss: 4.0000\n"
    Progbar(1, verbose=0).add(1, [("loss", 1e-5)])
    assert capsys.readouterr().out == ""


def test_keras_names_of_arguments(tmp_path):
    model = Sequential([Dense(2, input_dim=4)])
    model.compile("sgd", "mse", mode="FAST_COMPILE")
    assert (model.metrics, model.loss_weights, model.sample_weight_mode) == (None, None, None)
    model.save_weights(tmp_path / "w.h5")
    for write in (model.save_weights, model.save):
        with pytest.raises(FileExistsError):
            write(tmp_path / "w.h5", overwrite=False)
        write(tmp_path / "w.h5", overwrite=True)
    for write in (model.save_weights, model.save):
        write(filepath=tmp_path / "f.h5")
        with pytest.raises(DataError, match="path and filepath are two names of one argument"):
            write(tmp_path / "f.h5", filepath=tmp_path / "f.h5")
        with pytest.raises(DataError, match=r"path \(or filepath, its other name\) must be given"):
            write()
    model.load_weights(filepath=tmp_path / "f.h5")
    save_model(model, filepath=tmp_path / "g.h5", overwrite=True)
    np.testing.assert_array_equal(load_model(filepath=tmp_path / "g.h5").predict(X), model.predict(X))
    assert json.loads(model.to_json(indent=2)) == json.loads(model.to_json())
    assert "\n" in model.to_json(indent=2)
    model.summary(80, [0.3, 0.6, 0.8, 1.0])
    assert tuple(merge([Input((3, 4)), Input((3, 5))], "concat", 2).shape) == (None, 3, 9)
