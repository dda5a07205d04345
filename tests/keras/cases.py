"""What ``goldens/make_goldens.py`` computes with the real Keras 1.2.2 and the tests with bigdl.keras.

Runs on CPython 3.6 as well. Each function takes the modules to use and returns arrays by name.
"""

# ruff: noqa: UP006, UP035
import random
from typing import Any, Dict, List

import numpy as np

Arrays = Dict[str, Any]


def array(*shape: int) -> Any:
    """The same values for a shape every time, from 0 to 1."""
    return np.random.RandomState(sum(shape)).rand(*shape).astype("float32")


def backend(K: Any) -> Arrays:
    """Results of backend functions."""
    v = K.variable
    image, volume = array(2, 7, 6, 3), array(2, 5, 6, 4, 2)
    made: Arrays = {}
    for mode in ("valid", "same"):
        made["conv1d_" + mode] = K.conv1d(v(array(2, 9, 3)), v(array(4, 3, 5)), 2, mode)
        made["conv3d_" + mode] = K.conv3d(v(volume), v(array(3, 2, 2, 2, 3)), (1, 2, 1), mode, "tf")
        made["atrous_" + mode] = K.atrous_conv2d(v(image), v(array(3, 2, 3, 4)), 2, mode, "tf")
        made["separable_" + mode] = K.separable_conv2d(
            v(image), v(array(3, 3, 3, 2)), v(array(1, 1, 6, 4)), (2, 2), mode, "tf"
        )
        for ordering in ("tf", "th"):
            x = image if ordering == "tf" else np.transpose(image, (0, 3, 1, 2))
            kernel = array(3, 2, 3, 4) if ordering == "tf" else np.transpose(array(3, 2, 3, 4), (3, 2, 0, 1))
            name = f"_{mode}_{ordering}"
            made["conv2d" + name] = K.conv2d(v(x), v(kernel), (2, 1), mode, ordering)
            for pool in ("max", "avg"):
                made["pool2d_" + pool + name] = K.pool2d(v(x), (3, 2), (2, 2), mode, ordering, pool)
        for pool in ("max", "avg"):
            made[f"pool3d_{pool}_{mode}"] = K.pool3d(v(volume), (2, 3, 2), (2, 2, 1), mode, "tf", pool)
    made["deconv_valid"] = K.deconv2d(v(array(2, 4, 3, 4)), v(array(3, 3, 4, 5)), (2, 9, 7, 5), (2, 2), "valid", "tf")
    made["deconv_same"] = K.deconv2d(v(array(2, 4, 3, 4)), v(array(3, 3, 4, 5)), (2, 8, 6, 5), (2, 2), "same", "tf")
    made["resize_volumes"] = K.resize_volumes(v(volume), 2, 1, 3, "tf")
    made["spatial_3d_padding"] = K.spatial_3d_padding(v(volume), (1, 0, 2), "tf")
    x, p, q = v(array(4, 5)), v(array(4, 5) / 4), v(array(5, 5)[:4])
    made["batch_normalization"] = K.batch_normalization(x, v(array(5)), v(array(5) + 1), v(array(5)), v(array(5)))
    normalized = K.normalize_batch_in_training(x, v(array(5)), v(array(5)), [0])
    made["normalized"], made["mean"], made["variance"] = normalized
    for logits in (False, True):
        made[f"categorical_{logits}"] = K.categorical_crossentropy(p, q, logits)
        made[f"binary_{logits}"] = K.binary_crossentropy(p, q, logits)
        made[f"sparse_{logits}"] = K.sparse_categorical_crossentropy(p, v(np.array([0, 4, 2, 1])), logits)
    made["in_top_k"] = K.cast(K.in_top_k(x, K.variable(np.array([0, 4, 2, 1]), dtype="int32"), 2), "float32")
    made["ctc"] = K.ctc_batch_cost(
        K.variable([[0, 1, 1], [2, 0, 0]]), v(array(2, 6, 4)), K.variable([[6], [5]]), K.variable([[3], [1]])
    )
    made["switch"] = K.switch(K.variable(1.0) > 0, x, q)
    made["map_fn"] = K.map_fn(lambda row: row * 2, x)
    made["foldl"] = K.foldl(lambda total, row: total * 0.5 + row, x)
    made["foldr"] = K.foldr(lambda total, row: total * 0.5 + row, x)
    made.update(recurrent(K))
    return {name: K.eval(value) for name, value in made.items()}


def recurrent(K: Any) -> Arrays:
    """Results of ``K.rnn``."""
    x, w, state = K.variable(array(2, 4, 3)), K.variable(array(3, 3)), K.variable(array(2, 3))
    mask = K.variable(np.array([[0, 1, 1, 0], [1, 0, 1, 1]]))

    def step(inputs: Any, states: Any) -> Any:
        output = K.tanh(K.dot(inputs, w) + states[0])
        return output, [output]

    made: Arrays = {}
    kinds: Dict[str, Dict[str, Any]] = {"plain": {}, "backwards": {"go_backwards": True}, "masked": {"mask": mask}}
    for name, options in kinds.items():
        for unroll in (False, True):
            results = K.rnn(step, x, [state], unroll=unroll, **options)
            made[f"rnn_{name}_{unroll}_last"] = results[0]
            made[f"rnn_{name}_{unroll}_all"] = results[1]
            made[f"rnn_{name}_{unroll}_state"] = results[2][0]
    return made


