"""Whether everything that Keras 1.2.2's modules offer stands under ``bigdl.keras``, with its arguments."""

import functools
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

GOLDENS = Path(__file__).parent / "goldens"
NAMES = json.loads((GOLDENS / "names.json").read_text())
ARGUMENTS = json.loads((GOLDENS / "arguments.json").read_text())
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


# Arguments that are for TensorFlow's graph or the machinery around it, or that nobody names.
ARGUMENTS_LEFT_OUT = {
    "backend.set_epsilon": {"e"},
    "callbacks.TensorBoard.on_train_end": {"_"},
    "constraints.get": {"kwargs"},
    "engine.topology.Container.call": {"input"},
    "engine.topology.Container.compute_mask": {"input"},
    "engine.topology.Input": {"tensor"},
    "engine.topology.Layer.compute_mask": {"input", "input_mask"},
    "engine.topology.Merge.call": {"inputs"},
    "engine.topology.Merge.compute_mask": {"inputs"},
    "engine.topology.get_source_inputs": {"tensor", "layer", "node_index"},
    "optimizers.get": {"kwargs"},
    "optimizers.optimizer_from_config": {"config", "custom_objects"},
    "regularizers.get": {"kwargs"},
}
# Nobody makes one.
CONSTRUCTORS_LEFT_OUT = {"engine.topology.Node.__init__"}


@pytest.mark.parametrize("module", ARGUMENTS)
def test_arguments(module):
    """Whatever is there takes the arguments that Keras gives it, by their names."""
    door: Any = importlib.import_module(f"bigdl.keras.{module}")
    missing = {}
    for path, arguments in ARGUMENTS[module].items():
        found = functools.reduce(lambda owner, name: getattr(owner, name, None), path.split("."), door)
        where = f"{module}.{path}"
        if found is None or where in CONSTRUCTORS_LEFT_OUT:
            continue
        taken = inspect.signature(found).parameters
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
            missing[where] = {*arguments} - {*taken} - ARGUMENTS_LEFT_OUT.get(where, set())
    assert {where: names for where, names in missing.items() if names} == {}


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
