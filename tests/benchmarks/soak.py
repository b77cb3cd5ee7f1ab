"""The daemon for days in an hour: whether memory, descriptors, threads and the archive's log stay as they are.

    python tests/benchmarks/soak.py [--polls N] [--feeds N] [--json]

The daemon's own work (polls, articles, looks at pages again, images, upkeep with copies, hooks, metrics) in virtual
time, against the demo's replica in a process of its own: 28,800 polls of 30 feeds every five minutes are three days and
a third. The replica publishes, edits and withdraws at each round. Counted every 1,000 polls, or every tenth of fewer.
What a program learns at first (caches, SQLite's pages) is not counted: the slope is that of the last three quarters.
Exits with 1 where a bound is exceeded.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import random

from aggregator.app import open_app
from aggregator.archive.connecting import log_size
from aggregator.config import parse
from aggregator.demo import Replica
from aggregator.hooks import Surroundings, hooks_of, sink_of, telling
from aggregator.logs import begin
from aggregator.observe import Metrics, Pulse
from aggregator.schedule import Daemon
from aggregator.service import Watch
from aggregator.upkeep import Upkeep

BEGAN = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
EVERY = timedelta(minutes=5)
SLOPE = 1.0  # MB of resident memory per 1,000 polls, at most
LOG = 64.0  # MB, at most
SPARE = 4  # connections that happen to be open when it is looked
OBJECTS = 5.0  # of Python's, per poll, at most: what is kept of each poll for ever

_LISTS = (
    *("pageid=155&lid=1686", "pageid=155&lid=1687", "pageid=155&lid=1690", "pageid=384&lid=2519"),
    *("pageid=384&lid=2671", "pageid=384&lid=2672", "pageid=384&lid=2674", "pageid=384&lid=2676"),
    *("pageid=384&lid=2487", "pageid=153&lid=2516"),
)
_CONFIG = """
archive: archive.db
network: {{connect_to: {hosts}, per_host: {{interval: 0s, connections: 8}}}}
defaults: {{every: 5m, images: cover}}
backup: {{dir: .., every: 1d, keep: 2}}
hooks: [{{name: told, when: {{on: [new, changed, gone]}}, then: {{atom: told.xml}}}}]
feeds:
{feeds}
"""


@dataclass(frozen=True)
class Sample:
    """The process after so many polls: MB of resident memory and of the log, objects of Python's."""

    polls: int
    memory: float
    descriptors: int
    threads: int
    log: float
    objects: int


