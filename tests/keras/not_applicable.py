"""What of Keras 1.2.2's tests and examples is no measure of this library, and why."""

BACKENDS = "compares Keras's Theano backend with its TensorFlow backend"
SYMBOLS = "looks at how TensorFlow's graph keeps updates, losses or the learning phase"
BYTECODE = "loads a function from the bytecode in a file, which is never executed here"

# By file, or file::test; from the folder of the tests.
TESTS = {
    "keras/backend/test_backends.py": BACKENDS,
    "keras/test_sparse.py": f"{BACKENDS}, on SciPy's sparse matrices",
    "keras/datasets/test_datasets.py": "downloads data sets, one time out of five",
    "keras/engine/test_topology.py::test_get_updates_for": SYMBOLS,
    "keras/engine/test_topology.py::test_get_losses_for": SYMBOLS,
    "keras/engine/test_topology.py::test_learning_phase": SYMBOLS,
    "keras/engine/test_topology.py::test_recursion": "imports TensorFlow to call layers on its own tensors",
    "keras/layers/test_core.py::test_lambda": BYTECODE,
    "keras/layers/test_normalization.py::test_shared_batchnorm": SYMBOLS,
    "keras/preprocessing/test_text.py::test_tokenizer": "takes the maximum of ragged lists, which NumPy refuses now",
    "test_model_saving.py::test_saving_right_after_compilation": SYMBOLS,
    "test_model_saving.py::test_saving_lambda_custom_objects": BYTECODE,
}

PRETRAINED = "needs SciPy's optimizers and weights trained on ImageNet"

EXAMPLES = {
    "deep_dream.py": PRETRAINED,
    "image_ocr.py": "needs cairo, SciPy and a download of fonts' words",
    "mnist_sklearn_wrapper.py": "needs the grid_search of scikit-learn before 0.20",
    "mnist_swwae.py": "refuses to run on TensorFlow: it takes gradients of gradients inside layers",
    "neural_doodle.py": PRETRAINED,
    "neural_style_transfer.py": PRETRAINED,
}


def reason(test: str) -> str | None:
    """Returns why a test is no measure, None where it is one.

    Args:
        test: ``file::test`` from the folder of the tests; parameters in brackets do not count.
    """
    name = test.split("[")[0]
    return TESTS.get(name) or TESTS.get(name.split("::")[0])
