"""A day of the daemon in virtual time: a thousand feeds on two hundred hosts, one of which is dead and one refuses.

    python tests/simulated_day.py            # 1,000 feeds; exits with 1 where a promise is broken
    python tests/simulated_day.py 100 --hours 12

Each feed has news at random times of its own mean distance; they are drawn so that the intervals come to half an hour
in the mean. Everything is the program's own but the wire, the clock and the scheduler's trigger.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import time
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import fmean, median, quantiles
from tempfile import TemporaryDirectory

import httpx
from virtual import in_virtual_time, virtual_app
from world import START, feed, listened, rss

from aggregator.model import Feed
from aggregator.schedule import Daemon

MIN, MAX = 300, 7_200  # seconds, the bounds of the interval
TICK = 10  # seconds of virtual time
PAUSE = 0.5  # seconds between two requests to a host
LISTED = 20  # items of a listing
DEAD, REFUSING = "h0.example", "h1.example"


@dataclass
class Day:
    """What happened: for each feed when it was asked, and how many seconds after it was due."""

    asked: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    late: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    hosts: dict[str, str] = field(default_factory=dict)
    gaps: dict[str, float] = field(default_factory=dict)  # the mean distance of its news in seconds
    starts: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    most_open: int = 0
    overdue: list[str] = field(default_factory=list)  # at the end
    hours: float = 24.0

    def good(self) -> list[str]:
        """The feeds whose hosts answer."""
        return [name for name, host in self.hosts.items() if host not in (DEAD, REFUSING)]

    def ratios(self) -> list[float]:
        """Of each good feed its intervals in the last third of the day, over half the mean distance of its news."""
        end, found = self.hours * 3_600, []
        for name in self.good():
            late = [after - before for before, after in pairwise(self.asked[name]) if before > end * 2 / 3]
            if late:
                found.append(fmean(late) / (self.gaps[name] / 2))
        return found


class World:
    """The feeds' news and how hosts answer."""

    def __init__(self, count: int, seed: int, day: Day, hours: float) -> None:
        self._day = day
        self._open: defaultdict[str, int] = defaultdict(int)
        self._news: dict[str, list[float]] = {}
        self.database: sqlite3.Connection | None = None
        dice, hosts = Random(seed), max(count // 5, 3)
        self.feeds: list[Feed] = []
        for n in range(count):
            name, host = f"f{n}", f"h{n % hosts}.example"
            day.hosts[name], day.gaps[name] = host, 2 * dice.uniform(600, 4_200)
            times, end = [-LISTED * day.gaps[name]], hours * 3_600
            while times[-1] < end:
                times.append(times[-1] + dice.expovariate(1 / day.gaps[name]))
            self._news[name] = times
            kept = {"every": MIN, "slowest": MAX, "pages": "false", "recheck": (), "expect_newest_within": 10**7}
            self.feeds.append(feed(name, f"http://{host}/{name}", **kept))

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """What a host says; how late it was asked is noted."""
        host, name, now = request.url.host, request.url.path[1:], asyncio.get_running_loop().time()
        self._note(host, name, now)
        self._open[host] += 1
        self._day.most_open = max(self._day.most_open, self._open[host])
        try:
            await asyncio.sleep(1e9 if host == DEAD else 0.2)
            return (
                self._answered(request, name, now)
                if host != REFUSING
                else httpx.Response(429, stream=httpx.ByteStream(b""))
            )
        finally:
            self._open[host] -= 1

    def _note(self, host: str, name: str, now: float) -> None:
        self._day.asked[name].append(now)
        self._day.starts[host].append(now)
        assert self.database
        (due,) = self.database.execute("SELECT next_due FROM feeds WHERE name = ?", [name]).fetchone()
        if due:
            self._day.late[name].append(now - (datetime.fromisoformat(due) - START).total_seconds())

    def _answered(self, request: httpx.Request, name: str, now: float) -> httpx.Response:
        known = bisect_right(self._news[name], now)
        tag = f'"{known}"'
        if request.headers.get("if-none-match") == tag:
            return httpx.Response(304, stream=httpx.ByteStream(b""), headers={"etag": tag})
        items = (self._item(n, self._news[name][n]) for n in range(max(known - LISTED, 0), known))
        return httpx.Response(200, stream=httpx.ByteStream(rss(*items)), headers={"etag": tag})

    def _item(self, number: int, at: float) -> str:
        # All feeds tell of the same articles, each at its own times: what is tested is not how articles are stored.
        date = format_datetime(START + timedelta(seconds=at))
        link = f"http://news.example/{number}"
        return (
            f"<item><title>第{number}号</title><link>{link}</link><guid>{link}</guid><pubDate>{date}</pubDate></item>"
        )


def simulated(folder: Path, count: int, hours: float, seed: int = 1) -> Day:
    """The day, lived."""
    day = Day(hours=hours)
    dice = Random(seed)

    async def run() -> None:
        world = World(count, seed, day, hours)
        async with virtual_app(
            folder, world.feeds, world.answer, per_host=f"connections: 2, interval: {PAUSE}s", chance=dice.random
        ) as (app, _):
            world.database = sqlite3.connect(folder / "archive.db")
            log, said = listened()
            daemon = Daemon(app, log)
            while asyncio.get_running_loop().time() < hours * 3_600:
                await daemon.tick()
                await asyncio.sleep(TICK)
                said.clear()
            late = START + timedelta(seconds=hours * 3_600 - 2 * TICK)
            query = "SELECT name FROM feeds WHERE next_due < ? AND claimed_until IS NULL"
            day.overdue = [row[0] for row in world.database.execute(query, [f"{late:%Y-%m-%dT%H:%M:%SZ}"])]
            await daemon.drain()
            world.database.close()

    in_virtual_time(run())
    return day


def broken(day: Day) -> list[str]:
    """The promises that the day broke, one sentence each."""
    good = day.good()
    late = [seconds for name in good for seconds in day.late[name]]
    pauses = [after - before for one in day.starts.values() for before, after in pairwise(one)]
    gaps = [after - before for name in good for before, after in pairwise(day.asked[name])]
    ratios = day.ratios()
    near = sum(0.5 <= ratio <= 1.5 for ratio in ratios) / len(ratios)
    kept = {
        "every feed is asked": set(day.good()) <= set(day.asked),
        "no poll is missed": not set(day.overdue) & set(good) and max(gaps) <= MAX + 3 * TICK,
        "none comes before its time": min(gaps) >= MIN - 1,
        "delays are a tenth of an interval at most": max(late[len(good) :]) <= MIN / 10,
        "a host has two requests open at most": day.most_open <= 2,
        "and half a second between two": min(pauses) >= PAUSE - 1e-6,
        "intervals come to half the distance of news": 0.85 <= median(ratios) <= 1.15 and near >= 0.9,
    }
    return [promise for promise, holds in kept.items() if not holds]


def figures(day: Day) -> str:
    """What was measured, in a few lines."""
    good = day.good()
    late = [seconds for name in good for seconds in day.late[name]]
    ratios, polls = day.ratios(), sum(map(len, day.asked.values()))
    ten = quantiles(ratios, n=20)
    per_feed = fmean(len(day.asked[name]) for name in good)
    overdue = len(set(day.overdue) & set(good))
    return (
        f"{len(day.hosts)} feeds, {day.hours:g} h: {polls} polls, mean interval {day.hours * 60 / per_feed:.1f} min\n"
        f"late by {fmean(late):.1f} s in the mean, {max(late):.1f} s at most; overdue at the end {overdue}\n"
        f"open requests of a host {day.most_open} at most; the dead host was asked {len(day.starts[DEAD])} times,"
        f" the one that refuses {len(day.starts[REFUSING])} times\n"
        f"interval over half the distance of news: median {median(ratios):.2f}, 90 % in {ten[0]:.2f} to {ten[-1]:.2f}"
    )


def main() -> int:
    """Live the day and say what was measured."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("feeds", nargs="?", type=int, default=1_000)
    words.add_argument("--hours", type=float, default=24.0)
    given = words.parse_args()
    before = time.process_time()
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with TemporaryDirectory(dir=memory) as folder:
        day = simulated(Path(folder), given.feeds, given.hours)
    print(f"{figures(day)}\n{time.process_time() - before:.0f} s of CPU")
    for promise in (missed := broken(day)):
        print(f"broken: {promise}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
