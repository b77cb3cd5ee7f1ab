"""What it costs to keep 200 feeds, articles and Sina's roll, beside the programs a person would else use for it.

    python tests/benchmarks/peers.py [--peers VENV] [--rounds N] [--quick] [--dir DIR] [--json FILE]

Peers: reader, trafilatura and Scrapy in the virtual environment ``--peers``, Debian's newsboat and sfeed. One that is
not there is named. A publisher of its own process answers on loopback. In each round every program does each job once,
in turn; counted are CPU seconds of the whole process tree, start-up included, and the median of the rounds is told.
``--quick``: 20 feeds, one round. Exits with 1 where a ratio is beyond its bound.
"""

from __future__ import annotations

import argparse
import compileall
import json
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import programs
from origin import PAGES
from programs import HERE, SET_UP, Cost, Place, commands, missing, run

import aggregator

POLLERS = ("ours", "ours, index left", "reader", "reader + search", "newsboat", "sfeed")
# What the publisher does before each phase: whether it answers 304, and how many new entries a feed has.
PHASES = {
    "first": {"etag": 1, "shift": 0},
    "304": {"etag": 1, "shift": 0},
    "again": {"etag": 0, "shift": 0},
    "5 new": {"etag": 0, "shift": 5},
}
_SKIPPED = {("ours, index left", phase) for phase in PHASES if phase != "first"}


@dataclass(frozen=True)
class Case:
    """A row of the table: one figure as a ratio of another's, its bound, and what one would like."""

    name: str
    own: str
    other: str
    bound: float
    wish: float


CASES = (
    Case("first poll, with the index", "first: ours", "first: reader + search", 0.50, 0.35),
    Case("first poll, index left to the background", "first: ours, index left", "first: reader", 0.50, 0.30),
    Case("the same", "first: ours, index left", "first: newsboat", 1.1, 0.75),
    Case("first poll, with the index", "first: ours", "first: sfeed", 9, 9),
    Case("all 304", "304: ours", "304: reader", 1.5, 1.0),
    Case("all 304, a feed in the daemon", "304: a poll", "304: a GET", 2, 1),
    Case("the same bytes again", "again: ours", "again: reader", 0.20, 0.10),
    Case("5 new of 50, with the index", "5 new: ours", "5 new: reader + search", 0.40, 0.25),
    Case("roll poll with nothing new, in the daemon", "roll: nothing new", "roll: a GET", 4, 2),
    Case("bytes of archive for it", "roll: bytes", "500 bytes", 1, 1),
    Case("roll poll with 5 new, in the daemon", "roll: 5 new", "25 ms", 1, 0.4),
    Case("an article, from its page to search", "pages: ours", "pages: trafilatura", 0.8, 0.5),
    Case("the same", "pages: ours", "pages: Scrapy", 9, 9),
    Case("memory of the first poll", "memory: ours", "130 MiB", 1, 0.77),
    Case("aggregator --version", "start: ours, version", "start: python -c pass", 2, 1.5),
    Case("fetch --due, nothing due", "start: ours, nothing due", "start: reader, nothing", 2, 1.2),
    Case("archive for an article with its page", "archive: an article", "18 kB", 1, 0.67),
)
_FIXED = {"500 bytes": 500.0, "25 ms": 0.025, "130 MiB": 130.0, "18 kB": 18_000.0}
_PAGES = {"pages: ours": "ours, pages", "pages: trafilatura": "trafilatura", "pages: Scrapy": "Scrapy"}
_JOBS = {
    "ours, quiet": {"304: a poll": "poll", "304: a GET": "get"},
    "ours, roll": {"roll: nothing new": "none", "roll: a GET": "get", "roll: 5 new": "five", "roll: bytes": "bytes"},
}
_STARTS = ("ours, version", "python -c pass", "ours, nothing due", "reader, nothing")


class Figures:
    """What was measured, by name: one value a round."""

    def __init__(self) -> None:
        self._found: defaultdict[str, list[float]] = defaultdict(list)

    def note(self, name: str, value: float) -> None:
        """One more value."""
        self._found[name].append(value)

    def get(self, name: str) -> float | None:
        """The median of a figure; of starts the least."""
        found = self._found.get(name)
        if not found:
            return _FIXED.get(name)
        return min(found) if name.startswith("start") else median(found)

    def all(self) -> dict[str, list[float]]:
        """Everything, in the order it came."""
        return dict(self._found)


