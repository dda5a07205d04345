"""Weights of hundreds of MB: loaded by position they give Keras's outputs, and take little more memory than their file.

The files are written here, with weights that NumPy draws: 98 MB of ResNet50, 528 MB of VGG16.
"""

import subprocess
import sys

import numpy as np
import pytest

from tests.applications.cases import CASES, assert_outputs

# Loads, predicts, and says how much more memory than before that ever took.
PROGRAM = """
import sys
import numpy as np
from bigdl.models import Model

def memory(kind):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(kind))

definition, weights, inputs, outputs = sys.argv[1:]
before = memory("VmRSS")
model = Model.load_keras(definition, weights)
print(memory("VmHWM") - before)
np.save(outputs, model.predict(np.load(inputs)))
"""


@pytest.mark.parametrize("name", ["resnet50_top_tf", "vgg16_full_tf"])
def test_load_by_position(name, tmp_path):
    (case,) = (case for case in CASES if case.name == f"networks/{name}")
    weights, inputs, outputs = (tmp_path / file for file in ("weights.h5", "inputs.npy", "outputs.npy"))
    case.model(tmp_path).save_weights(weights)
    np.save(inputs, case.inputs()[0])
    size = weights.stat().st_size
    try:
        command = [sys.executable, "-c", PROGRAM, tmp_path / "model.json", weights, inputs, outputs]
        taken = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    finally:
        weights.unlink()
    assert_outputs(case, np.load(outputs))
    assert taken < 1.25 * size + 50 * 2**20
