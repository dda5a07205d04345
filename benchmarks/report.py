"""From results to docs/benchmarks.md and its chart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.measure import CONDITIONS, Condition
from benchmarks.peers import OURS, PEERS, SGEMM
from benchmarks.workloads import MAIN, WORKLOADS, Workload

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
TEMPLATE = HERE / "benchmarks.md.in"
MACHINE_TEMPLATE = HERE / "machine.md.in"
PAGE = HERE.parent / "docs" / "benchmarks.md"

Measured = Mapping[str, Any]

GROWTH = """How the processor's time of one thread grows: a power of 1 is linear, below 1 a larger whole costs less in
proportion. Times are of a whole batch, step or file."""


def load(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the results so far of a machine.

    Args:
        machine: What tells it from others.
    """
    found: dict[str, Any] = _all().get(_title(machine), {"workloads": {}})
    return found


def save(results: Mapping[str, Any]) -> None:
    """Keeps the results of a machine."""
    every = {**_all(), _title(results["machine"]): results}
    RESULTS.write_text(json.dumps(every, indent=1) + "\n")


def _all() -> dict[str, Any]:
    """Returns the results of all machines by their titles."""
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return found


def _title(machine: Mapping[str, Any]) -> str:
    return f"{machine['processor']} ({', '.join(machine['instructions'])})".replace("(R)", "")


def best_peer(measured: Measured, clock: str) -> str | None:
    """Returns the quickest of the others."""
    others = {name: median(each[clock]) for name, each in measured.items() if name not in (OURS, SGEMM)}
    return min(others, key=lambda name: others[name]) if others else None


def ratio(measured: Measured, peer: str, clock: str) -> tuple[float, float, float]:
    """Returns a peer's time divided by ours, round by round: the quartiles, the median in the middle."""
    rounds = zip(measured[peer][clock], measured[OURS][clock], strict=True)
    low, middle, high = quantiles([theirs / ours for theirs, ours in rounds], n=4, method="inclusive")
    return low, middle, high


def line(workload: Workload, condition: Condition, measured: Measured) -> str:
    """Returns what is shown of a measurement at once."""
    times = {name: median(each[condition.clock]) for name, each in measured.items() if name != SGEMM}
    shown = ", ".join(f"{name} {number(value)}" for name, value in sorted(times.items(), key=lambda item: item[1]))
    peer = best_peer(measured, condition.clock)
    if peer is None or OURS not in measured:
        return f"    ms: {shown}"
    low, middle, high = ratio(measured, peer, condition.clock)
    wanted = f", target {workload.target}" if workload.target else ""
    return f"    ms: {shown}\n    ratio to {peer}: {middle:.2f} ({low:.2f} to {high:.2f}{wanted})"


