"""A host is asked at its pace, and not at all while it wants to be left alone. No test here waits for real time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.errors import FetchError
from aggregator.model import Hold
from aggregator.web import Network
from aggregator.web.manners import Manners, retry_after

START = datetime(2022, 7, 14, 7, 0, tzinfo=UTC)
HOST = "finance.sina.com.cn"


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = START

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    @property
    def gone(self) -> float:
        return (self.now - START).total_seconds()


def manners(
    time: Time, *, pause: float = 0.5, connections: int = 2, chance: float = 0.0, holds: Iterable[Hold] = ()
) -> Manners:
    return Manners(
        connections=connections,
        pause=lambda _: pause,
        clock=time.clock,
        sleep=time.sleep,
        chance=lambda: chance,
        holds=holds,
    )


def test_requests_to_one_host_start_a_pause_apart_and_in_order() -> None:
    time = Time()
    starts: list[tuple[int, float]] = []

    async def run() -> None:
        polite = manners(time)

        async def one(n: int) -> None:
            async with polite.turn(HOST):
                starts.append((n, time.gone))

        await asyncio.gather(*(one(n) for n in range(5)))

    asyncio.run(run())
    assert starts == [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5), (4, 2.0)]


def test_no_more_connections_to_a_host_than_agreed_and_other_hosts_do_not_wait() -> None:
    time = Time()
    open_now: dict[str, int] = {}
    most: dict[str, int] = {}

    async def run() -> None:
        polite = manners(time, pause=0.0)

        async def one(host: str) -> None:
            async with polite.turn(host):
                open_now[host] = open_now.get(host, 0) + 1
                most[host] = max(most.get(host, 0), open_now[host])
                for _ in range(3):
                    await asyncio.sleep(0)
                open_now[host] -= 1

        await asyncio.gather(*(one(host) for host in ["a", "b"] * 6))

    asyncio.run(run())
    assert most == {"a": 2, "b": 2}


def test_over_all_hosts_no_more_than_the_pool_bears() -> None:
    time = Time()
    open_now = most = 0

    async def run() -> None:
        polite = manners(time, pause=0.0)

        async def one(host: str) -> None:
            nonlocal open_now, most
            async with polite.turn(host):
                open_now += 1
                most = max(most, open_now)
                await asyncio.sleep(0)
                open_now -= 1

        await asyncio.gather(*(one(f"host{n}") for n in range(30)))

    asyncio.run(run())
    assert most == 8


def test_a_clock_set_back_costs_no_more_than_one_pause() -> None:
    time = Time()

    async def run() -> float:
        polite = manners(time)
        async with polite.turn(HOST):
            pass
        time.now -= timedelta(hours=1)
        before = time.gone
        async with polite.turn(HOST):
            return time.gone - before

    assert asyncio.run(run()) == 0.5


def test_a_request_that_fails_gives_its_place_back() -> None:
    time = Time()

    async def run() -> int:
        polite = manners(time, connections=1)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with polite.turn(HOST):
                    1 / 0  # noqa: B018 - any failure
        async with polite.turn(HOST):
            return 1

    assert asyncio.run(run()) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-5", 0.0),
        ("1e9", 86_400.0),
        ("99999999999999999999", 86_400.0),
        ("abc", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("12 apples", None),
        ("Thu, 14 Jul 2022 07:05:00 GMT", 300.0),
        ("Thu, 14 Jul 2022 15:05:00 +0800", 300.0),
        ("Thu, 14 Jul 2022 06:00:00 GMT", 0.0),
        ("Sun, 06 Nov 2094 08:49:37 GMT", 86_400.0),
        ("Thu, 99 Jul 2022 07:05:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, START) == seconds


def test_a_date_is_judged_against_the_servers_own_clock() -> None:
    headers = {"retry-after": "Thu, 14 Jul 2022 10:02:00 GMT", "date": "Thu, 14 Jul 2022 10:00:00 GMT"}
    assert retry_after(headers, START) == 120.0
    assert retry_after(headers | {"date": "soon"}, START) == 86_400.0 / 8 + 120.0
    assert retry_after({}, START) is None


def refused(polite: Manners, host: str = HOST) -> datetime | None:
    """Ask for a turn; return until when the host is held, if it is."""

    async def run() -> FetchError | None:
        try:
            async with polite.turn(host):
                return None
        except FetchError as error:
            return error

    error = asyncio.run(run())
    if error is None:
        return None
    assert error.kind == "held"
    assert host in error.message
    return error.retry_at


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_the_host_and_no_other(status: int) -> None:
    time = Time()
    polite = manners(time)
    until = START + timedelta(seconds=120)
    assert polite.heard(HOST, status, {"retry-after": "120"}) == until
    assert refused(polite) == until
    assert refused(polite, "other.example") is None
    time.now = until
    assert refused(polite) is None
    assert polite.holds() == (Hold(HOST, until, 1, f"HTTP {status}"),)


@pytest.mark.parametrize("status", [403, 418, 429, 456, 503])
def test_refusals_without_advice_hold_ever_longer_until_one_good_answer(status: int) -> None:
    time = Time()
    polite = manners(time)
    held = []
    for _ in range(11):
        until = polite.heard(HOST, status, {})
        assert until is not None
        held.append((until - time.now).total_seconds())
        time.now = until
    assert held == [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600]
    assert polite.heard(HOST, 200, {}) is None
    assert polite.holds() == (Hold(HOST, None, 0),)
    again = polite.heard(HOST, status, {})
    assert again == time.now + timedelta(seconds=60)


def test_chance_makes_a_hold_longer_by_up_to_a_quarter_and_never_longer_than_the_longest() -> None:
    time = Time()
    polite = manners(time, chance=0.8)
    held = []
    for _ in range(11):
        until = polite.heard(HOST, 456, {})
        assert until is not None
        held.append((until - time.now).total_seconds())
        time.now = until
    assert held == [72, 144, 288, 576, 1152, 2304, 4608, 9216, 18432, 21600, 21600]


def test_a_hold_ends_with_a_whole_second_for_so_it_is_stored() -> None:
    """Work that was due in the second before was tried and refused again, as fast as it could be, until it was over."""
    time = Time()
    time.now += timedelta(milliseconds=300)
    for scope in ("host", "feed"):
        until = manners(time).heard(HOST, 429, {"retry-after": "60"}, scope)  # type: ignore[arg-type]
        assert until == START + timedelta(seconds=61)


def test_after_a_hold_one_request_alone_tries_the_host() -> None:
    time = Time()
    polite = manners(time, connections=8, pause=0.0)
    answers = [503, 200]

    async def run() -> list[str]:
        told: list[str] = []

        async def one() -> None:
            try:
                async with polite.turn(HOST):
                    for _ in range(3):
                        await asyncio.sleep(0)
                    polite.heard(HOST, answers.pop(0) if answers else 200, {})
                    told.append("asked")
            except FetchError as error:
                told.append(error.kind)

        until = polite.heard(HOST, 503, {})
        for _ in range(2):
            assert until is not None
            time.now = until
            await asyncio.gather(*(one() for _ in range(8)))
            until = polite.holds()[0].until
        return told

    # The probe was refused and nobody else asked; the next one went well, and everybody asked.
    told = asyncio.run(run())
    assert told == ["asked", *["held"] * 7, *["asked"] * 8]


@pytest.mark.parametrize(("status", "held"), [(429, False), (503, False), (403, True), (456, True)])
def test_with_the_scope_of_a_feed_only_the_one_who_asked_is_told_to_wait(status: int, held: bool) -> None:
    polite = manners(Time())
    until = polite.heard(HOST, status, {"retry-after": "120"}, "feed")
    assert until == START + timedelta(seconds=60 if held else 120)
    assert bool(polite.holds()) == held
    assert polite.heard("other.example", status, {}, "feed") == (until if held else None)


@pytest.mark.parametrize("status", [200, 302, 304, 400, 401, 404, 410, 451, 500, 502])
def test_other_answers_hold_nothing(status: int) -> None:
    polite = manners(Time())
    assert polite.heard(HOST, status, {"retry-after": "120"}) is None
    assert polite.holds() == ()
    assert refused(polite) is None


def test_answers_that_were_under_way_count_once_and_lift_nothing() -> None:
    time = Time()
    polite = manners(time)
    until = polite.heard(HOST, 429, {"retry-after": "600"})
    assert polite.heard(HOST, 429, {}) == until
    assert polite.heard(HOST, 200, {}) is None
    assert polite.holds() == (Hold(HOST, until, 1, "HTTP 429"),)
    assert refused(polite) == until


def test_a_server_that_goes_on_refusing_is_not_asked_as_often_as_it_offers() -> None:
    time = Time()
    polite = manners(time)
    assert polite.heard(HOST, 429, {"retry-after": "0"}) == START
    assert polite.heard(HOST, 429, {"retry-after": "0"}) == START + timedelta(seconds=120)


def test_holds_survive_the_process() -> None:
    time = Time()
    until = START + timedelta(hours=1)
    polite = manners(time, holds=[Hold(HOST, until, 3, "HTTP 403"), Hold("free.example", None, 0)])
    assert refused(polite) == until
    assert refused(polite, "free.example") is None
    time.now = until
    assert polite.heard(HOST, 403, {}) == until + timedelta(seconds=480)


def test_a_request_that_waited_in_the_queue_respects_a_hold_that_came_meanwhile() -> None:
    time = Time()
    polite = manners(time, connections=1)

    async def run() -> list[str]:
        told: list[str] = []

        async def first() -> None:
            async with polite.turn(HOST):
                await asyncio.sleep(0)
                polite.heard(HOST, 429, {"retry-after": "60"})

        async def second() -> None:
            with pytest.raises(FetchError) as error:
                async with polite.turn(HOST):
                    told.append("asked")
            told.append(error.value.kind)

        await asyncio.gather(first(), second())
        return told

    assert asyncio.run(run()) == ["held"]


def test_sina_gets_its_pause_and_a_replica_none() -> None:
    hosts = (HOST, "n.sinaimg.cn", "finance.sina.cn", "sina.cn", "notsina.cn", "news.example")
    assert [Network().pause(host) for host in hosts] == [0.5, 0.5, 0.5, 0.5, 0.0, 0.0]
    replica = Network(connect_to={HOST: "http://127.0.0.1:8377"}, allow_private=("finance.sina.cn",))
    assert [replica.pause(host) for host in hosts] == [0.0, 0.5, 0.0, 0.5, 0.0, 0.0]
    configured = Network(connect_to=replica.connect_to, interval=2.0)
    assert [configured.pause(host) for host in hosts] == [2.0] * 6