def measure(place: Place, folder: Path, figures: Figures, skipped: set[str]) -> None:
    """One round of everything."""
    told = commands(place)
    _poll(place, folder, figures, [name for name in POLLERS if name not in skipped])
    own = folder / "ours"
    for name, command in _PAGES.items():
        if command not in skipped:
            figures.note(name, run(told[command], own)[0].cpu / PAGES)
    figures.note("archive: an article", _room(own / "pages.db"))
    _control(place, {"etag": 1, "shift": 0})
    for job, names in _JOBS.items():
        found = json.loads(run(told[job], own)[1])
        for name, key in names.items():
            figures.note(name, found[key])
    for name in [*_STARTS] * 5:
        if name not in skipped:
            figures.note(f"start: {name}", run(told[name], own)[0].cpu)


def _poll(place: Place, folder: Path, figures: Figures, pollers: list[str]) -> None:
    """All phases of polling, by each program in turn."""
    told = commands(place)
    for name in pollers:
        (folder / name).mkdir()
        SET_UP[name.partition(" ")[0].strip(",")](folder / name, place)
    for phase, state in PHASES.items():
        _control(place, state)
        for name in pollers:
            if (name, phase) not in _SKIPPED:
                _noted(figures, f"{phase}: {name}", run(told[name], folder / name)[0])


def _noted(figures: Figures, name: str, cost: Cost) -> None:
    figures.note(name, cost.cpu)
    if name.startswith("first"):
        figures.note(name.replace("first", "memory"), cost.memory)
    print(f"  {name}: {cost.cpu:.2f} s CPU, {cost.wall:.2f} s, {cost.memory:.0f} MiB", file=sys.stderr)


def _control(place: Place, state: dict[str, int]) -> None:
    query = "&".join(f"{name}={value}" for name, value in state.items())
    urllib.request.urlopen(f"{place.base}/control?{query}").read()


def _room(path: Path) -> float:
    """The bytes of an archive for each article."""
    with closing(sqlite3.connect(path)) as db:
        (size,), (count,) = (
            db.execute(query).fetchone()
            for query in ("SELECT sum(pgsize) FROM dbstat", "SELECT count(*) FROM articles")
        )
        rows = db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 8").fetchall()
    print("  bytes an article:", {name: round(part / count) for name, part in rows}, file=sys.stderr)
    return float(size / count)


def table(figures: Figures) -> tuple[str, bool]:
    """The ratios as Markdown, and whether all are within their bounds."""
    lines = ["| job | ours | the other | ratio | bound | wish |", "|---|---|---|---|---|---|"]
    good = True
    for case in CASES:
        own, other = figures.get(case.own), figures.get(case.other)
        if own is None or other is None:
            lines.append(f"| {case.name} | | {case.other.partition(': ')[2]}: missing | | {case.bound:g} | |")
            continue
        ratio = own / other
        good = good and ratio <= case.bound
        bounds = " | " if case.bound == 9 else f"{case.bound:g} | {case.wish:g}"
        lines.append(
            f"| {case.name} | {_told(own, case.other)} | {case.other.partition(': ')[2] or case.other}"
            f"{'' if case.other in _FIXED else ' ' + _told(other, '')} | {ratio:.2f} | {bounds} |"
        )
    return "\n".join(lines), good


def _told(value: float, other: str) -> str:
    """A figure with its unit, which what it is compared with has."""
    unit = other.rpartition(" ")[2]
    if unit in ("bytes", "MiB", "kB"):
        return f"{value / (1000 if unit == 'kB' else 1):.{1 if unit == 'kB' else 0}f} {unit}"
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.2f} ms"


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, default=Path("peers"), help="a virtual environment with the peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="20 feeds, one round")
    parser.add_argument("--dir", type=Path, help="where the archives are made, and deleted; else the system's")
    parser.add_argument("--json", type=Path, help="a file for all figures")
    asked = parser.parse_args()
    compileall.compile_dir(Path(aggregator.__file__).parent, quiet=1)
    origin = subprocess.Popen(
        [sys.executable, str(HERE / "origin.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=programs.ENV
    )
    assert origin.stdout is not None
    place = Place(int(origin.stdout.readline()), 20 if asked.quick else 200, asked.peers / "bin" / "python")
    skipped = set(missing(place))
    print(f"not installed: {', '.join(sorted(skipped)) or 'none'}", file=sys.stderr)
    figures = Figures()
    try:
        for number in range(1 if asked.quick else asked.rounds):
            print(f"round {number + 1}", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="peers-", dir=asked.dir) as folder:
                measure(place, Path(folder), figures, skipped)
    finally:
        origin.kill()
        origin.wait()
    text, good = table(figures)
    print(text)
    if asked.json:
        asked.json.write_text(json.dumps(figures.all(), indent=1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