def number(value: float) -> str:
    """Returns a number with three digits that count."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def write() -> None:
    """Writes the page and its charts."""
    sections = [_section(title, results) for title, results in _all().items()]
    PAGE.write_text(TEMPLATE.read_text().replace("<machines>", "\n\n".join(sections)))


def _section(title: str, results: Mapping[str, Any]) -> str:
    """Returns what the page says of a machine, and draws its chart."""
    words = re.findall("[a-z0-9]+", re.sub(r"\(.*(?= )", "", title).lower())
    chart = PAGE.with_name(f"benchmarks-{'-'.join(words)}.svg")
    _draw(results, chart)
    parts = {
        "title": title,
        "machine": _machine(results),
        "chart": chart.name,
        "summary": _summary(results),
        "tables": "\n\n".join(filter(None, (_table(results, condition) for condition in CONDITIONS))),
        "starts": _starts(results),
        "growth": _growth(results),
    }
    section = MACHINE_TEMPLATE.read_text()
    for name, text in parts.items():
        section = section.replace(f"<{name}>", text)
    return section.rstrip()


def rows(cells: Iterable[Sequence[str]]) -> str:
    """Returns a table of Markdown; the first row is its head."""
    head, *body = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([head, "|" + "---|" * (head.count("|") - 1), *body])


def _known(results: Mapping[str, Any], condition: Condition) -> list[tuple[Workload, Measured]]:
    kept = ((workload, results["workloads"].get(workload.name, {}).get(condition.name)) for workload in WORKLOADS)
    return [(workload, found["peers"]) for workload, found in kept if found and OURS in found["peers"]]


def _machine(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    measured = [
        (name, each, found["date"])
        for conditions in results["workloads"].values()
        for found in conditions.values()
        for name, each in found["peers"].items()
    ]
    versions = {package: version for _, each, _ in measured for package, version in each["versions"].items()}
    dates = sorted({date for *_, date in measured})
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    packages = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return (
        f"Measured {when} on {machine['cores']} cores of {machine['processor']} "
        f"({', '.join(machine['instructions'])}), {machine['system']}, "
        f"Python {machine['python']}. Versions: {packages}. {results.get('remark', '')}"
    ).rstrip()


def _summary(results: Mapping[str, Any]) -> str:
    table = [["workload", *(condition.name for condition in CONDITIONS), "target", "best peer", "of sgemm's rate"]]
    known = {condition.name: {w.name: m for w, m in _known(results, condition)} for condition in CONDITIONS}
    for workload in WORKLOADS:
        cells, best = [], ""
        for condition in CONDITIONS:
            measured = known[condition.name].get(workload.name)
            peer = best_peer(measured, condition.clock) if measured else None
            if measured is None or peer is None:
                cells.append("")
                continue
            low, middle, high = ratio(measured, peer, condition.clock)
            cells.append(f"{middle:.2f} ({low:.2f}-{high:.2f})")
            best = best or PEERS[peer].title
        if any(cells):
            share = _share(known[CONDITIONS[0].name].get(workload.name))
            table.append([workload.name, *cells, f"{workload.target}" if workload.target else "", best, share])
    return rows(table)


def _share(measured: Measured | None) -> str:
    """Returns the rate of a workload's products as a share of a plain product's, measured in the same rounds."""
    if measured is None or SGEMM not in measured:
        return ""
    ours, plain = measured[OURS], measured[SGEMM]
    rounds = zip(ours["cpu"], plain["cpu"], strict=True)
    return f"{median(ours['flops'] / mine / (plain['flops'] / its) for mine, its in rounds):.0%}"


def _table(results: Mapping[str, Any], condition: Condition) -> str:
    known = _known(results, condition)
    if not known:
        return ""
    peers = [name for name in PEERS if name != SGEMM and any(name in measured for _, measured in known)]
    table = [["workload", *(PEERS[name].title for name in peers)]]
    for workload, measured in known:
        times = [number(median(measured[name][condition.clock])) if name in measured else "" for name in peers]
        table.append([workload.name, *times])
    return f"### {condition.title}\n\n{rows(table)}"


def _starts(results: Mapping[str, Any]) -> str:
    known = _known(results, CONDITIONS[0])
    peers = [name for name in PEERS if name != SGEMM and any(name in measured for _, measured in known)]
    table = [["workload", *(PEERS[name].title for name in peers)]]
    for workload, measured in known:
        if workload in MAIN:
            cells = [_start(measured[name]) if name in measured else "" for name in peers]
            table.append([workload.name, *cells])
    return rows(table)


def _start(each: Mapping[str, Any]) -> str:
    return f"{each['seconds']:.1f} s, {each['memory']:.0f} MB"


def _growth(results: Mapping[str, Any]) -> str:
    if "growth" not in results:
        return ""
    table = [["what grows", "from", "to", "milliseconds", "time grows by the power of"]]
    for each in results["growth"]:
        times = " to ".join(map(number, each["milliseconds"]))
        table.append([each["what"], str(each["from"]), str(each["to"]), times, f"{each['power']:.2f}"])
    return f"\n### Growth\n\n{GROWTH}\n\n{rows(table)}"


def _draw(results: Mapping[str, Any], chart: Path) -> None:
    from matplotlib import pyplot

    condition = CONDITIONS[0]
    names, bars, spreads, targets = [], [], [], []
    for workload, measured in _known(results, condition):
        peer = best_peer(measured, condition.clock)
        if peer is not None:
            low, middle, high = ratio(measured, peer, condition.clock)
            names.append(f"{workload.name} ({PEERS[peer].title})")
            bars.append(middle)
            spreads.append((middle - low, high - middle))
            targets.append(workload.target)
    figure, axes = pyplot.subplots(figsize=(9, 1 + 0.3 * len(names)), layout="constrained")
    places = list(range(len(names)))[::-1]
    axes.barh(places, bars, xerr=list(zip(*spreads, strict=True)), color="#4477aa", ecolor="#222222")
    marked = [(target, place) for target, place in zip(targets, places, strict=True) if target]
    axes.scatter(*zip(*marked, strict=True), color="#cc3311", zorder=3)
    axes.axvline(1.0, color="#222222", linewidth=1)
    axes.set_yticks(places, names)
    axes.set_xlabel("times as fast as the best peer (in brackets); processor time on one core; dots: targets")
    figure.savefig(chart, metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    write()
