"""Writing model definitions as YAML; ``read_definition`` reads them."""

from __future__ import annotations

import json

import yaml


def as_yaml(definition: str) -> str:
    """Returns a definition that is given as JSON, as YAML that Keras 1.2.2's ``model_from_yaml`` reads.

    There are plain values only, so that any loader, also a safe one, gives the same.

    Args:
        definition: What ``write_definition`` returned.
    """
    return yaml.safe_dump(json.loads(definition), sort_keys=False)
