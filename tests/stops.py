"""``SIGTERM`` and Ctrl-C at random moments, over and over: the daemon is gone within 5 s, nothing is lost or doubled.

``python tests/stops.py --stops 50`` starts `aggregator run` against a small Sina and a feed of 1.2 MB (as kills.py),
with a copy of the archive to be made at each start, and tells it to end while it starts, polls, reads, commits,
exports, copies or reads its configuration again. After each end the files are looked at as they lie there. When it has
been stopped a few times at one state of the world, one run comes to its end there and the world goes on; at the last
the archive is compared, as sets by key, with one whose runs were never cut short.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from kills import MOMENTS, PATIENCE, ROOT, Moment, Run, World, _changes, finish
from kills_compared import Archive, apart, damage

LONGEST = 5.0  # seconds from the signal to the end
AT_ONE_STATE = 5  # stops, before the world goes on
_DEFAULTS = "defaults: {every: 1s}\nbackup: {dir: copies, every: 1s, keep: 2}\n"
_CODES = {signal.SIGTERM: 0, signal.SIGINT: 130}


def _copying(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    """While a copy is written and checked."""
    seen = _changes(lambda: sorted((f.name, f.stat().st_size) for f in (run.folder / "copies").iterdir()))
    wanted = dice.randint(1, 4)
    return lambda: seen() >= wanted


def _reloading(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    """While the configuration, which has changed, is read again and taken."""
    told: list[float] = []
    after = dice.uniform(0, 1.0)

    def come() -> bool:
        if not told and "feed.polled" in _log(run.folder):
            text = (run.folder / "config.yaml").read_text(encoding="utf-8")
            (run.folder / "config.yaml").write_text(text + "# read again\n", encoding="utf-8")
            run.process.send_signal(signal.SIGHUP)
            told.append(run.age)
        return bool(told) and run.age >= told[0] + after

    return come


STOPS: dict[str, Moment] = {name: MOMENTS[name] for name in ("start", "listing", "page", "commit", "parse", "export")}
STOPS |= {"any": MOMENTS["any"], "copying": _copying, "reloading": _reloading}


@dataclass
class Result:
    """What came of it: stops by moment, how long each end took, and all that was found wrong."""

    stops: Counter[str] = field(default_factory=Counter)
    unheard: int = 0
    seconds: list[float] = field(default_factory=list)
    orderly: int = 0
    wrong: list[str] = field(default_factory=list)
    equal: dict[str, int] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """The result for people."""
        yield f"{self.stops.total()} stops: " + ", ".join(f"{n} {name}" for name, n in self.stops.most_common())
        within = sum(one <= LONGEST for one in self.seconds)
        yield (
            f"{within}/{len(self.seconds)} gone within {LONGEST:.0f} s: median {median(self.seconds):.2f} s, longest"
            f" {max(self.seconds):.2f} s; {self.orderly} in order, {self.unheard} before it listened to signals"
        )
        yield "equal to an archive never stopped: " + ", ".join(f"{n} {name}" for name, n in self.equal.items())
        yield f"{len(self.wrong)} wrong"
        yield from self.wrong[:50]


def start(folder: Path) -> Run:
    """The daemon."""
    with (folder / "run.jsonl").open("wb") as log:
        call = (sys.executable, "-m", "aggregator", "run", "--log", "json", "--config", str(folder / "config.yaml"))
        process = subprocess.Popen(
            call, stdout=log, stderr=log, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    return Run(folder, process)


def live(folder: Path, stops: int, seed: int, tell: Callable[[str], None] = lambda _: None) -> Result:
    """So many stops, and the comparison."""
    dice, result = Random(seed), Result()
    stopped, whole = folder / "stopped", folder / "whole"
    with World(dice) as world:
        for one in (stopped, whole):
            (one / "copies").mkdir(parents=True)
            (one / "config.yaml").write_text(_DEFAULTS + world.config(), encoding="utf-8")
        length = finish(whole)
        names = [name for _ in range(stops) for name in dice.sample(sorted(STOPS), len(STOPS))][:stops]
        for number, name in enumerate(names, 1):
            _stop(world, stopped, name, dice, length, result)
            tell(f"{number} stops, the last ({name}) took {result.seconds[-1]:.2f} s, {len(result.wrong)} wrong")
            if number % AT_ONE_STATE == 0 or number == stops:
                finish(stopped)
                world.step()
                finish(whole)
        finish(stopped)
    result.wrong += apart(Archive.read(whole), Archive.read(stopped))
    result.equal = Archive.read(stopped).sizes()
    return result


def _stop(world: World, folder: Path, name: str, dice: Random, length: float, result: Result) -> None:
    """Start the daemon, tell it to end at a moment, and look at what lies there."""
    before, number = Archive.facts(folder), dice.choice(sorted(_CODES))
    run = start(folder)
    moment = STOPS[name](world, run, dice, length)
    run.until(lambda: moment() or run.age > 2 * length + 5)  # what there is not to be seen may not come
    children = run.children()
    began = time.monotonic()
    run.process.send_signal(number)
    code = run.process.wait(PATIENCE)
    result.seconds.append(time.monotonic() - began)
    result.stops[name] += 1
    log = _log(folder)
    result.unheard += code == -number
    result.orderly += "daemon.stopped" in log
    if code not in (_CODES[number], -number) or (code == -number and "daemon.started" in log):
        result.wrong.append(f"{name}: it ended with {code}: {log[-500:]}")
    if result.seconds[-1] > LONGEST:
        result.wrong.append(f"{name}: it took {result.seconds[-1]:.2f} s to end")
    end = time.monotonic() + 10
    while (left := [pid for pid in children if Path(f"/proc/{pid}").exists()]) and time.monotonic() < end:
        time.sleep(0.001)
    result.wrong += [f"{name}: process {pid} outlives it" for pid in left]
    result.wrong += [f"{name}: {one}" for one in damage(folder, before)]
    if "daemon.stopped" in log:
        beside = [*folder.rglob("*.tmp"), *folder.glob("archive.db-*"), *(folder / "copies").glob(".*.part")]
        result.wrong += [f"{name}: left behind by an orderly end: {one.name}" for one in beside]


def _log(folder: Path) -> str:
    return (folder / "run.jsonl").read_text(encoding="utf-8")


def main() -> int:
    """The script."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, and all it starts, ignores it
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stops-") as folder:
        result = live(Path(folder), given.stops, given.seed, lambda line: print(line, file=sys.stderr, flush=True))
    print("\n".join(result.lines()))
    return int(bool(result.wrong))


if __name__ == "__main__":
    sys.exit(main())
