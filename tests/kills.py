"""``kill -9`` at the worst moments, over and over: what is left must be what a run that was never killed leaves.

``python tests/kills.py --kills 200`` lets two archives live through the same days at a small Sina and at a feed of
1.2 MB, which is read by the worker process. Time passes there only between two runs. One archive's runs are killed, the
other's never; after each kill the files are looked at as they lie there, at the end both are compared as sets by key.
The killer watches from outside: requests, the log of SQLite, the export's folder, /proc. There is no hook for it in the
program.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, cycle, islice
from pathlib import Path
from random import Random

from kills_compared import Archive, apart, damage

from aggregator.demo import Replica
from aggregator.demo.pages import Answer
from aggregator.demo.server import Asked, Server

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0  # seconds for one run
STEPS = 6  # of the newsroom, between two runs that came to their end
HEAVY_ITEMS = 40

_CONFIG = """
archive: archive.db
network: {{deadline: 60s, connect_to: {hosts}}}
export: {{hexo: {{dir: posts}}}}
feeds:
  - {{name: hk, source: sina-roll, url: "{roll}?pageid=384&lid=2674", categories: [财经, 股市, 港股]}}
  - {{name: stocks, source: sina-roll, url: "{roll}?pageid=384&lid=2671", categories: [财经, 股市, 滚动]}}
  - {{name: heavy, source: feed, url: "http://heavy.example/feed.xml", categories: [长文, 全文, 甲]}}
"""
_ROLL = "https://feed.mix.sina.com.cn/api/roll/get"


class World:
    """The replica and the heavy feed; ``step`` lets time pass for both."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._now = datetime.now(UTC) - timedelta(hours=6)
        self._began = self._now
        self._texts = {n: self._text(n) for n in range(HEAVY_ITEMS)}
        self._replica = Replica(lambda: self._now)
        self._server = Server(0, self._heavy)
        self._asked = 0

    def __enter__(self) -> World:
        self._replica.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._replica.stop()
        self._server.close()

    def config(self) -> str:
        """A configuration under which the program meets this world."""
        heavy = {"heavy.example": f"http://127.0.0.1:{self._server.server_address[1]}"}
        return _CONFIG.format(hosts=json.dumps(self._replica.connect_to() | heavy), roll=_ROLL)

    def step(self) -> None:
        """News and edits everywhere."""
        for _ in range(STEPS):
            self._now += timedelta(minutes=1)
            self._replica.advance()
        self._texts[self._dice.choice(sorted(self._texts)[-HEAVY_ITEMS:])] += f"<p>更正于{self._now:%H:%M}。</p>"
        for number in range(len(self._texts), len(self._texts) + 3):
            self._texts[number] = self._text(number)

    def asked(self, *, pages: bool) -> int:
        """How many requests there were: for articles' pages, or for listings."""
        counted = self._replica.requests.copy().items()
        seen = sum(
            n for (_, host, _), n in counted if host.endswith(("finance.sina.com.cn", "news.sina.com.cn")) == pages
        )
        return seen if pages else seen + self._asked

    def _heavy(self, asked: Asked) -> Answer:
        self._asked += 1
        items = "".join(
            f"<item><title>长文第{n}篇</title><link>http://heavy.example/{n}</link><guid>heavy-{n}</guid>"
            f"<pubDate>{self._began + timedelta(minutes=n):%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
            f"<content:encoded><![CDATA[{self._texts[n]}]]></content:encoded></item>"
            for n in sorted(self._texts)[-HEAVY_ITEMS:]
        )
        head = (
            '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>长文</title>'
        )
        return Answer(f"{head}{items}</channel></rss>".encode(), type="text/xml; charset=utf-8")

    def _text(self, number: int) -> str:
        figures = Random(number)
        return "".join(
            f"<p>第{number}篇第{n}段：成交额{figures.random():.9f}亿元，较上日有所变化。</p>" for n in range(340)
        )


