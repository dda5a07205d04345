"""The commands. Each takes the parsed options and returns the exit status."""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import Namespace
from typing import Any

import bigdl
from bigdl.cli.arrays import checked_ending, read_arrays, write_arrays
from bigdl.errors import DataError, TrainingError
from bigdl.export import conversion_for
from bigdl.formats import read_model
from bigdl.models import Model
from bigdl.models.loading import from_spec
from bigdl.registry.support import support_page


def inspect(options: Namespace) -> int:
    """Shows what is in model files."""
    found = bigdl.inspect(options.model, options.weights, **_loading(options))
    if options.json:
        print(json.dumps({"loads": found.loads, **dataclasses.asdict(found)}, indent=2))
    else:
        print(found)
    return 0 if found.loads else 1


def convert(options: Namespace) -> int:
    """Writes a model in another format."""
    conversion = conversion_for(options.output)
    conversion.write(_load(options, conversion.holds_weights), options.output)
    return 0


def predict(options: Namespace) -> int:
    """Computes a model's outputs."""
    model = _load(options)
    names = _distinct(model.output_names)
    if options.output != "-":
        checked_ending(options.output, len(names))
    outputs = model.predict(read_arrays(options.input, model.input_names), batch_size=options.batch_size)
    write_arrays(options.output, dict(zip(names, outputs if len(names) > 1 else [outputs], strict=True)))
    return 0


def evaluate(options: Namespace) -> int:
    """Computes a model's loss and metrics."""
    model = _load(options)
    _compile(model, "sgd" if options.loss or options.metric else None, options.loss, options.metric)
    x, y = _training_data(model, options)
    scores = model.evaluate(x, y, batch_size=options.batch_size, verbose=0)
    for name, score in zip(model.metrics_names, scores if isinstance(scores, list) else [scores], strict=True):
        print(f"{name}: {score:.6g}")
    return 0


def train(options: Namespace) -> int:
    """Trains a model and saves it."""
    conversion = conversion_for(options.output)
    model = _load(options, weights_matter=False)
    _compile(model, options.optimizer, options.loss, options.metric)
    x, y = _training_data(model, options)
    model.fit(x, y, batch_size=options.batch_size, nb_epoch=options.epochs)
    conversion.write(model, options.output)
    return 0


def layers(options: Namespace) -> int:
    """Lists the layers that can be loaded."""
    print(support_page(), end="")
    return 0


def formats(options: Namespace) -> int:
    """Lists what each format makes of each layer."""
    from bigdl.export.page import layers_section  # all formats at once, which no other command needs

    print(layers_section(), end="")
    return 0


def _load(options: Namespace, weights_matter: bool = True) -> Model:
    with read_model(options.model, options.weights) as spec:
        if spec.weights is None and weights_matter:
            print(f"bigdl: warning: {spec.source} holds no weights; they have initial values.", file=sys.stderr)
        return from_spec(spec, **_loading(options))


def _loading(options: Namespace) -> dict[str, Any]:
    return {
        "by_name": options.by_name,
        "original_backend": options.original_backend,
        "keras_version": options.keras_version,
        "dim_ordering": options.dim_ordering,
    }


def _training_data(model: Model, options: Namespace) -> tuple[Any, Any]:
    return read_arrays(options.input, model.input_names), read_arrays(options.target, model.output_names)


def _compile(model: Model, optimizer: str | None, loss: str | None, metrics: list[str]) -> None:
    """Compiles a model as asked for; what is not asked for is as it was saved.

    Raises:
        DataError: It was not saved compiled, and not all is asked for.
    """
    try:
        if optimizer or loss or metrics:
            model.compile(optimizer or model.optimizer, loss or model.loss, metrics)
        assert model.compiled
    except TrainingError:
        raise DataError("The model was not saved compiled. Give --loss, and to train also --optimizer.") from None


def _distinct(names: list[str]) -> list[str]:
    return names if len(set(names)) == len(names) else [f"output_{i}" for i in range(len(names))]
