"""The process of a peer: makes networks, runs batches when told to, and says what they cost.

Commands come as lines of JSON on the standard input, answers go as lines of JSON to the standard output:

- ``{"do": "load", "workload": name}``: makes the network and runs it once; answers its size and what the process took.
- ``{"do": "run", "calls": n}``: runs n batches; answers the seconds of processor time and of the clock.
"""

import importlib
import json
import os
import resource
import sys
import time
from typing import Any, Dict

from benchmarks.workloads import WORKLOADS

STARTED = time.time()


def main(peer: str, started: float) -> None:
    """Answers commands until the standard input ends.

    Args:
        peer: The peer's name; its runner is ``benchmarks.runners.<name>`` with its options behind a ``+``.
        started: When the process was started, in seconds since the epoch.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what frameworks print is no answer
    name, _, options = peer.partition("+")
    runner = None
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "load":
            workload = next(w for w in WORKLOADS if w.name == command["workload"])
            module = importlib.import_module("benchmarks.runners." + name.replace("-", "_"))
            runner = module.Runner(workload, options)
            runner.run(1)
            answer: Dict[str, Any] = {
                "parameters": runner.parameters,
                "versions": runner.versions,
                "flops": getattr(runner, "flops", 0),
                "seconds": time.time() - started,
                "memory": _peak_memory(),
            }
        else:
            assert runner is not None
            clock, processor = time.perf_counter(), time.process_time()
            runner.run(command["calls"])
            processor, clock = time.process_time() - processor, time.perf_counter() - clock
            answer = {"cpu": processor, "wall": clock, "memory": _peak_memory()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _peak_memory() -> float:
    """Returns the most memory that the process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else STARTED)