@dataclass
class Run:
    """``aggregator fetch`` as a process of its own, in its folder."""

    folder: Path
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started

    def children(self) -> list[int]:
        """The processes it has started and not yet collected."""
        lists = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for one in lists for pid in _read(one).split()]

    def until(self, moment: Callable[[], bool]) -> bool:
        """Whether the moment came before the run ended."""
        while self.process.poll() is None:
            if moment():
                return True
            if self.age > PATIENCE:
                self.process.kill()
                raise TimeoutError(f"a run took longer than {PATIENCE:.0f} s; see {self.folder}/log.txt")
            time.sleep(0.0003)
        return False

    def kill(self) -> list[int]:
        """Kill it, and it alone; the children that outlive it by more than a moment."""
        self.process.send_signal(signal.SIGSTOP)  # what it has started by now is all it will ever have
        children = self.children()
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + 10
        while (left := [pid for pid in children if _lives(pid)]) and time.monotonic() < end:
            time.sleep(0.001)
        return left


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""  # it ended meanwhile


def _lives(pid: int) -> bool:
    return _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] not in ([], ["Z"])


def start(folder: Path) -> Run:
    """Begin a run."""
    with (folder / "log.txt").open("ab") as log:
        call = (sys.executable, "-m", "aggregator", "fetch", "--config", str(folder / "config.yaml"))
        process = subprocess.Popen(
            call, stdout=log, stderr=log, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    return Run(folder, process)


def finish(folder: Path) -> float:
    """Let a run come to its end; its seconds."""
    run = start(folder)
    run.until(lambda: False)
    # 1: the replica breaks some pages on purpose.
    if run.process.returncode not in (0, 1):
        raise RuntimeError(f"a run ended with {run.process.returncode}: {_read(folder / 'log.txt')[-2000:]}")
    return run.age


Moment = Callable[[World, Run, Random, float], Callable[[], bool]]


def _start(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    after = dice.uniform(0, min(1.0, length))
    return lambda: run.age >= after


def _any(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    after = dice.uniform(0, length)
    return lambda: run.age >= after


def _birth(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    """When the archive's file appears, under whatever name; nothing before it counts."""
    seen = _changes(lambda: sorted((f.name, f.stat().st_mtime_ns) for f in run.folder.glob("archive.db*")))
    wanted = dice.randint(1, 12)
    return lambda: seen() >= wanted


def _listing(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    wanted = world.asked(pages=False) + dice.randint(1, 3)
    return lambda: world.asked(pages=False) >= wanted


def _page(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    wanted = world.asked(pages=True) + dice.randint(1, 3)
    return lambda: world.asked(pages=True) >= wanted


def _parse(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    """When the worker process has been there for so long: it starts, imports, reads, answers."""
    after = dice.uniform(0, 0.4)
    since: list[float] = []

    def come() -> bool:
        if run.children() and not since:
            since.append(run.age)
        return bool(since) and run.age >= since[0] + after

    return come


def _commit(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    """While SQLite writes its log."""
    wal = run.folder / "archive.db-wal"
    seen = _changes(lambda: (wal.stat().st_size, wal.stat().st_mtime_ns))
    wanted = dice.randint(1, 4)
    return lambda: seen() >= wanted


def _export(world: World, run: Run, dice: Random, length: float) -> Callable[[], bool]:
    """While a file is written beside its place, or has just got there."""
    scratch = run.folder / f"posts/.export-{run.process.pid}.tmp"
    seen = _changes(lambda: scratch.stat().st_ino)
    wanted = dice.randint(1, 3)
    return lambda: seen() >= wanted


def _changes(look: Callable[[], object]) -> Callable[[], int]:
    """How often what is looked at was seen to be another; what cannot be looked at is nothing."""

    def seen() -> object:
        try:
            return look()
        except OSError:
            return None

    last, times = [seen()], count(1)
    total = [0]

    def counted() -> int:
        now = seen()
        if now != last[0]:
            last[0], total[0] = now, next(times)
        return total[0]

    return counted


MOMENTS: dict[str, Moment] = {
    "start": _start,
    "listing": _listing,
    "parse": _parse,
    "commit": _commit,
    "page": _page,
    "export": _export,
    "any": _any,
    "birth": _birth,
}
# Between two runs that come to their end; what is killed late leaves the next ones little to do.
ORDER = ("start", "listing", "parse", "commit", "page", "commit", "parse", "page", "commit", *["export"] * 3, "any")


@dataclass
class Result:
    """What came of it: kills by moment, runs that ended before their moment came, and all that was found wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    early: int = 0
    finished: int = 0
    scratch: int = 0
    workers: int = 0
    wrong: list[str] = field(default_factory=list)
    equal: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def lines(self) -> Iterator[str]:
        """The result for people."""
        yield f"{self.kills.total()} kills: " + ", ".join(f"{n} {name}" for name, n in self.kills.most_common())
        yield f"{self.finished} runs let to their end, {self.early} ended before their moment came"
        yield f"{self.workers} kills with a worker process alive, {self.scratch} with an export's scratch file left"
        yield "equal to an archive never killed: " + ", ".join(f"{n} {name}" for name, n in self.equal.items())
        yield f"{len(self.wrong)} wrong; {self.seconds:.0f} s"
        yield from self.wrong[:50]


def live(folder: Path, kills: int, seed: int, tell: Callable[[str], None] = lambda _: None) -> Result:
    """So many kills, and the comparison."""
    dice, result, began = Random(seed), Result(), time.monotonic()
    killed, whole = folder / "killed", folder / "whole"
    moments = cycle(ORDER)  # where a run ends before its moment came, the next ones go on behind it
    with World(dice) as world:
        for one in (killed, whole):
            one.mkdir(parents=True)
            (one / "config.yaml").write_text(world.config(), encoding="utf-8")
        for _ in range(max(1, kills // 40)):
            _strike(world, killed, "birth", dice, 2.0, result)
        length = finish(whole)
        while result.kills.total() < kills:
            some = islice(moments, min(kills - result.kills.total(), len(ORDER)))
            if _episode(world, killed, dice, length, some, result):
                finish(killed)
            result.finished += 1
            result.wrong += [f"left behind: {one}" for one in sorted(killed.rglob("*.tmp"))]
            tell(f"{result.kills.total()} kills, {len(result.wrong)} wrong")
            world.step()
            length = finish(whole)
        finish(killed)
    result.wrong += apart(Archive.read(whole), Archive.read(killed))
    result.equal = Archive.read(killed).sizes()
    result.seconds = time.monotonic() - began
    return result


def _episode(world: World, folder: Path, dice: Random, length: float, moments: Iterable[str], result: Result) -> bool:
    """Kill runs at one of the moments after the other; whether none of them came to its end."""
    return all(_strike(world, folder, name, dice, length, result) for name in moments)


def _strike(world: World, folder: Path, name: str, dice: Random, length: float, result: Result) -> bool:
    """Start a run and kill it at a moment; whether that came. Then look at what lies there."""
    before = Archive.facts(folder)
    run = start(folder)
    if not run.until(MOMENTS[name](world, run, dice, length)):
        result.early += 1
        if run.process.returncode not in (0, 1):
            result.wrong.append(f"a run ended with {run.process.returncode}: {_read(folder / 'log.txt')[-500:]}")
        return False
    workers = run.children()
    orphans = run.kill()
    result.kills[name] += 1
    result.workers += bool(workers)
    result.scratch += bool(list(folder.rglob(".export-*.tmp")))
    result.wrong += [f"{name}: process {pid} outlives it" for pid in orphans]
    result.wrong += [f"{name}: {one}" for one in damage(folder, before)]
    return True


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        result = live(Path(folder), given.kills, given.seed, lambda line: print(line, file=sys.stderr, flush=True))
    print("\n".join(result.lines()))
    return int(bool(result.wrong))


if __name__ == "__main__":
    sys.exit(main())
