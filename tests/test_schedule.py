"""The daemon's schedule: who is polled when, whatever single hosts, feeds or the clock do. Ids O1, O2 and O7."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from virtual import LabouringLoop, in_virtual_time, virtual_app
from world import feed, item, listened, rss

from aggregator.app import App
from aggregator.archive import DueFeed
from aggregator.archive.questions import EARLY
from aggregator.model import Feed
from aggregator.schedule import AT_ONE_HOST, Daemon, fair

LISTING = rss(item(1))
Times = defaultdict[str, list[float]]


def rows(count: int, hosts: int, **more: object) -> list[Feed]:
    """So many feeds at so many hosts, without pages to fetch."""
    return [
        feed(f"f{n}", f"http://h{n % hosts}.example/{n}.xml", pages="false", **{"every": 300, "recheck": (), **more})
        for n in range(count)
    ]


def world(
    times: Times, slow: Callable[[str], float] = lambda host: 0.05
) -> Callable[[httpx.Request], Awaitable[httpx.Response]]:
    """A network that answers each host after so many seconds, and notes when each address was asked."""

    async def answer(request: httpx.Request) -> httpx.Response:
        times[request.url.path].append(asyncio.get_running_loop().time())
        await asyncio.sleep(slow(request.url.host))
        return httpx.Response(200, stream=httpx.ByteStream(LISTING), headers={"content-type": "text/xml"})

    return answer


async def lived(app: App, seconds: float) -> Daemon:
    """Let the daemon tick for so long, a second apart."""
    daemon = Daemon(app, listened()[0])
    for _ in range(int(seconds)):
        await daemon.tick()
        await asyncio.sleep(1)
    await daemon.drain()
    return daemon


@pytest.mark.parametrize("hosts", [1_000, 1])
def test_o1_of_a_thousand_feeds_due_at_once_none_is_missed(tmp_path: Path, hosts: int) -> None:
    times: Times = defaultdict(list)

    async def run() -> None:
        async with virtual_app(tmp_path, rows(1_000, hosts), world(times)) as (app, _):
            await lived(app, 200)

    in_virtual_time(run())
    assert {path: len(at) for path, at in times.items()} == {f"/{n}.xml": 1 for n in range(1_000)}


def test_o7_a_dead_host_and_slow_ones_do_not_delay_the_others(tmp_path: Path) -> None:
    """Ten of a hundred feeds are at a host that never answers, ten at one that takes ten seconds for each answer."""

    def delays(slow: dict[str, float], folder: Path) -> list[float]:
        times: Times = defaultdict(list)

        async def run() -> None:
            answer = world(times, lambda host: slow.get(host, 0.05))
            async with virtual_app(folder, rows(100, 10), answer) as (app, _):
                await lived(app, 3_600)

        in_virtual_time(run())
        return [at for path, all_of in times.items() if path[1:-4][-1] not in "01" for at in all_of]

    (tmp_path / "good").mkdir()
    (tmp_path / "ill").mkdir()
    good = delays({}, tmp_path / "good")
    ill = delays({"h0.example": 1e9, "h1.example": 10.0}, tmp_path / "ill")
    assert len(good) >= 80 * 12
    assert len(ill) >= 0.99 * len(good)
    late = [after - before for before, after in zip(sorted(good), sorted(ill), strict=False)]
    print(f"delay of {len(ill)} polls of the other hosts: mean {sum(late) / len(late):.2f} s of 300/300 s")
    assert sum(late) / len(late) <= 0.1 * 300


class Stream(httpx.AsyncByteStream):
    """A body that never ends: pieces of a size, so many seconds apart."""

    def __init__(self, size: int, pause: float) -> None:
        self._piece, self._pause = b" " * size, pause

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self._pause)
            yield self._piece


def test_o7_of_a_hundred_feeds_one_that_is_always_hostile_costs_the_others_nothing(tmp_path: Path) -> None:
    """In turn a body that drips (N6), one without an end (N7), and an article that is a bomb for parsers (P6).

    Nine others share its host. What the program computes takes its time here.
    """
    times: Times = defaultdict(list)
    good = world(times)
    bomb = b"<html><body>" + b"<div>" * 100_000 + "正文".encode()
    bombs = []

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "wire.example":
            bombs.append(request.url.path)
            return httpx.Response(200, stream=httpx.ByteStream(bomb), headers={"content-type": "text/html"})
        said = await good(request)
        turn = len(times["/0.xml"])
        if request.url.path != "/0.xml":
            return said
        if turn % 3:
            return httpx.Response(200, stream=Stream(1, 1.0) if turn % 3 == 1 else Stream(64_000, 0.0))
        return httpx.Response(200, stream=httpx.ByteStream(rss(item(turn))), headers={"content-type": "text/xml"})

    async def run() -> None:
        feeds = [replace(one, pages="true") if one.name == "f0" else one for one in rows(100, 10)]
        async with virtual_app(tmp_path, feeds, answer) as (app, _):
            await lived(app, 3_000)

    in_virtual_time(run(), LabouringLoop)
    hostile = times.pop("/0.xml")
    gaps = [after - before for at in times.values() for before, after in pairwise(at)]
    print(f"{len(hostile)} hostile answers; {len(gaps)} intervals of the others: {min(gaps):.1f} to {max(gaps):.1f} s")
    assert len(hostile) >= 6
    assert bombs
    assert len(times) == 99
    assert len(gaps) >= 99 * 8
    assert min(gaps) >= 270
    assert max(gaps) <= 330


def test_fair_shares_of_turns() -> None:
    due = [DueFeed(f"a{n}", "a") for n in range(9)] + [DueFeed("b0", "b"), DueFeed("c0", "c")]
    assert [one.name for one in fair(due, [], 99)] == ["a0", "a1", "a2", "a3", "b0", "c0"]
    assert [one.name for one in fair(due, ["a"] * AT_ONE_HOST, 1)] == ["b0"]
    assert fair(due, [], 0) == []


def gaps_by_a_clock(folder: Path, seconds: int, set_by: Callable[[int], timedelta]) -> list[list[float]]:
    """How long each of five feeds waited between its polls, of so many seconds by a clock that is so far out."""
    times: Times = defaultdict(list)

    async def run() -> None:
        async with virtual_app(folder, rows(5, 5), world(times)) as (app, clock):
            daemon = Daemon(app, listened()[0])
            for second in range(seconds):
                clock.set_by = set_by(second)
                await daemon.tick()
                await asyncio.sleep(1)
            await daemon.drain()

    in_virtual_time(run())
    assert len(times) == 5
    return [[after - before for before, after in pairwise(at)] for at in times.values()]


@pytest.mark.parametrize("hours", [1, -1, 24 * 365, -24 * 365 * 56], ids=["+1 h", "-1 h", "+1 year", "1970"])
def test_o2_a_clock_set_wrong_and_right_again_costs_one_catch_up(tmp_path: Path, hours: int) -> None:
    wrong = timedelta(hours=hours)
    for gaps in gaps_by_a_clock(tmp_path, 3_000, lambda second: wrong if 1_000 <= second < 2_000 else timedelta()):
        assert max(gaps) <= 302  # it never waits for a time that is long gone or far away
        assert sum(gap < 298 for gap in gaps) <= 2  # one poll out of turn for each time the clock was set


def test_o2_a_hold_told_by_a_wrong_clock_ends_with_it(tmp_path: Path) -> None:
    times: Times = defaultdict(list)

    async def refusing(request: httpx.Request) -> httpx.Response:
        times[request.url.path].append(asyncio.get_running_loop().time())
        return httpx.Response(429, stream=httpx.ByteStream(b""), headers={"retry-after": "600"})

    async def run() -> None:
        async with virtual_app(tmp_path, rows(1, 1), refusing) as (app, clock):
            daemon = Daemon(app, listened()[0])
            for second in range(1_000):
                clock.set_by = timedelta(days=365 if second < 100 else 0)
                await daemon.tick()
                await asyncio.sleep(1)
            assert all(hold.until is None or hold.until < clock() + timedelta(days=1) for hold in app.client.holds())
            await daemon.drain()

    in_virtual_time(run())
    assert [round(at / 100) for at in times["/0.xml"]] == [0, 1, 7]


def test_hosts_that_hang_do_not_take_all_connections(tmp_path: Path) -> None:
    times: Times = defaultdict(list)

    async def run() -> None:
        dead = {f"h{n}.example": 1e9 for n in range(6)}
        async with virtual_app(tmp_path, rows(24, 12), world(times, lambda host: dead.get(host, 0.05))) as (app, _):
            await lived(app, 20)

    in_virtual_time(run())
    good = [at for path, all_of in times.items() if int(path[1:-4]) % 12 >= 6 for at in all_of]
    assert len(good) == 12
    assert max(good) <= 5


@pytest.mark.parametrize("seconds", [5, -5, 40, -40])
def test_o2_a_clock_put_right_by_seconds_costs_no_poll_out_of_turn(tmp_path: Path, seconds: int) -> None:
    """Just after a poll, which lies ahead then."""
    put_right = timedelta(seconds=seconds)
    for gaps in gaps_by_a_clock(tmp_path, 1_000, lambda second: put_right if second >= 302 else timedelta()):
        assert [round(gap, -1) for gap in gaps] == [300, 300 - round(seconds, -1), 300]


def test_o2_what_cron_would_come_too_early_for_is_due(tmp_path: Path) -> None:
    """By a tenth of an interval and half a minute at most, and never before the time that a server has told."""
    times: Times = defaultdict(list)
    good = world(times)

    async def answer(request: httpx.Request) -> httpx.Response:
        said = await good(request)
        if request.url.path == "/1.xml":
            said.headers["cache-control"] = "max-age=301"
        return said

    async def run() -> None:
        feeds = [replace(one, every=every) for one, every in zip(rows(3, 3), (300, 300, 100), strict=True)]
        async with virtual_app(tmp_path, feeds, answer) as (app, _):
            await lived(app, 90)
            early = {name for name, _ in await app.archive.due_feeds(EARLY)}
            assert (early, await app.archive.due_feeds()) == ({"f2"}, [])
            await asyncio.sleep(181)
            assert {name for name, _ in await app.archive.due_feeds()} == {"f2"}
            assert {name for name, _ in await app.archive.due_feeds(EARLY)} == {"f0", "f2"}

    in_virtual_time(run())


def test_o2_a_suspended_hour_is_caught_up_by_one_poll(tmp_path: Path) -> None:
    times: Times = defaultdict(list)

    async def run() -> None:
        async with virtual_app(tmp_path, rows(5, 5), world(times)) as (app, clock):
            daemon = Daemon(app, listened()[0])
            for second in range(1_200):
                clock.set_by = timedelta(hours=1 if second >= 600 else 0)
                await daemon.tick()
                await asyncio.sleep(1)
            await daemon.drain()

    in_virtual_time(run())
    assert {path: len(at) for path, at in times.items()} == {f"/{n}.xml": 4 for n in range(5)}


def test_o2_the_tick_goes_by_a_time_that_nobody_sets(tmp_path: Path) -> None:
    """What a clock that is set back leaves behind: a tick that would come in an hour."""

    async def run() -> None:
        async with virtual_app(tmp_path, [], world(defaultdict(list))) as (app, _):
            daemon = Daemon(app, listened()[0])
            await daemon.start()
            (tick,) = [job for job in daemon._scheduler.get_jobs() if job.trigger.interval.total_seconds() == 1]
            tick.modify(next_run_time=tick.next_run_time + timedelta(hours=1))
            ahead = tick.next_run_time
            async with asyncio.timeout(60):
                while tick.next_run_time >= ahead:
                    await asyncio.sleep(0.05)
            await daemon.stop(1)

    asyncio.run(run())


def test_a_feed_that_brought_the_program_down_is_not_the_first_to_be_polled_again(tmp_path: Path) -> None:
    times: Times = defaultdict(list)

    async def run() -> None:
        feeds = rows(2, 2)
        async with virtual_app(tmp_path, feeds, world(times)) as (app, _):
            await app.archive.claim_feed(feeds[0])  # and there it ended
        async with virtual_app(tmp_path, feeds, world(times)) as (app, _):
            assert [one.name for one in await app.archive.due_feeds()] == ["f1"]
            await lived(app, 310)
        assert times["/1.xml"][0] < times["/0.xml"][0] <= 302

    in_virtual_time(run())


def test_a_mistake_of_ours_costs_the_poll_of_one_feed(tmp_path: Path) -> None:
    times: Times = defaultdict(list)
    good = world(times)
    log, said = listened()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/0.xml":
            raise LookupError("a transport that breaks its contract")
        return await good(request)

    async def run() -> None:
        async with virtual_app(tmp_path, rows(2, 2), answer) as (app, _):
            daemon = Daemon(app, log)
            for _ in range(600):
                await daemon.tick()
                await asyncio.sleep(1)
            await daemon.drain()

    in_virtual_time(run())
    assert len(times["/1.xml"]) == 2
    crashed = [(one["feed"], one["error"]) for one in said if one["event"] == "poll.crashed"]
    assert crashed == [("f0", "LookupError('a transport that breaks its contract')")] * 2


def test_a_poll_that_is_cut_short_is_as_due_as_before(tmp_path: Path) -> None:
    times: Times = defaultdict(list)

    async def run() -> None:
        async with virtual_app(tmp_path, rows(1, 1), world(times, lambda _: 20.0)) as (app, _):
            daemon = Daemon(app, listened()[0])
            await daemon.tick()
            await asyncio.sleep(1)
            assert await app.archive.due_feeds() == []
            assert await daemon.drain(grace=1) == 1
            assert await app.archive.due_feeds() == [("f0", "h0.example")]

    in_virtual_time(run())
