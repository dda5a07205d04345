"""Whether everything that Keras 1.2.2's modules offer stands under ``bigdl.keras``."""

import importlib
import json
from pathlib import Path

import pytest

NAMES = json.loads((Path(__file__).parent / "goldens" / "names.json").read_text())
# Names that a module of Keras only imports for its own use; they stand where they belong.
IMPORTED = {
    "Progbar",
    "ask_to_proceed_with_overwrite",
    "conv_input_length",
    "conv_output_length",
    "convert_all_kernels_in_model",
    "func_dump",
    "func_load",
    "get_custom_objects",
    "get_file",
    "get_from_module",
    "to_list",
}
# What is Keras's own machinery (functions of TensorFlow's sessions and graphs, data on its way into a graph, parts of
# networks), or needs another library (PyTables, librosa), or is not there.
LEFT_OUT = {
    "applications.inception_v3": {"conv2d_bn"},
    "applications.music_tagger_crnn": {"Dropout", "preprocess_input"},
    "applications.resnet50": {"conv_block", "identity_block"},
    "backend": {
        "Function",
        "ctc_label_dense_to_sparse",
        "get_session",
        "legacy_weight_ordering",
        "manual_variable_initialization",
        "set_legacy_weight_ordering",
        "set_session",
    },
    "datasets.cifar10": {"load_batch"},
    "datasets.cifar100": {"load_batch"},
    "engine.topology": {"object_list_uid"},
    "engine.training": {
        "Container",
        "GeneratorEnqueuer",
        "check_array_lengths",
        "collect_metrics",
        "standardize_class_weights",
        "standardize_input_data",
        "standardize_sample_or_class_weights",
        "standardize_sample_weights",
        "standardize_weights",
    },
    "layers": {"ConvRecurrent2D", "time_distributed_dense"},
    "layers.convolutional_recurrent": {"ConvRecurrent2D"},
    "layers.recurrent": {"time_distributed_dense"},
    "models": {"Node", "optimizer_from_config"},
    "optimizers": {"TFOptimizer", "clip_norm"},
    "utils.io_utils": {"load_array", "save_array"},
    "wrappers.scikit_learn": {"Sequential", "to_categorical"},
}


@pytest.mark.parametrize("module", NAMES)
def test_names(module):
    door = importlib.import_module(f"bigdl.keras.{module}")
    layers = importlib.import_module("bigdl.keras.layers")
    missing = {name for name in NAMES[module] if not hasattr(door, name)} - IMPORTED - LEFT_OUT.get(module, set())
    if module.startswith("applications.") or module == "utils.layer_utils":  # they import all layers
        missing -= {*vars(layers), "Model", "Sequential", "convert_kernel", "get_source_inputs", *LEFT_OUT["layers"]}
    assert missing == set()


def test_nothing_that_is_there_is_said_to_be_left_out():
    there = {
        f"{module}.{name}"
        for module, names in LEFT_OUT.items()
        for name in names
        if hasattr(importlib.import_module(f"bigdl.keras.{module}"), name)
    }
    assert there == set()
