"""Makes the golden cases with the real Keras 1.2.2 (see README.md).

``KERAS_BACKEND=tensorflow $KERAS122_PYTHON -W ignore tests/goldens/make_goldens.py [family ...]``
"""

import importlib
import json
import os
import shutil
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

from make_write import HERE, dump, without_times

MODULES = [
    "core",
    "conv",
    "images",
    "units",
    "recurrent",
    "wrappers",
    "merge",
    "graphs",
    "nested",
    "nets",
    "lambdas",
    "yaml",
    "files",
    "refusals",
]


def families():
    """All families, by name, in the order of the modules."""
    found = [family for module in MODULES for family in importlib.import_module("make_" + module).FAMILIES]
    return {family.name: family for family in found}


def make(family):
    """Writes a family's folder afresh and returns its notes."""
    shutil.rmtree(os.path.join(HERE, family.name), ignore_errors=True)
    notes, failed = {}, []
    for case in family.cases:
        try:
            facts = family.write(family, case)
        except Exception as error:
            failed.append(f"{family.name}/{case.name}: {type(error).__name__}: {error}")
        else:
            notes[family.name + "/" + case.name] = facts
    if failed:
        raise SystemExit("\n".join(failed))
    return {name: facts for name, facts in notes.items() if facts}


def main(wanted):
    """Makes the wanted families, or all of them, and brings notes.json up to date."""
    known = families()
    path = os.path.join(HERE, "notes.json")
    notes = {}
    if wanted and os.path.exists(path):
        with open(path) as file:
            notes = {key: value for key, value in json.load(file).items() if key.split("/")[0] not in wanted}
    for name in wanted or known:
        facts = make(known[name])
        if name == "refusals":
            dump("refusals.json", [facts[key] for key in sorted(facts)])
        else:
            notes.update(facts)
        print(f"{name:12} {len(known[name].cases):4d} cases")
    dump("notes.json", notes)


if __name__ == "__main__":
    without_times()
    main(sys.argv[1:])
