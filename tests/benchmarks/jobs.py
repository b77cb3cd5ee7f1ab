"""What is measured inside our own process: polls without the index, and polls as the daemon does them.

    python tests/benchmarks/jobs.py unindexed|quiet|roll CONFIG

Prints a JSON object. ``quiet``: CPU seconds of a poll answered 304, and of a bare httpx GET of the same.
``roll``: of a poll of Sina's roll API with nothing new, with 5 new, of that bare GET, and the archive's bytes a poll.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx

from aggregator.app import App, chosen, discover_all, open_app, poll_feed
from aggregator.config import Settings, load
from aggregator.model import Validators
from aggregator.pipeline import Budget, collect
from aggregator.sources.questions import listing_request

ROUNDS = 200


async def unindexed(settings: Settings) -> dict[str, float]:
    """All feeds polled and their articles settled; search and reprints are left to the background."""
    async with open_app(settings) as app:
        feeds = chosen(settings, ())
        await discover_all(app, feeds)
        await collect(app.desk, None, Budget(None))
    return {}


async def quiet(settings: Settings) -> dict[str, float]:
    """Polls answered 304."""
    async with open_app(settings) as app:
        feed = chosen(settings, ())[0]
        await poll_feed(app, feed)
        state = await app.archive.state(feed)
        assert state.validators.etag
        return {"poll": await _cpu(lambda: poll_feed(app, feed)), "get": _bare(feed.url, state.validators.etag)}


async def roll(settings: Settings) -> dict[str, float]:
    """Polls of the roll API, without the pages of what it announces."""
    port = settings.network.connect_to["feed.mix.sina.com.cn"].rpartition(":")[2]
    async with open_app(settings) as app, httpx.AsyncClient() as client:
        feed = next(one for one in chosen(settings, ()) if one.source == "sina-roll")
        url = httpx.URL(listing_request(feed, Validators(), None).url)
        url = url.copy_with(scheme="http", host="127.0.0.1", port=int(port))
        await poll_feed(app, feed)
        before = _size(settings.archive)
        none = await _cpu(lambda: poll_feed(app, feed))
        grown = _size(settings.archive) - before
        get = _bare(str(url))
        five = [await _five(app, client, url, number) for number in range(1, 13)]
    return {"none": none, "get": get, "five": sorted(five)[len(five) // 2], "bytes": grown / ROUNDS}


async def _five(app: App, client: httpx.AsyncClient, url: httpx.URL, number: int) -> float:
    await client.get(url.copy_with(raw_path=f"/control?shift={5 * number}".encode()))
    feed = next(one for one in app.desk.feeds.values() if one.source == "sina-roll")
    began = time.process_time()
    report = await poll_feed(app, replace(feed))
    spent = time.process_time() - began
    assert report.new == 5, report
    return spent


async def _cpu(work: Callable[[], Awaitable[object]]) -> float:
    """The mean of the quickest of five portions, in CPU seconds."""
    portions = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(ROUNDS // 5):
            await work()
        portions.append((time.process_time() - began) / (ROUNDS // 5))
    return min(portions)


def _bare(*words: str) -> float:
    """What a bare GET takes where our own settings of httpx are not in force."""
    command = [sys.executable, str(Path(__file__).with_name("get.py")), *words]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _size(path: Path) -> int:
    """Bytes of the pages in use."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT sum(pgsize - unused) FROM dbstat").fetchone()[0])


JOBS = {"unindexed": unindexed, "quiet": quiet, "roll": roll}

if __name__ == "__main__":
    print(json.dumps(asyncio.run(JOBS[sys.argv[1]](load(Path(sys.argv[2]))))))
    gc.freeze()  # as the program does before it ends
