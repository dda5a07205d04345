"""The peers: what runs each of them, and the environments that they run in."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("BENCH_CACHE", Path.home() / ".cache" / "bigdl-torch" / "peers"))
OURS = "bigdl"
SGEMM = "sgemm"  # no peer, but asked in turn with them


@dataclass(frozen=True, slots=True)
class Peer:
    """One of those compared.

    Attributes:
        title: Its name in tables.
        runner: The module of ``benchmarks.runners``, and behind a ``+`` its options.
        environment: The name of its environment; see ``python_of``.
        trains: Whether it can train.
    """

    title: str
    runner: str
    environment: str
    trains: bool = True


PEERS = {
    OURS: Peer("bigdl-torch", "bigdl", ""),
    "keras3-tensorflow": Peer("Keras 3, TensorFlow", "keras3+tensorflow", "tensorflow"),
    "keras3-xla": Peer("Keras 3, TensorFlow with XLA", "keras3+tensorflow+xla", "tensorflow"),
    "keras3-jax": Peer("Keras 3, JAX", "keras3+jax", "jax"),
    "keras3-torch": Peer("Keras 3, torch", "keras3+torch", "torch"),
    "jax": Peer("JAX", "jax", "jax"),
    "onnxruntime": Peer("ONNX Runtime", "onnxruntime", "onnxruntime", trains=False),
    "openvino": Peer("OpenVINO", "openvino", "openvino", trains=False),
    "keras122": Peer("Keras 1.2.2", "keras122", "KERAS122_PYTHON"),
    SGEMM: Peer("sgemm", "sgemm", ""),
}


def python_of(peer: Peer) -> Path | None:
    """Returns the Python of a peer's environment, None where there is none.

    This library runs in the environment that asks; the original Keras in that of the variable ``KERAS122_PYTHON``; the
    others in those that ``set_up`` made.
    """
    if not peer.environment:
        return Path(sys.executable)
    if peer.environment.isupper():
        given = os.environ.get(peer.environment)
        return Path(given) if given else None
    python = CACHE / peer.environment / "bin" / "python"
    return python if python.exists() else None


def set_up() -> None:
    """Makes the environments of the peers, those that are missing."""
    for requirements in sorted((ROOT / "requirements" / "peers").glob("*.txt")):
        folder = CACHE / requirements.stem
        if (folder / "installed").exists():
            continue
        print(f"{folder}: installing {requirements.relative_to(ROOT)}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
        subprocess.run([*pip, "-r", requirements], check=True)
        (folder / "installed").touch()


if __name__ == "__main__":
    set_up()
