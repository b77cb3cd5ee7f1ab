"""A storm, in virtual time: the replica refuses and breaks off for hours, and publishes on while nobody asks.

    python tests/storm.py [--entries N] [--seed N]      # 3,000 by default; exits with 1 where something was lost

An hour of calm; two hours in which six answers of ten are 429, 503 or a reset; six in which the daemon is stopped; an
hour of storm after it was started again; then calm. The entries are published from the first storm to the end of the
second. At last coverage must show no gap, and every article of the replica's own ledger must be archived, once.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import httpx
from virtual import VirtualClock, in_virtual_time, virtual_app
from world import CATEGORIES, listened

from aggregator.archive import Reader
from aggregator.coverage import hours
from aggregator.demo import Replica
from aggregator.demo.ledger import CHANNELS
from aggregator.demo.server import Asked
from aggregator.model import Feed
from aggregator.schedule import Daemon

HOUR = 3_600.0
STORM, STOPPED, AGAIN, CALM = 1 * HOUR, 3 * HOUR, 9 * HOUR, 10 * HOUR  # when each begins
QUIET = 12 * HOUR  # of calm, in which what failed in the storm is tried again
TICK = 10.0  # seconds
STEP = 60.0  # seconds between two publications
FAULTY = 0.6  # of all answers in a storm


def feeds() -> list[Feed]:
    """The replica's channels that have news."""
    url = "https://feed.mix.sina.com.cn/api/roll/get?pageid={}&lid={}"
    good = [channel for channel in CHANNELS if channel.expect == "ok"]
    return [
        Feed(
            name=f"roll-{one.lid}",
            source="sina-roll",
            url=url.format(one.pageid, one.lid),
            categories=CATEGORIES,
            recheck=(),
        )
        for one in good
    ]


@dataclass
class Storm:
    """The replica and the weather; ``faults`` counts what was answered in its place."""

    replica: Replica
    dice: Random
    faults: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """What a client gets at the moment."""
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(0.05)
        if (STORM <= now < STOPPED or AGAIN <= now < CALM) and self.dice.random() < FAULTY:
            return self._fault(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = request.url.raw_path.decode()
        told = self.replica.answer(Asked(request.method, request.url.host, target, headers))
        more = {"location": told.location} if told.location else {}
        return httpx.Response(
            told.status, headers={"content-type": told.type, **more}, stream=httpx.ByteStream(told.body)
        )

    def _fault(self, request: httpx.Request) -> httpx.Response:
        kind = self.dice.choice(("429", "503", "reset"))
        self.faults[kind] += 1
        if kind == "reset":
            raise httpx.ReadError("reset by the replica", request=request)
        return httpx.Response(int(kind), headers={"retry-after": "60"}, stream=httpx.ByteStream(b""))


@dataclass(frozen=True)
class Result:
    """What came of it."""

    published: int
    missing: tuple[str, ...]  # of the ledger, by id
    doubled: tuple[str, ...]
    gaps: tuple[str, ...]  # hours of feeds of which something may be missing
    filled: int
    faults: Counter[str]

    def wrong(self) -> Iterator[str]:
        """What must not be."""
        for name in ("missing", "doubled", "gaps"):
            if found := getattr(self, name):
                yield f"{name}: {len(found)}, such as {', '.join(found[:3])}"
        if not self.filled:
            yield "no gap was ever noted: nothing was tried"


def lived(folder: Path, entries: int, seed: int) -> Result:
    """The storm, and what the archive holds after it."""

    async def run() -> Result:
        clock = VirtualClock(asyncio.get_running_loop())
        storm = Storm(Replica(clock, seed=seed, keep=entries + 1_000), Random(seed))
        opened = set(storm.replica.ledger.published)
        publishing = asyncio.create_task(_published(storm.replica, entries))
        async with _daemon(folder, storm) as until:
            await until(STOPPED)
        await asyncio.sleep(AGAIN - STOPPED)
        async with _daemon(folder, storm) as until:
            await until(CALM)
            await publishing
            await until(CALM + QUIET)
        return _judged(folder, storm, opened, clock())

    return in_virtual_time(run())


async def _published(replica: Replica, entries: int) -> None:
    steps = int((CALM - STORM) / STEP)
    await asyncio.sleep(STORM)
    for step in range(steps):
        replica.publish(entries * (step + 1) // steps - entries * step // steps)
        await asyncio.sleep(STEP)


@asynccontextmanager
async def _daemon(folder: Path, storm: Storm) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
    async with virtual_app(folder, feeds(), storm.answer, per_host="connections: 4, interval: 0.1s") as (app, _):
        log, said = listened()
        daemon = Daemon(app, log)

        async def until(end: float) -> None:
            while asyncio.get_running_loop().time() < end:
                await daemon.tick()
                await asyncio.sleep(TICK)
                said.clear()

        yield until
        await daemon.drain(2.5)


def _judged(folder: Path, storm: Storm, opened: set[str], now: datetime) -> Result:
    lids = {int(feed.name.removeprefix("roll-")) for feed in feeds()}
    wanted = {one.id for one in storm.replica.ledger.good() if one.id not in opened and set(one.lids) & lids}
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        found = Counter(
            key.rpartition(":")[2]
            for (key,) in db.execute(
                "SELECT a.key FROM revisions r JOIN articles a ON a.id = r.article WHERE r.cause = 'first'"
                " AND r.reason IS NULL"
            )
        )
        (filled,) = db.execute("SELECT count(*) FROM gaps WHERE state = 'filled'").fetchone()
    with Reader(folder / "archive.db") as reader:
        begin = now - timedelta(days=2)
        watched = reader.watched([], begin)
    gaps = [
        f"{one.feed} {hour.at:%m-%d %H}"
        for one in watched
        for hour in hours(one, begin, now, ZoneInfo("Asia/Shanghai"))
        if hour.state == "gap"
    ]
    return Result(
        len(wanted),
        tuple(sorted(wanted - found.keys())),
        tuple(sorted(key for key, count in found.items() if count > 1)),
        tuple(gaps),
        filled,
        storm.faults,
    )


def main() -> int:
    """The script."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--entries", type=int, default=3_000)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    began = time.process_time()
    with TemporaryDirectory() as folder:
        result = lived(Path(folder), given.entries, given.seed)
    print(
        f"{result.published} articles published, {len(result.missing)} missing, {len(result.doubled)} doubled;"
        f" {len(result.gaps)} hours with a gap, {result.filled} gaps were filled;"
        f" {dict(result.faults)} in place of answers; {time.process_time() - began:.0f} s CPU"
    )
    wrong = list(result.wrong())
    for one in wrong:
        print(one)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
