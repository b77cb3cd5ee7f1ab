"""When a feed is asked next: never more often than configured, and not before its server or itself wants it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hostile import listing, live, program, routes
from web_server import Answer, Asked, reply
from world import Clock

from aggregator.archive import Reader
from aggregator.pipeline import poll

HOUR = {"Cache_Control": "max-age=3600"}


def asked(folder: Path, answers: Mapping[str, object], hours: float, **lines: str) -> list[float]:
    """The minutes at which a feed is asked that answers so, in so many hours."""
    clock = Clock()
    start = clock.at
    times: list[float] = []

    def answer(request: Asked) -> Answer:
        times.append((clock.at - start).total_seconds() / 60)
        route = answers["first" if len(times) == 1 else "then"]
        return route if isinstance(route, bytes) else route(request)  # type: ignore[operator,no-any-return]

    async def run() -> None:
        async with program(folder, clock, defaults="every: 30d", **lines) as (app, server):
            server.routes |= routes({"/bad": answer})
            await live(app, clock, hours=hours)

    asyncio.run(run())
    return times


def always(**headers: str) -> dict[str, object]:
    return dict.fromkeys(("first", "then"), reply(200, listing("bad", 1, 2), **headers))


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({}, 15),
        (HOUR, 60),
        ({"Cache_Control": "max-age=3600", "Age": "1800"}, 30),
        ({"Expires": "Mon, 23 Nov 2026 12:00:00 GMT", "Date": "Mon, 23 Nov 2026 11:00:00 GMT"}, 60),
        ({"Cache_Control": "max-age=60"}, 15),
        ({"Cache_Control": "no-cache, max-age=3600"}, 15),
        ({"Cache_Control": "max-age=31536000"}, 1_440),
        ({"Expires": "Thu, 01 Jan 2099 00:00:00 GMT"}, 1_440),
    ],
)
def test_what_a_server_says_of_freshness_is_a_floor_of_the_interval(
    tmp_path: Path, headers: dict[str, str], minutes: int
) -> None:
    times = asked(tmp_path, always(**headers), hours=49, feed="every: 15m")
    assert times[:3] == [0, minutes, 2 * minutes]


def test_the_headers_of_a_304_count(tmp_path: Path) -> None:
    full = reply(200, listing("bad", 1, 2), ETag='"1"', **HOUR)
    assert asked(tmp_path, {"first": full, "then": reply(304)}, 1.5, feed="every: 10m") == [0, 60, 70, 80]


@pytest.mark.parametrize("then", [reply(304), reply(200, listing("bad", 1, 2))])
def test_a_listings_own_ttl_is_remembered_while_it_does_not_change(tmp_path: Path, then: bytes) -> None:
    wish = listing("bad", 1, 2).replace(b"<item>", b"<ttl>60</ttl><item>", 1)
    assert asked(tmp_path, {"first": reply(200, wish, ETag='"1"'), "then": then}, 3, feed="every: 10m") == [0, 60, 120]


def test_by_hand_a_feed_is_asked_before_its_time(tmp_path: Path) -> None:
    clock = Clock()

    async def run() -> int:
        async with program(tmp_path, clock) as (app, server):
            server.routes |= routes({"/bad": reply(200, listing("bad", 1, 2), **HOUR)})
            await live(app, clock, hours=0.5)
            await poll(app.desk, app.desk.feeds["bad"])
            return sum(one.target == "/bad" for one in server.asked)

    assert asyncio.run(run()) == 2


def test_status_says_why_the_next_poll_is_late(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "feeds: [{name: bad, source: feed, url: 'http://bad.example/bad', categories: [甲, 乙, 丙]},"
        "{name: good, source: feed, url: 'http://good.example/good', categories: [甲, 乙, 丁]}]",
        encoding="utf-8",
    )
    asked(tmp_path, always(**HOUR), hours=0.1, feed="every: 5m")
    with Reader(tmp_path / "archive.db") as reader:
        row = reader.feeds()[0]
    assert (row["floor"], row["next_due"]) == (3_600, "2026-11-23T09:00:00Z")
    command = [sys.executable, "-m", "aggregator", "status", "--config", str(tmp_path / "config.yaml")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stderr
    assert "bad: polled later than `every`: its server wants 3600 s between two polls" in told
