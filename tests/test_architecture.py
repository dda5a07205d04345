"""The walls of the house: who imports whom, how large files are, and that no file's content is ever executed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "bigdl"
SOURCES = sorted(PACKAGE.rglob("*.py"))
DOORS = ("nn", "optim", "keras", "util", "dataset", "dlframes", "examples")
MOST_LINES = 300

# Calls that execute code, or that build whatever objects a file asks for.
UNSAFE_CALLS = {
    "eval",
    "exec",
    "builtins.eval",
    "builtins.exec",
    "marshal.load",
    "marshal.loads",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "cloudpickle.load",
    "cloudpickle.loads",
    "dill.load",
    "dill.loads",
    "joblib.load",
    "shelve.open",
    "yaml.full_load",
    "yaml.unsafe_load",
    "pandas.read_pickle",
    "types.FunctionType",
    "types.CodeType",
}
# Calls that are safe only with this argument.
SAFE_WITH = {"torch.load": ("weights_only", True)}
# Calls that are unsafe only with this argument.
UNSAFE_WITH = {"numpy.load": ("allow_pickle", True)}
# Calls that are safe with PyYAML's safe loader, or a class of the same file built on it.
YAML_CALLS = {"yaml.load", "yaml.load_all"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_import_directions():
    # In a process of its own, as it silences every logger that is there.
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    arguments = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "--no-logo"]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["bigdl", "bigdl.dataset.mnist", "bigdl.files"])
def test_imports_that_stay_light(module):
    script = f"import sys, {module}; print(*sorted({{'torch', 'h5py', 'fsspec', 'pyspark'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_files_stay_short():
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_every_room_is_a_package():
    folders = {path.parent for path in SOURCES}
    assert [relative(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_doors_define_nothing():
    paths = [path for path in SOURCES if path.relative_to(PACKAGE).parts[0] in DOORS]
    found = [f"{relative(path)}:{node.lineno}" for path in paths for node in definitions(ast.parse(path.read_text()))]
    assert found == []


def definitions(tree: ast.Module) -> Iterator[ast.stmt]:
    """Gives the statements of a module that are no imports, no docstrings and no ``__all__``."""
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_all = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        if not (isinstance(node, ast.Import | ast.ImportFrom) or is_text or is_all):
            yield node


def test_nothing_from_a_file_is_executed():
    found = [f"{relative(path)}:{call}" for path in SOURCES for call in unsafe_calls(path.read_text("utf-8"))]
    assert found == []


def unsafe_calls(source: str) -> list[str]:
    """Lists the calls in a module's source that could execute what a file holds, as ``line: name``."""
    tree = ast.parse(source)
    origins = imported_names(tree)
    calls = [(node, full_name(node.func, origins)) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    loaders = safe_loaders(tree)
    return [f"{node.lineno}: {name}" for node, name in calls if is_unsafe(node, name, loaders)]


def safe_loaders(tree: ast.Module) -> set[str]:
    """Gives the names of the safe loader and of a module's classes that are built on it alone."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    built_on = {node.name: [ast.unparse(base) for base in node.bases] for node in classes}
    safe = {name for name, bases in built_on.items() if len(bases) == 1 and bases[0].endswith("SafeLoader")}
    return safe | {"yaml.SafeLoader", "yaml.CSafeLoader"}


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Maps the names that a module's imports bind to what they stand for, ``np`` to ``numpy``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def full_name(function: ast.expr, origins: dict[str, str]) -> str:
    first, dot, rest = ast.unparse(function).partition(".")
    return origins.get(first, first) + dot + rest


def is_unsafe(call: ast.Call, name: str, loaders: set[str]) -> bool:
    if name in YAML_CALLS:
        return not any(word.arg == "Loader" and ast.unparse(word.value) in loaders for word in call.keywords)
    given = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
    if name in SAFE_WITH:
        argument, value = SAFE_WITH[name]
        return given.get(argument) is not value
    if name in UNSAFE_WITH:
        argument, value = UNSAFE_WITH[name]
        return given.get(argument) is value
    return name in UNSAFE_CALLS


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "def f():\n    exec(code)",
        "import pickle\npickle.loads(data)",
        "import pickle as p\np.load(file)",
        "from marshal import loads\nloads(data)",
        "from marshal import loads as read\nread(data)",
        "import yaml\nyaml.load(text)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "import yaml\nclass Mine(yaml.UnsafeLoader): pass\nyaml.load(text, Loader=Mine)",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import types\ntypes.FunctionType(code, {})",
    ],
)
def test_unsafe_calls_are_found(source):
    assert len(unsafe_calls(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import json\njson.loads(text)",
        "import yaml\nyaml.safe_load(text)",
        "import yaml\nclass Mine(yaml.SafeLoader): pass\nyaml.load(text, Loader=Mine)",
        "import torch\ntorch.load(path, weights_only=True)",
        "import numpy as np\nnp.load(path)",
        "import marshal\nmarshal.dumps(code)",
    ],
)
def test_safe_calls_pass(source):
    assert unsafe_calls(source) == []
