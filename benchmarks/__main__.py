"""Measures and writes docs/benchmarks.md: ``python -m benchmarks [--only NAME ...] [--peers ...] [--rounds N]``.

What is measured takes the place of earlier results for the same workloads, so that a part can be measured again.
"""

from __future__ import annotations

import argparse
import datetime
import platform
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks import growth, report
from benchmarks.measure import CONDITIONS, measure
from benchmarks.peers import PEERS, python_of, set_up
from benchmarks.workloads import WORKLOADS


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="workloads by name or pattern (lenet*); or growth")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), help="whom to measure")
    parser.add_argument("--conditions", nargs="*", default=[c.name for c in CONDITIONS], help="where to measure")
    parser.add_argument("--rounds", type=int, default=9, help="how often each is asked")
    parser.add_argument("--remark", default="", help="what readers should know of the machine at that time")
    arguments = parser.parse_args()
    set_up()
    peers = [name for name in arguments.peers if python_of(PEERS[name]) is not None]
    results = {**report.load(machine()), "machine": machine()}
    results["remark"] = arguments.remark
    for workload in WORKLOADS:
        if not _chosen(workload.name, arguments.only):
            continue
        for condition in CONDITIONS:
            if condition.name in arguments.conditions:
                print(f"{workload.name}, {condition.name}", flush=True)
                measured = measure(workload, condition, peers, arguments.rounds)
                results["workloads"].setdefault(workload.name, {})[condition.name] = {
                    "date": datetime.date.today().isoformat(),
                    "peers": measured,
                }
                print(report.line(workload, condition, measured), flush=True)
                report.save(results)
    if _chosen("growth", arguments.only):
        results["growth"] = growth.measured()
        report.save(results)
    report.write()


def _chosen(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatch(name, f"{pattern}*") for pattern in patterns)


def machine() -> dict[str, Any]:
    """Returns what tells this machine from others."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in fields.items()}
    flags = set(named.get("flags", "").split())
    known = {"AVX2": "avx2", "AVX-512": "avx512f", "bf16": "avx512_bf16", "AMX": "amx_bf16"}
    return {
        "processor": named.get("model name", platform.processor()),
        "cores": sum(line.startswith("processor") for line in lines),
        "instructions": [title for title, flag in known.items() if flag in flags],
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
