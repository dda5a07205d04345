"""Run by a Python with Keras 3: opens files, predicts, trains on, and writes down what comes out.

    python run_keras3.py cases.json

Each case has ``name``, ``file``, ``data`` (an npz file with inputs ``x0``, ... and perhaps targets ``t0``, ...) and
``result`` (where to write ``y0``, ..., of a case with ``again`` also the second outputs ``z0``, ..., and of one with
``steps`` the losses ``l0``, ... and the predictions after them ``r0``, ...). Prints what fails, by name.
"""

import json
import sys
import warnings
from typing import Any

import keras
import numpy as np


def arrays(file: Any, key: str) -> list[Any]:
    return [file[f"{key}{i}"] for i in range(sum(name[0] == key for name in file.files))]


def as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def one_or_list(values: list[Any]) -> Any:
    return values if len(values) > 1 else values[0]


def run(case: dict[str, Any]) -> dict[str, Any]:
    model = keras.saving.load_model(case["file"])
    with np.load(case["data"]) as file:
        x, t = arrays(file, "x"), arrays(file, "t")

    def predict() -> list[Any]:
        return as_list(model.predict(one_or_list(x), batch_size=len(x[0]), verbose=0))

    found = {f"y{i}": y for i, y in enumerate(predict())}
    if case.get("again"):
        found.update((f"z{i}", y) for i, y in enumerate(predict()))
    for step in range(case.get("steps", 0)):
        model.reset_metrics()
        loss = as_list(model.train_on_batch(one_or_list(x), one_or_list(t)))[0]
        found[f"l{step}"] = np.asarray(loss)
    if case.get("steps"):
        found.update((f"r{i}", y) for i, y in enumerate(predict()))
    return found


def main() -> None:
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    errors = {}
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    for case in cases:
        keras.utils.clear_session()
        try:
            np.savez(case["result"], **run(case))
        except Exception as error:
            errors[case["name"]] = f"{type(error).__name__}: {error}"[:1000]
    print(json.dumps(errors))


if __name__ == "__main__":
    main()
