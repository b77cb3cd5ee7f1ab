"""How long after a list shows an article the daemon knows of it, over a month of the replica in virtual time.

    python tests/lag.py                      # 30 days, five channels, every 300 s, 5 % of all answers faulty
    python tests/lag.py --every 600 --days 7 --faulty 0

The daemon, its client and its archive are the program's own; the newsroom works on in its time, publishes late, edits
and withdraws. Lag is first sight less ``intime``. Printed: mean, median, 95th percentile and maximum, in seconds; exit
code 1 where the 95th percentile is beyond the interval and half a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import fmean, median, quantiles
from tempfile import TemporaryDirectory

import httpx
from newsroom_month import START, Newsroom, feeds
from virtual import VirtualClock, in_virtual_time, virtual_app
from world import START as ZERO
from world import listened

from aggregator.demo import listings
from aggregator.schedule import TICK, Daemon

GRACE = 30.0  # seconds beyond the interval that the 95th percentile may have
JSON = {"content-type": "application/json"}


class Lists:
    """The network: the newsroom's lists; so many answers are a 500, a 429 that asks for a minute, or none in time."""

    def __init__(self, days: int, articles_a_day: int, faulty: float, seed: int) -> None:
        self._dice = Random(f"{seed}/network")
        self._faulty = faulty
        self._bodies: dict[str, tuple[int, bytes]] = {}
        self.polls = 0
        self.clock: VirtualClock | None = None
        self.room = Newsroom(self._now, Random(f"{seed}/newsroom"))  # type: ignore[arg-type]  # it only asks it the time
        self.room.schedule(days, articles_a_day)

    def _now(self) -> datetime:
        assert self.clock
        return self.clock()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """What the API says."""
        self.polls += 1
        await asyncio.sleep(self._dice.uniform(0.02, 1.5))
        self.room.work()
        if self._dice.random() < self._faulty:
            return self._fault(request)
        lid = request.url.params["lid"]
        if self._bodies.get(lid, (-1, b""))[0] != self.room.edition:
            answer = listings.roll(self.room.ledger, dict(request.url.params), self._now())
            self._bodies[lid] = (self.room.edition, answer.body)
        return httpx.Response(200, stream=httpx.ByteStream(self._bodies[lid][1]), headers=JSON)

    def _fault(self, request: httpx.Request) -> httpx.Response:
        match self._dice.randrange(3):
            case 0:
                raise httpx.ReadTimeout("no answer", request=request)
            case 1:
                return httpx.Response(429, stream=httpx.ByteStream(b""), headers={"retry-after": "60"})
            case _:
                return httpx.Response(500, stream=httpx.ByteStream(b""))


def lived(folder: Path, lists: Lists, days: int, channels: int, every: int) -> list[float]:
    """The lags of all articles, in seconds, without those that were there at the first poll."""
    asked = [replace(one, every=every, pages="false", recheck=()) for one in feeds(channels)]
    dice = Random("due times")

    async def run() -> None:
        async with virtual_app(folder, asked, lists.answer, chance=dice.random) as (app, clock):
            clock.set_by, lists.clock = START - ZERO, clock
            daemon = Daemon(app, listened()[0])
            with closing(sqlite3.connect(folder / "archive.db", isolation_level=None)) as db:
                while clock() < START + timedelta(days=days):
                    await daemon.tick()
                    await asyncio.sleep(TICK if daemon.under_way else max(TICK, _idle(db, clock())))
            await daemon.drain()

    in_virtual_time(run())
    return lags(folder / "archive.db")


def _idle(db: sqlite3.Connection, now: datetime) -> float:
    """The seconds, in whole ticks, in which nothing is due."""
    (due,) = db.execute("SELECT min(next_due) FROM feeds").fetchone()
    return ((datetime.fromisoformat(due) - now) // timedelta(seconds=TICK)) * TICK


def lags(path: Path) -> list[float]:
    """First sight less ``intime`` of all articles that came after the first poll."""
    with closing(sqlite3.connect(path)) as db:
        (first,) = db.execute(
            'SELECT max(first) FROM (SELECT min("commit") AS first FROM polls GROUP BY feed)'
        ).fetchone()
        rows = db.execute(
            "SELECT c.at, e.intime FROM articles a JOIN entries e ON e.id = (SELECT min(id) FROM entries"
            ' WHERE article = a.id) JOIN commits c ON c.seq = e."commit" WHERE e."commit" > ?',
            [first],
        ).fetchall()
    return [(datetime.fromisoformat(at) - datetime.fromisoformat(intime)).total_seconds() for at, intime in rows]


def figures(found: list[float], every: int) -> tuple[str, bool]:
    """What was measured in a line, and whether it is as promised."""
    highest = quantiles(found, n=20)[-1]
    told = (
        f"lag of {len(found)} articles, every {every} s: mean {fmean(found):.0f} s, median {median(found):.0f} s,"
        f" p95 {highest:.0f} s, at most {max(found):.0f} s"
    )
    return told, highest <= every + GRACE


def main() -> int:
    """The long form."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--days", type=int, default=30)
    words.add_argument("--articles-a-day", type=int, default=60)
    words.add_argument("--channels", type=int, default=5)
    words.add_argument("--every", type=int, default=300)
    words.add_argument("--faulty", type=float, default=0.05)
    given = words.parse_args()
    before = time.process_time()
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        lists = Lists(given.days, given.articles_a_day, given.faulty, 1)
        told, kept = figures(lived(Path(folder), lists, given.days, given.channels, given.every), given.every)
    print(f"{told}\n{lists.polls} polls, {time.process_time() - before:.0f} s of CPU")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
