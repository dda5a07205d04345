"""What BigDL's own LeNet and IMDB examples do, with their imports; the data is made, and the models are small."""

import sys
from optparse import OptionParser
from pathlib import Path

import numpy as np

from bigdl.dataset.transformer import *
from bigdl.models.lenet.utils import *
from bigdl.nn.criterion import *
from bigdl.nn.layer import *
from bigdl.optim.optimizer import *
from bigdl.util.common import *


def build_lenet():
    from bigdl.keras.layers import Activation, Convolution2D, Dense, Flatten, MaxPooling2D
    from bigdl.keras.models import Sequential

    model = Sequential()
    model.add(Convolution2D(4, 5, 5, input_shape=(28, 28, 1)))
    model.add(Activation("relu"))
    model.add(MaxPooling2D(pool_size=(4, 4)))
    model.add(Flatten())
    model.add(Dense(10))
    model.add(Activation("softmax"))
    return model


def build_imdb():
    from bigdl.keras.layers import LSTM, Activation, Convolution1D, Dense, Dropout, Embedding, MaxPooling1D
    from bigdl.keras.models import Sequential

    model = Sequential()
    model.add(Embedding(50, 8, input_length=20))
    model.add(Dropout(0.25))
    model.add(Convolution1D(nb_filter=4, filter_length=5, border_mode="valid", activation="relu", subsample_length=1))
    model.add(MaxPooling1D(pool_length=4))
    model.add(LSTM(5))
    model.add(Dense(1))
    model.add(Activation("sigmoid"))
    return model


def lenet(options):
    sc = SparkContext(appName="lenet5", conf=create_spark_conf())
    redire_spark_logs(log_path=f"{options.folder}/bigdl.log")
    show_bigdl_info_logs()
    init_engine()

    from bigdl.examples.keras.keras_utils import save_keras_definition

    save_keras_definition(build_lenet(), f"{options.folder}/lenet.json")
    train_data, test_data = preprocess_mnist(sc, options)
    optimizer = Optimizer(
        model=Model.load_keras(json_path=f"{options.folder}/lenet.json"),
        training_rdd=train_data,
        criterion=ClassNLLCriterion(logProbAsInput=False),
        optim_method=SGD(learningrate=0.01, learningrate_decay=0.0002),
        end_trigger=get_end_trigger(options),
        batch_size=options.batchSize,
    )
    validate_optimizer(optimizer, test_data, options)
    trained_model = optimizer.optimize()
    trained_model.parameters()
    results = trained_model.evaluate(test_data, options.batchSize, [Top1Accuracy()])
    print("lenet", get_node_and_core_number(), *results)


def imdb(options):
    hdf5_path = f"{options.folder}/imdb.h5"
    build_imdb().save(hdf5_path)
    bigdl_model = Model.load_keras(hdf5_path=hdf5_path)

    get_spark_context(conf=create_spark_conf())
    init_engine()
    random = np.random.RandomState(0)
    x, y = random.randint(0, 50, (60, 20)), random.randint(0, 2, 60)
    train_data = to_sample_rdd(x, y)
    optimizer = Optimizer(
        model=bigdl_model,
        training_rdd=train_data,
        criterion=BCECriterion(),
        optim_method=Adam(),
        end_trigger=MaxEpoch(1),
        batch_size=options.batchSize,
    )
    optimizer.set_validation(
        batch_size=options.batchSize,
        val_rdd=train_data,
        trigger=EveryEpoch(),
        val_method=[Top1Accuracy()],
    )
    optimizer.optimize()
    predictions = bigdl_model.predict(train_data).collect()
    print("imdb", len(predictions), predictions[0].shape)


if __name__ == "__main__":
    parser = OptionParser()
    parser.add_option("-b", "--batchSize", type=int, dest="batchSize", default="32")
    parser.add_option("-f", "--folder", dest="folder")
    parser.add_option("-t", "--endTriggerType", dest="endTriggerType", default="epoch")
    parser.add_option("-n", "--endTriggerNum", type=int, dest="endTriggerNum", default="1")
    options, _ = parser.parse_args(sys.argv)
    options.dataPath = f"{options.folder}/mnist"
    options.checkpointPath = str(Path(options.folder) / "kept")
    lenet(options)
    imdb(options)