AUGMENTATION: Dict[str, Dict[str, Any]] = {
    "near": {
        "rotation_range": 40,
        "width_shift_range": 0.3,
        "height_shift_range": 0.4,
        "shear_range": 0.5,
        "zoom_range": 0.5,
        "channel_shift_range": 10.0,
        "horizontal_flip": True,
        "vertical_flip": True,
    },
    "reflected": {"rotation_range": 90, "fill_mode": "reflect", "zoom_range": (1.5, 3)},
    "wrapped": {"rotation_range": 40, "width_shift_range": 0.7, "fill_mode": "wrap", "zoom_range": (1.0, 2)},
    "constant": {
        "width_shift_range": 0.5,
        "height_shift_range": 0.5,
        "fill_mode": "constant",
        "cval": 7.0,
        "zoom_range": 1.0,
    },
    "scaled": {
        "featurewise_center": True,
        "featurewise_std_normalization": True,
        "samplewise_center": True,
        "samplewise_std_normalization": True,
        "rescale": 0.3,
    },
    "whitened": {"zca_whitening": True},
}


def images(image: Any) -> Arrays:
    """Results of ``preprocessing.image``."""
    pictures, labels = array(6, 5, 4, 3) * 255, np.arange(6)
    made: Arrays = {}
    for name, options in AUGMENTATION.items():
        for ordering in ("tf", "th"):
            x = pictures if ordering == "tf" else pictures.transpose(0, 3, 1, 2)
            generator = image.ImageDataGenerator(dim_ordering=ordering, **options)
            many = array(200, *x.shape[1:])
            generator.fit(many if name == "whitened" else x, augment=name == "near", rounds=2, seed=5)
            batches = generator.flow(x, labels, batch_size=4, seed=7)
            for number in range(3):
                x, y = next(batches)
                made[f"{name}_{ordering}_{number}"], made[f"{name}_{ordering}_{number}_y"] = x, y
    np.random.seed(11)  # noqa: NPY002
    made["rotation"] = image.random_rotation(pictures[0], 50, 0, 1, 2)
    made["shift"] = image.random_shift(pictures[0], 0.3, 0.3, 0, 1, 2, "wrap")
    made["shear"] = image.random_shear(pictures[0], 0.6, 0, 1, 2, "reflect")
    made["zoom"] = image.random_zoom(pictures[0], (0.5, 2), 0, 1, 2, "constant", 3.0)
    made["channels"] = image.random_channel_shift(pictures[0], 30.0, 2)
    made["picture"] = np.asarray(image.array_to_img(pictures[0] - 40, "tf"))
    made["grey"] = image.img_to_array(image.array_to_img(pictures[0, :, :, :1], "tf"), "th")
    return made


TEXTS = [
    "The cat sat on the mat.",
    "The dog sat on the log!",
    'Dogs & cats, living-together; "quoted" it\'s',
    "a b\td\n",
]


def texts(sequence: Any, text: Any) -> Arrays:
    """Results of ``preprocessing.sequence`` and ``.text``."""
    made = {"sampling": sequence.make_sampling_table(50)}
    for padding in ("pre", "post"):
        for truncating in ("pre", "post"):
            for length in (None, 2, 5):
                made[f"pad_{padding}_{truncating}_{length}"] = sequence.pad_sequences(
                    [[1], [2, 3], [], [4, 5, 6, 7]], length, padding=padding, truncating=truncating, value=9.0
                )
    options: List[Dict[str, Any]] = [
        {},
        {"categorical": True, "window_size": 1},
        {"negative_samples": 2.5, "shuffle": False},
        {"sampling_table": made["sampling"] * 100},
    ]
    for number, chosen in enumerate(options):
        random.seed(4)
        couples, labels = sequence.skipgrams([0, 3, 4, 0, 5, 6, 7, 2, 1, 9], 10, **chosen)
        made[f"couples_{number}"], made[f"couple_labels_{number}"] = np.array(couples), np.array(labels)
    tokenizers: List[Dict[str, Any]] = [{}, {"nb_words": 6}, {"char_level": True}, {"lower": False, "filters": ""}]
    for number, chosen in enumerate(tokenizers):
        tokenizer = text.Tokenizer(**chosen)
        tokenizer.fit_on_texts(TEXTS)
        tokenizer.fit_on_texts(TEXTS[:2])
        made[f"index_{number}"] = np.array([f"{word} {n}" for word, n in sorted(tokenizer.word_index.items())])
        made[f"sequences_{number}"] = np.concatenate(tokenizer.texts_to_sequences(TEXTS))
        for mode in ("binary", "count", "tfidf", "freq"):
            made[f"matrix_{number}_{mode}"] = tokenizer.texts_to_matrix(TEXTS, mode)
    return made


def labels(np_utils: Any) -> Arrays:
    """Results of ``utils.np_utils``."""
    rng = np.random.RandomState(0)
    values = rng.rand(4, 5)
    values[2] = 0
    made = {
        "categorical": np_utils.to_categorical([[0], [2], [1]]),
        "categorical_5": np_utils.to_categorical([0, 2, 1], 5),
        "normalized": np_utils.normalize(values),
        "normalized_rows": np_utils.normalize(values, 0, 1),
        "binary_logloss": np_utils.binary_logloss(rng.rand(6), rng.randint(0, 2, 6)),
        "multiclass_logloss": np_utils.multiclass_logloss(rng.rand(6, 3) + 0.01, rng.randint(1, 4, 6)),
        "classes": np_utils.probas_to_classes(rng.rand(6, 3)),
        "binary_classes": np_utils.probas_to_classes(rng.rand(6, 1)),
    }
    for ordering in ("tf", "th"):
        made["kernel_" + ordering] = np_utils.convert_kernel(array(2, 3, 4, 5, 6), ordering)
    lengths = [
        [np_utils.conv_output_length(n, size, mode, step, 2), np_utils.conv_input_length(n, size, mode, step)]
        for n in (7, 8)
        for size in (1, 2, 3)
        for mode in ("same", "valid", "full")
        for step in (1, 2)
    ]
    made["lengths"] = np.array(lengths)
    return made
