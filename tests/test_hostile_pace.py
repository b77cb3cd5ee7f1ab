"""Hosts that want fewer requests and feeds that stay away: ids H2, H3 and H5 of the catalogue of hostile inputs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hostile import Route, attack, listing, live, program, routes
from web_server import Answer, Asked, Server, reply
from world import START, Clock

from aggregator.archive import Reader
from aggregator.model import Report
from aggregator.pipeline import poll

OTHER = '  - {name: other, source: feed, url: "http://bad.example/other", categories: [甲, 乙, 戊]}'
GOOD = reply(200, listing("bad", 1, 2))


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "120"}, 120),
        ({"Retry_After": "Mon, 23 Nov 2026 08:25:00 GMT"}, 1_200),
        ({"Retry_After": "-5"}, 0),
        ({"Retry_After": "0"}, 0),
        ({"Retry_After": "1000000000"}, 86_400),
        ({"Retry_After": "1e9"}, 86_400),
        ({"Retry_After": "Mon, 23 Nov 2026 07:00:00 GMT"}, 0),
        ({"Retry_After": "Mon, 23 Nov 2026 11:10:00 GMT", "Date": "Mon, 23 Nov 2026 11:05:00 GMT"}, 300),
        ({"Retry_After": "Mon, 23 Nov 2026 05:10:00 GMT", "Date": "Mon, 23 Nov 2026 05:05:00 GMT"}, 300),
    ],
)
def test_h2_retry_after_is_kept_to_within_a_day(
    tmp_path: Path, status: int, headers: dict[str, str], seconds: int
) -> None:
    verdict = attack(tmp_path, reply(status, **headers))
    now = START + timedelta(minutes=5)
    assert verdict.report.error_kind == "rate_limited"
    assert verdict.feed["not_before"] == f"{now + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
    due = now + timedelta(seconds=max(seconds, 300))
    assert verdict.feed["next_due"] == f"{due:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("value", ["abc", "", "12 apples", "Mon, 99 Nov 2026 08:25:00 GMT"])
def test_h2_retry_after_that_cannot_be_read_is_our_own_back_off(tmp_path: Path, value: str) -> None:
    verdict = attack(tmp_path, reply(429, Retry_After=value))
    assert "2026-11-23T08:06:00Z" <= str(verdict.feed["not_before"]) <= "2026-11-23T08:06:15Z"


@pytest.mark.parametrize(
    ("line", "others"), [("", []), ("retry_after_scope: feed", [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0])]
)
def test_h2_retry_after_holds_the_host_or_the_feed_alone_where_that_is_configured(
    tmp_path: Path, line: str, others: list[float]
) -> None:
    limited = {"/bad": reply(429, Retry_After="3600"), "/other": reply(200, listing("other"))}
    times = lived(tmp_path, limited, hours=61 / 60, feed=line, feeds=OTHER, defaults="every: 10m")[0]
    assert times == {"/bad": [0.0, 60.0], "/other": others}


@pytest.mark.parametrize("status", [429, 503, 456])
def test_h3_an_hour_of_refusals_costs_a_host_twelve_requests_at_most(tmp_path: Path, status: int) -> None:
    rows = "\n".join(
        f'  - {{name: f{n}, source: feed, url: "http://bad.example/f{n}", categories: [甲, 乙, 戊]}}' for n in range(20)
    )
    refusing = {path: reply(status) for path in ("/bad", *(f"/f{n}" for n in range(20)))}
    times, reports = lived(tmp_path, refusing, hours=1, step=0.25, feeds=rows, defaults="every: 1m")
    assert 3 <= sum(len(one) for one in times.values()) <= 12
    assert {report.status for report in reports if report.feed != "good"} <= {"blocked", "failed", "held"}
    assert [report.status for report in reports if report.feed == "good"].count("unchanged") == 59


def test_h3_refusals_without_end_are_met_every_six_hours_and_one_success_resets(tmp_path: Path) -> None:
    clock = Clock()
    refuses = [True]
    times: list[float] = []

    def answer(_: Asked) -> Answer:
        times.append((clock.at - START).total_seconds() / 3_600)
        return reply(503) if refuses[0] else GOOD

    async def run() -> list[object]:
        async with program(tmp_path, clock, defaults="every: 30d", feed="every: 5m") as (app, server):
            server.routes |= routes({"/bad": answer})
            await live(app, clock, hours=72)
            gaps = [round(later - before, 3) for before, later in pairwise(times)]
            assert gaps == sorted(gaps)
            assert 6 <= gaps[-1] <= 6.1
            refuses[0] = False
            await live(app, clock, hours=7)
            before = len(times)
            await live(app, clock, hours=1)
            assert len(times) - before == 12
            return [(hold.until, hold.failures) for hold in app.client.holds()]

    assert asyncio.run(run()) == [(None, 0)]


def test_h3_a_500_that_alternates_with_200_holds_nothing(tmp_path: Path) -> None:
    turns: list[int] = []

    def answer(_: Asked) -> Answer:
        turns.append(len(turns) % 2)
        return reply(500) if turns[-1] else GOOD

    answers = {"/bad": answer, "/other": reply(200, listing("other"))}
    times, reports = lived(tmp_path, answers, hours=1, feeds=OTHER)
    assert [report.status for report in reports if report.feed == "bad"] == [
        "ok",
        "failed",
        *["unchanged", "failed"] * 5,
    ]
    assert len(times["/other"]) == 12


def test_h5_gone_ends_polling_says_so_and_is_asked_again_by_name_only(tmp_path: Path) -> None:
    clock = Clock()
    answers = [GOOD, reply(410)]

    async def run() -> None:
        async with program(tmp_path, clock) as (app, server):
            server.routes |= routes({"/bad": lambda _: answers.pop(0) if len(answers) > 1 else answers[0]})
            await live(app, clock, hours=30 * 24, step=24 * 60)
            assert asked(server, "/bad") == 2
            with Reader(app.settings.archive) as reader:
                row = reader.feeds()[0]
            assert (row["status"], row["error_kind"], row["next_due"], row["articles"]) == ("gone", "gone", None, 2)
            assert "It is not asked again" in str(row["error"])
            answers[:] = [reply(200, listing("bad", 1, 2, 3))]
            report = await poll(app.desk, app.desk.feeds["bad"])
            assert (report.status, report.new) == ("ok", 1)
            await live(app, clock, hours=1)
            assert asked(server, "/bad") == 3 + 11

    asyncio.run(run())


PARKED = b"<html><title>This domain is for sale</title><body>Buy it</body></html>"


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (reply(404), "failed", "not_found"),
        (reply(200, PARKED), "not_a_feed", "not_a_feed"),
    ],
)
def test_h5_thirty_days_of_absence_are_met_ever_more_rarely_and_lose_nothing(
    tmp_path: Path, answer: bytes, status: str, kind: str
) -> None:
    clock = Clock()

    async def run() -> None:
        async with program(tmp_path, clock, defaults="every: 6h", feed="every: 5m") as (app, server):
            await live(app, clock, hours=0.05)
            server.routes |= routes({"/bad": answer})
            reports = await live(app, clock, hours=30 * 24, step=30)
            assert 100 <= asked(server, "/bad") <= 130
            assert {(r.status, r.error_kind) for r in reports if r.feed == "bad"} == {(status, kind)}
            with Reader(app.settings.archive) as reader:
                assert reader.totals()["articles"] == 4
                assert reader.feeds()[0]["status"] == status
            server.routes |= routes({"/bad": reply(200, listing("bad", 1, 2, 3))})
            news = await live(app, clock, hours=6.5)
            assert next((r.status, r.new) for r in news if r.feed == "bad") == ("ok", 1)

    asyncio.run(run())


def test_h5_a_name_that_is_no_more_is_asked_every_half_hour_and_the_archive_stays(tmp_path: Path) -> None:
    clock = Clock()
    name = "x" * 64 + ".invalid"  # longer than a label of DNS can be, so that no resolver is asked for it
    row = f'  - {{name: lost, source: feed, url: "http://{name}/feed", categories: [甲, 乙, 戊], every: 5m}}'

    async def run() -> list[Report]:
        async with program(tmp_path, clock, defaults="every: 6h", feeds=row) as (app, _):
            reports = await live(app, clock, hours=24)
            with Reader(app.settings.archive) as reader:
                assert reader.totals()["articles"] == 4
            return [report for report in reports if report.feed == "lost"]

    reports = asyncio.run(run())
    assert {(report.status, report.error_kind) for report in reports} == {("failed", "dns")}
    assert 45 <= len(reports) <= 52


def asked(server: Server, path: str) -> int:
    return sum(one.target == path for one in server.asked)


def lived(
    folder: Path, answers: dict[str, Route], *, hours: float, step: float = 1.0, **lines: str
) -> tuple[dict[str, list[float]], list[Report]]:
    """The minutes at which each path is asked, and all reports, of a life of so many hours in which paths answer so."""
    clock = Clock()
    times: dict[str, list[float]] = {path: [] for path in answers}

    def timed(path: str, answer: Route) -> Callable[[Asked], Answer]:
        def told(request: Asked) -> Answer:
            times[path].append((clock.at - START).total_seconds() / 60)
            return answer if isinstance(answer, bytes) else answer(request)

        return told

    async def run() -> list[Report]:
        async with program(folder, clock, **lines) as (app, server):
            server.routes |= routes({path: timed(path, answer) for path, answer in answers.items()})
            return await live(app, clock, hours=hours, step=step)

    return times, asyncio.run(run())