@dataclass
class Result:
    """What came of it."""

    samples: list[Sample] = field(default_factory=list)
    highest_log: float = 0.0
    articles: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    jobs: dict[str, str] = field(default_factory=dict)

    @property
    def late(self) -> Sequence[Sample]:
        """The last three quarters."""
        return self.samples[len(self.samples) // 4 :]

    def slope(self, name: str) -> float:
        """By how much something grows per 1,000 polls, by least squares."""
        points = [(sample.polls / 1000, float(getattr(sample, name))) for sample in self.late]
        x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
        spread = sum((one - x) ** 2 for one, _ in points)
        return sum((one - x) * (other - y) for one, other in points) / spread if spread else 0.0

    @property
    def kept(self) -> float:
        """Objects that stay of each poll: by the least of each half, since an open connection is a thousand of them."""
        early, late = (min(part, key=lambda one: one.objects) for part in _halves(self.late))
        return (late.objects - early.objects) / max(1, late.polls - early.polls)

    def wrong(self, *, memory: bool) -> Iterator[str]:
        """The bounds that are exceeded; of ``memory`` only a run that is long enough tells."""
        if memory and self.slope("memory") >= SLOPE:
            yield f"memory grows by {self.slope('memory'):.2f} MB per 1,000 polls, bound {SLOPE}"
        if self.kept >= OBJECTS:
            yield f"{self.kept:.1f} objects are kept of each poll, bound {OBJECTS}"
        for name in ("descriptors", "threads"):
            early, late = (max(getattr(one, name) for one in part) for part in _halves(self.late))
            if late > early + SPARE:
                yield f"{name} grow from {early} to {late}"
        if self.highest_log >= LOG:
            yield f"the log grew to {self.highest_log:.1f} MB, bound {LOG}"

    def lines(self) -> Iterator[str]:
        """The result for people."""
        yield "polls      memory  objects  descriptors  threads     log"
        for one in self.samples:
            yield (
                f"{one.polls:>6,} {one.memory:>8.1f} MB {one.objects:>8,} {one.descriptors:>12} {one.threads:>8}"
                f" {one.log:>5.1f} MB"
            )
        yield (
            f"{self.articles:,} articles; memory {self.slope('memory'):+.2f} MB per 1,000 polls (bound {SLOPE}),"
            f" {self.kept:+.2f} objects per poll,"
            f" log at most {self.highest_log:.1f} MB (bound {LOG:.0f})"
        )
        yield f"upkeep: {self.jobs}; {self.cpu:.0f} s CPU in {self.seconds:.0f} s"


def _halves(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    middle = (len(samples) + 1) // 2
    return samples[:middle], samples[middle:] or samples[-1:]


def serve() -> None:
    """The replica, as a process: each line on stdin is an instant at which time passes there."""
    now = [BEGAN]
    with Replica(lambda: now[0], keep=500) as replica:
        print(json.dumps(replica.connect_to()), flush=True)
        for line in sys.stdin:
            now[0] = datetime.fromisoformat(line.strip())
            replica.advance()
            print("done", flush=True)


@contextmanager
def world() -> Iterator[subprocess.Popen[str]]:
    """The replica's process, ended at the end."""
    call = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def configuration(hosts: str, feeds: int) -> str:
    """So many feeds over the replica's lists, each asked under an address of its own."""
    rows = [
        f"  - {{name: f{n}, source: sina-roll,"
        f' url: "https://feed.mix.sina.com.cn/api/roll/get?{_LISTS[n % len(_LISTS)]}&x={n}",'
        f" categories: [甲, 乙, 丙{n}]}}"
        for n in range(feeds)
    ]
    return _CONFIG.format(hosts=hosts, feeds="\n".join(rows))


async def live(folder: Path, polls: int, feeds: int) -> Result:
    """The polls, with a sample every so many."""
    now, result, began, cpu = [BEGAN], Result(), time.monotonic(), time.process_time()
    (folder / "home").mkdir()
    with world() as process, (folder / "log").open("w") as stream:
        assert process.stdin
        assert process.stdout
        text = configuration(process.stdout.readline().strip(), feeds)
        settings = parse(text, folder / "home" / "config.yaml")
        log = begin(stream, "json")
        async with open_app(settings, lambda: now[0]) as app:
            watch = Watch(Metrics(app.archive.path, lambda: now[0], Pulse()))
            daemon, upkeep = Daemon(app, log, watch), Upkeep(app, log)
            around = Surroundings(app.archive, app.desk.rules, log, lambda: now[0], random)
            hooks = [
                (hook, sink_of(hook, app.archive.path, app.client.post, os.environ, lambda: now[0]))
                for hook in hooks_of(settings)
            ]
            async with telling(hooks, around):
                step, done = max(1, min(1_000, polls // 10)), 0
                while done < polls:
                    now[0] += EVERY
                    process.stdin.write(f"{now[0].isoformat()}\n")
                    process.stdin.flush()
                    process.stdout.readline()
                    await upkeep.tick()
                    while names := await app.archive.due_feeds():
                        await daemon.tick()
                        await daemon.drain()
                        done += len(names) - len(await app.archive.due_feeds())
                        result.highest_log = max(result.highest_log, log_size(app.archive.path) / 1e6)
                    if done >= step * (len(result.samples) + 1):
                        await upkeep.idle()
                        watch.metrics.text()
                        result.samples.append(_sample(done, app.archive.path))
                        print(list(result.lines())[len(result.samples)], file=sys.stderr, flush=True)
            await upkeep.stop()
            result.jobs = {name: str(ran.ended)[:16] for name, ran in (await app.archive.tending.runs()).items()}
            result.articles = await app.archive.archived([])
    result.seconds, result.cpu = time.monotonic() - began, time.process_time() - cpu
    return result


def _sample(polls: int, archive: Path) -> Sample:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(
        polls,
        round(pages * os.sysconf("SC_PAGESIZE") / 1e6, 1),
        sum(1 for _ in Path("/proc/self/fd").iterdir()),
        threading.active_count(),
        round(log_size(archive) / 1e6, 2),
        len(gc.get_objects()),
    )


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--polls", type=int, default=28_800)
    parser.add_argument("--feeds", type=int, default=30)
    parser.add_argument("--dir", type=Path, help="where the archive is made, and deleted; else the system's")
    parser.add_argument("--json", action="store_true", help="print the samples as JSON")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return 0
    with tempfile.TemporaryDirectory(prefix="soak-", dir=asked.dir) as folder:
        result = asyncio.run(live(Path(folder), asked.polls, asked.feeds))
    wrong = list(result.wrong(memory=asked.polls >= 10_000))
    if asked.json:
        print(json.dumps({**asdict(result), "wrong": wrong}))
    else:
        print("\n".join([*result.lines(), *(wrong or ["all within bounds"])]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
