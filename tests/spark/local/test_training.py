"""Training by workers: the same weights as on one machine."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from pyspark.sql import functions as F

from bigdl.errors import DataError, DistributedError
from bigdl.keras.callbacks import EarlyStopping, LearningRateScheduler, ModelCheckpoint
from bigdl.layers import LSTM, Dense, Flatten, Masking
from bigdl.models import Model, Sequential
from bigdl.optim.optimizer import DistriOptimizer, EveryEpoch, Loss, Optimizer, SeveralIteration, Top1Accuracy
from bigdl.spark.options import Options
from bigdl.util.common import Sample
from tests.spark.models import SEED, arrays, assert_same_weights, frame, network, nll, optimizer

# BigDL's face.


@pytest.fixture(scope="module")
def alone():
    """An optimizer that has trained on this machine."""
    x, y = arrays()
    trained = optimizer((x, y))
    trained.set_validation(50, (x[:90], y[:90]), EveryEpoch(), [Top1Accuracy(), Loss(nll())])
    trained.optimize(verbose=0)
    return trained


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_weights_of_one(spark, alone, workers):
    x, y = arrays()
    ours = optimizer(frame(spark, x, y), options=Options(workers=workers))
    ours.set_validation(50, frame(spark, x[:90], y[:90]), EveryEpoch(), [Top1Accuracy(), Loss(nll())])
    assert ours.optimize(verbose=0) is ours.model
    assert_same_weights(ours.model, alone.model)
    assert ours.state.iteration == alone.state.iteration
    for name, values in alone.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=1e-5)


def test_partitions_may_be_uneven_and_empty(spark, alone):
    x, y = arrays()
    cuts = [0, 0, 3, 180, 180, len(x)]
    samples = [Sample.from_ndarray(row, int(label)) for row, label in zip(x, y, strict=True)]
    rdds = [spark.sparkContext.parallelize(samples[a:b], 1) for a, b in itertools.pairwise(cuts)]
    rdd = spark.sparkContext.union(rdds)
    assert isinstance(Optimizer.create(alone.model, rdd, nll()), DistriOptimizer)
    ours = optimizer(rdd, options=Options(workers=2))
    ours.optimize(verbose=0)
    assert_same_weights(ours.model, alone.model)


def test_arrays_are_sent_to_the_cluster(spark, alone):
    ours = optimizer(arrays(), DistriOptimizer)
    ours.optimize(verbose=0)
    assert_same_weights(ours.model, alone.model)


def test_there_may_be_fewer_rows_than_workers(spark):
    x, y = arrays(5)
    alone = optimizer((x, y))
    alone.batch_size = 2
    alone.optimize(verbose=0)
    ours = optimizer(frame(spark, x, y), options=Options(workers=3))
    ours.batch_size = 2
    ours.optimize(verbose=0)
    assert_same_weights(ours.model, alone.model)


def test_gradients_are_clipped_and_training_goes_on_from_a_checkpoint(spark, tmp_path):
    x, y = arrays()
    data = frame(spark, x, y)
    alone = optimizer((x, y))
    first = optimizer(data, epochs=1, options=Options(workers=2))
    second = optimizer(data, options=Options(workers=3))
    for each in (alone, first, second):
        each.set_gradclip_l2norm(0.3)
        each.set_gradclip_const(-0.1, 0.1)
    torch.manual_seed(SEED)
    alone.optimize(verbose=0)
    first.set_checkpoint(SeveralIteration(5), tmp_path / "kept")
    torch.manual_seed(SEED)
    first.optimize(verbose=0)
    assert second.resume(tmp_path / "kept")
    second.optimize(verbose=0)
    assert second.state.iteration == alone.state.iteration
    assert_same_weights(second.model, alone.model)


def test_batch_normalization_of_the_whole_batch(spark):
    x, y = arrays()
    alone = optimizer((x, y), model=network(batch_norm=True))
    alone.optimize(verbose=0)
    ours = optimizer(
        frame(spark, x, y), model=network(batch_norm=True), options=Options(workers=2, sync_batch_norm=True)
    )
    ours.optimize(verbose=0)
    assert_same_weights(ours.model, alone.model)


# Keras's face.


def regression() -> Any:
    torch.manual_seed(0)
    model = Sequential([Dense(8, input_dim=4, activation="tanh", W_regularizer="l2"), Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model


def test_fit_on_a_dataframe_is_fit_on_arrays(spark, tmp_path):
    x, _ = arrays()
    y, weights = np.random.RandomState(1).rand(2, len(x)).astype("float32")
    weights[:20] = 0
    rows = [(*map(float, row), float(target), float(w)) for row, target, w in zip(x, y, weights, strict=True)]
    data = spark.createDataFrame(rows, "a float, b float, c double, d float, target double, weight float")

    def settings(path: Any) -> dict[str, Any]:
        saving = ModelCheckpoint(str(path), save_best_only=True, monitor="val_loss")
        stopping = EarlyStopping("val_loss", min_delta=0.003, patience=1)
        rate = LearningRateScheduler(lambda epoch: 0.02 / (epoch + 1))
        return {
            "batch_size": 32,
            "nb_epoch": 9,
            "validation_split": 0.2,
            "verbose": 0,
            "callbacks": [rate, saving, stopping],
        }

    alone, ours = regression(), regression()
    np.random.seed(3)
    expected = alone.fit(x, y, sample_weight=weights, **settings(tmp_path / "alone"))
    drawn = np.random.rand()
    np.random.seed(3)
    history = ours.fit(
        data,
        features_col=["a", "b", "c", "d"],
        label_col="target",
        sample_weight_col="weight",
        options=Options(workers=2),
        **settings(tmp_path / "ours"),
    )
    assert len(expected.epoch) < 9  # it was stopped
    assert history.epoch == expected.epoch
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-4)
    assert_same_weights(ours, alone)
    assert_same_weights(Model.load(tmp_path / "ours"), Model.load(tmp_path / "alone"))
    assert np.random.rand() == drawn
    assert float(ours.optimizer.lr) == float(alone.optimizer.lr)
    assert ours.optimizer.iterations == alone.optimizer.iterations


def test_products_of_bfloat16(spark):
    x = arrays()[0]
    y = np.random.RandomState(1).rand(len(x)).astype("float32")
    rows = [(row.tolist(), float(target)) for row, target in zip(x, y, strict=True)]
    data = spark.createDataFrame(rows, "features array<float>, label double")

    def losses(data: Any, targets: Any, precision: str | None, options: Any = None) -> Any:
        torch.manual_seed(0)
        model = Sequential([Dense(8, input_dim=4, activation="tanh"), Dense(1)])
        model.compile("sgd", "mse", precision=precision)
        model.optimizer.lr = 0.0  # the losses are those of one forward pass
        return model.fit(data, targets, nb_epoch=1, verbose=0, options=options).history["loss"]

    ours = losses(data, None, "bf16", Options(workers=2))
    np.testing.assert_allclose(ours, losses(x, y, "bf16"), rtol=1e-6)
    assert abs(ours[0] / losses(x, y, None)[0] - 1) > 1e-5
    with pytest.raises(DataError, match="sync_batch_norm"):
        losses(data, None, "bf16", Options(workers=2, sync_batch_norm=True))


def test_masks_and_class_weights(spark):
    random = np.random.RandomState(2)
    x = random.rand(50, 6, 3).astype("float32")
    for i, length in enumerate(random.randint(2, 7, 50)):
        x[i, length:] = 0
    y = random.rand(50, 6, 2).astype("float32")
    labels = random.randint(0, 3, 50)

    def sequences() -> Any:
        torch.manual_seed(0)
        model = Sequential([Masking(input_shape=(6, 3)), LSTM(2, return_sequences=True)])
        model.compile("sgd", "mse")
        return model

    def classes() -> Any:
        torch.manual_seed(0)
        model = Sequential([LSTM(3, input_shape=(6, 3), activation="softmax", W_regularizer="l1")])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    rows = [(a.tolist(), b.tolist(), int(c)) for a, b, c in zip(x, y, labels, strict=True)]
    data = spark.createDataFrame(rows, "features array<array<float>>, steps array<array<double>>, label int")
    settings: dict[str, Any] = {"batch_size": 16, "nb_epoch": 2, "verbose": 0, "shuffle": "balanced"}
    weights = {0: 0.5, 1: 3.0, 2: 1.0}
    for make, column, targets, class_weight in [
        (sequences, "steps", y, None),
        (classes, "label", labels, weights),
    ]:
        alone, ours = make(), make()
        np.random.seed(1)
        alone.fit(x, targets, class_weight=class_weight, **settings)
        np.random.seed(1)
        ours.fit(data, label_col=column, class_weight=class_weight, options=Options(workers=3), **settings)
        assert_same_weights(ours, alone)


def test_arrays_that_are_sent_and_functions_that_inputs_pass_through(spark):
    images = np.random.RandomState(0).randint(0, 256, (40, 2, 2, 1), np.uint8)
    y, weights = np.random.RandomState(1).rand(2, 40).astype("float32")

    def scaled(rows: Any) -> Any:
        return (rows.astype("float32") - 100) / 50

    def model() -> Any:
        torch.manual_seed(0)
        made = Sequential([Flatten(input_shape=(2, 2, 1)), Dense(1)])
        made.compile("sgd", "mse")
        return made

    settings: dict[str, Any] = {"nb_epoch": 2, "verbose": 0, "shuffle": False, "validation_data": (images, y)}
    alone, sent, from_frame = model(), model(), model()
    expected = alone.fit(
        scaled(images), y, sample_weight=weights, **{**settings, "validation_data": (scaled(images), y)}
    )
    found = sent.fit(images, y, sample_weight=weights, preprocess=scaled, distributed=True, **settings)
    np.testing.assert_allclose(found.history["val_loss"], expected.history["val_loss"], rtol=1e-5)
    assert_same_weights(sent, alone)
    rows = [(bytearray(i.tobytes()), float(t), float(w)) for i, t, w in zip(images, y, weights, strict=True)]
    data = spark.createDataFrame(rows, "pixels binary, label float, weight float")
    columns: dict[str, Any] = {"features_col": "pixels", "preprocess": scaled}
    from_frame.fit(data, sample_weight_col="weight", **columns, **settings)
    assert_same_weights(from_frame, alone)
    predicted = from_frame.predict(data, **columns).collect()
    np.testing.assert_allclose([row.prediction for row in predicted], alone.predict(scaled(images)), rtol=1e-4)
    np.testing.assert_allclose(
        from_frame.evaluate(data, **columns), alone.evaluate(scaled(images), y, verbose=0), rtol=1e-5
    )
    with pytest.raises(DataError, match="as many rows"):
        from_frame.fit(data, **{**columns, "preprocess": lambda rows: rows[:1]})
    with pytest.raises(DataError, match="is for the data of a Spark session"):
        alone.fit(images, y, preprocess=scaled)


# What goes wrong.


def test_bad_rows_are_named(spark):
    x, y = arrays()
    data = frame(spark, x, y).repartition(4, "label")
    rows = data.collect()
    wrong = F.when(F.col("features") == F.lit(rows[40].features), None).otherwise(F.col("features"))
    short = F.when(F.col("features") == F.lit(rows[7].features), F.array(F.lit(1.0).cast("float"))).otherwise(wrong)
    with pytest.raises(DataError, match=r"2 rows .*row 7, features: expected 4 values, received 1; row 40, .*null"):
        optimizer(data.withColumn("features", short)).optimize(verbose=0)


def test_labels_are_checked(spark):
    x, y = arrays()
    with pytest.raises(DataError, match="labels from 1 to 3") as raised:
        optimizer(frame(spark, x, y + 3)).optimize(verbose=0)
    assert any("On worker" in note for note in raised.value.__notes__)


def test_a_mistake_of_the_user_comes_with_its_traceback(spark):
    x, y = arrays()
    ours = optimizer(frame(spark, x, y))

    def criterion(output: Any, target: Any) -> Any:
        raise ZeroDivisionError("a mistake of the user")

    ours.set_criterion(criterion)
    before = [weight.copy() for weight in ours.model.get_weights()]
    with pytest.raises(
        DistributedError, match=r"^Traceback[\s\S]*ZeroDivisionError: a mistake of the user\n\(on worker"
    ):
        ours.optimize(verbose=0)
    for ours_now, then in zip(ours.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours_now, then)


def test_more_workers_than_slots_are_refused_before_the_job(spark):
    x, y = arrays()
    with pytest.raises(DistributedError, match=r"4 workers need 4 task slots.*has 3.*workers=3"):
        optimizer(frame(spark, x, y), options=Options(workers=4)).optimize(verbose=0)


def test_data_without_rows(spark):
    data = spark.createDataFrame([], "features array<float>, label int")
    with pytest.raises(DataError, match="no rows"):
        optimizer(data).optimize(verbose=0)
