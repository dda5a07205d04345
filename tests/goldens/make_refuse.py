"""How something that Keras 1.2.2 refuses is described, tried and written down."""

import json

from keras.models import model_from_json
from make_write import Case, Family, place, predict, randomise, save_arrays, start


class Refusal(Case):
    """Something Keras refuses.

    Args:
        name: Its name.
        definition: Returns the definition as a dict.
        inputs: ``rng -> list of arrays`` to predict on.
        source: Returns the model whose weights are offered.
        save: ``(model, path)``: how they are saved.
        by_name: How they are read.
    """

    def __init__(self, name, definition, inputs=None, source=None, save=None, by_name=False):
        super().__init__(name, definition, inputs=inputs)
        self.source = source
        self.save = save or (lambda model, path: model.save_weights(path))
        self.by_name = by_name


def write_refusal(family, case):
    """Writes what the case needs and returns the case with the error Keras raised."""
    stem, rng = place(family, case)
    start()
    entry = {"name": case.name, "definition": case.build(), "weights": None, "inputs": None, "by_name": case.by_name}
    if case.source:
        source = case.source()
        randomise(source, rng)
        case.save(source, stem + ".h5")
        entry["weights"] = case.name + ".h5"
    inputs = case.inputs(rng) if case.inputs else None
    if inputs:
        save_arrays(stem + ".npz", x=inputs)
        entry["inputs"] = case.name + ".npz"
    stage, error = first_error(case, entry["definition"], stem + ".h5", inputs)
    message = str(error).split("\n")[0][:300]
    return dict(entry, stage=stage, error={"class": type(error).__name__, "message": message})


def first_error(case, definition, path, inputs):
    """Loads and predicts until something raises: the step and the error."""
    start()
    stage = "definition"
    try:
        model = model_from_json(json.dumps(definition))
        stage = "weights"
        if case.source:
            model.load_weights(path, by_name=case.by_name)
        stage = "predict"
        if inputs:
            predict(model, inputs)
    except Exception as error:
        return stage, error
    raise RuntimeError("Keras does not refuse " + case.name)


refusals = Family("refusals", write_refusal)


def entry(layer, **changes):
    """A layer as a definition holds it, with some of its arguments changed."""
    return {"class_name": type(layer).__name__, "config": dict(layer.get_config(), **changes)}


def sequential(*layers):
    """The definition of a Sequential that need not be possible."""
    config = [layer if isinstance(layer, dict) else entry(layer) for layer in layers]
    return {"class_name": "Sequential", "config": config, "keras_version": "1.2.2"}


def graph(layers, outputs):
    """The definition of a Model: ``layers`` are (layer, names of its inputs), inputs first of all."""
    config = []
    for layer, sources in layers:
        data = layer if isinstance(layer, dict) else entry(layer)
        name = data["config"]["name"]
        config.append(dict(data, name=name, inbound_nodes=[[[source, 0, 0] for source in sources]] if sources else []))
    inputs = [[data["name"], 0, 0] for data in config if not data["inbound_nodes"]]
    outputs = [[name, 0, 0] for name in outputs]
    config = {"name": "model_1", "layers": config, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Model", "config": config, "keras_version": "1.2.2"}
