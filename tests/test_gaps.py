"""What may have been missed: no overlap is a gap, and the list is read back for it until it shows what was known."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollsite import RollSite, roll_feed
from world import START, Clock, Site, desk, feed, item, rss, urls

from aggregator.model import Feed, Report
from aggregator.pipeline import Desk, discover, poll
from aggregator.text.dates import iso
from aggregator.windows import Gap, Seen, Sheet, ended, overlaps

T = TypeVar("T")
HOUR = timedelta(hours=1)


GAPS = "SELECT cause, since, until, state, reason, entries FROM gaps ORDER BY id"


def rows(folder: Path, sql: str = GAPS) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "a.db")) as db:
        return db.execute(sql).fetchall()


def seen(*marks: str) -> list[Seen]:
    """``+3`` is a fresh entry of 3 o'clock, ``=3`` a known one, ``=`` one without a date."""
    return [Seen(one[0] == "=", datetime(2026, 11, 23, int(one[1:]), tzinfo=UTC) if one[1:] else None) for one in marks]


@pytest.mark.parametrize(
    ("listed", "proved"),
    [
        (seen("=9", "=8"), True),
        (seen("+9", "=8", "=7"), True),
        (seen("+9", "+8", "+7"), False),
        (seen("=1", "+9", "+8", "+7"), False),  # kept at the top, whatever is published
        (seen("+9", "=1", "+8", "+7"), False),
        (seen("+9", "=8", "=7", "+3"), True),  # one that was late
        (seen("+9", "+8", "=7", "+6"), True),
        (seen("=7", "=8", "+9"), True),  # oldest first
        (seen("+7", "+8", "+9"), False),
        (seen("+", "+", "="), True),
        (seen("=", "+", "+"), True),  # nothing tells that it is kept
        (seen(), True),
    ],
)
def test_overlap(listed: list[Seen], proved: bool) -> None:
    assert overlaps(listed) is proved


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=60, unique=True), st.integers(0, 60), st.booleans())
def test_a_contiguous_window_overlaps_exactly_when_it_reaches_what_was_known(
    times: list[int], fresh: int, oldest_first: bool
) -> None:
    order = sorted(times, reverse=True)
    listed = [Seen(place >= fresh, START + timedelta(minutes=at)) for place, at in enumerate(order)]
    assert overlaps(listed[::-1] if oldest_first else listed) is (fresh < len(order))


def sheet(number: int, first: int, last: int, *, known: bool = False) -> Sheet:
    """A page with an entry for each of these hours before START."""
    hours = range(first, last + 1)
    return Sheet(number, frozenset(map(str, hours)), tuple(START - hour * HOUR for hour in hours), known)


GAP = Gap(1, "no overlap", START - 10 * HOUR, START)


@pytest.mark.parametrize(
    ("page", "before", "state", "reason"),
    [
        (sheet(2, 1, 5), None, None, ""),
        (sheet(3, 5, 11, known=True), sheet(2, 1, 5), None, ""),  # an article joins its list up to two hours late
        (sheet(3, 5, 12, known=True), sheet(2, 1, 5), None, ""),  # nor does one odd date beside what was known
        (sheet(3, 5, 14, known=True), sheet(2, 1, 5), "filled", "reaches back to 2026-11-22 20:00"),
        (sheet(3, 5, 12), sheet(2, 1, 5), None, ""),  # one odd date proves nothing
        (sheet(4, 12, 15), sheet(3, 5, 12), "lost", "holds nothing of what was known"),  # pages in between were skipped
        (sheet(4, 1, 5), sheet(3, 1, 5), "lost", "page 4 repeats page 3"),
        (sheet(4, 1, 5, known=True), sheet(3, 1, 5), "filled", "page 4 repeats page 3"),
        (sheet(4, 1, 4, known=True), sheet(3, 5, 9), "lost", "rise"),
        (Sheet(3, frozenset(), ()), sheet(2, 1, 5), "lost", "page 3 is empty"),
        (Sheet(3, frozenset(), (), known=True), sheet(2, 1, 5), "filled", "page 3 is empty"),
        (Sheet(3, frozenset({"a"}), (), known=True), sheet(2, 1, 5), "filled", "holds what was known"),
        (Sheet(3, frozenset({"a"}), ()), sheet(2, 1, 5), None, ""),
        (Sheet(10_000, frozenset({"a"}), ()), sheet(9_999, 1, 5), "lost", "does not end within 10000 pages"),
    ],
)
def test_when_reading_back_ends(page: Sheet, before: Sheet | None, state: str | None, reason: str) -> None:
    end = ended(GAP, page, before)
    assert (end and end.state) == state
    assert end is None or reason in end.reason


def lived(path: Path, site: RollSite | Site, days: Callable[[Desk], Awaitable[T]], *feeds: Feed) -> T:
    """What comes of ``days`` with an archive over the site."""

    async def live() -> T:
        async with desk(path / "a.db", site, *(feeds or (roll_feed(),))) as here:
            return await days(here)

    return asyncio.run(live())


def test_a_listing_that_reaches_back_is_no_gap(tmp_path: Path) -> None:
    site = RollSite(Clock())

    async def days(here: Desk) -> Report:
        site.publish(40, 60)
        await discover(here, roll_feed())
        site.publish(49, 50)
        report = await discover(here, roll_feed())
        await discover(here, roll_feed())
        return report

    report = lived(tmp_path, site, days)
    assert (report.new, report.behind, report.remark) == (49, False, None)
    assert rows(tmp_path) == []
    assert site.asked == {1: 3}


def test_what_fell_off_the_first_page_is_read_back_at_once(tmp_path: Path) -> None:
    site = RollSite(Clock())

    async def days(here: Desk) -> tuple[datetime, Report]:
        site.publish(120, 600)
        await discover(here, roll_feed())
        last = site.clock()
        site.publish(170, 240)
        return last, await discover(here, roll_feed())

    last, report = lived(tmp_path, site, days)
    assert "filled, page 4 reaches back to" in str(report.remark)
    assert report.new == 170  # what stands below on the last page was known
    ((cause, since, until, state, _, entries),) = rows(tmp_path)
    assert (cause, state, entries) == ("no overlap", "filled", 120)
    assert (since, until) == (iso(last), iso(site.clock()))
    assert site.asked == {1: 2, 2: 1, 3: 1, 4: 1}


def test_a_backfill_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    site = RollSite(Clock())

    async def days(here: Desk) -> list[Report]:
        site.publish(200, 600)
        await discover(here, roll_feed())
        site.publish(240, 300)
        site.broken = {4}
        reports = [await discover(here, roll_feed())]
        site.publish(10, 5)
        reports.append(await discover(here, roll_feed()))
        site.broken = set()
        return [*reports, await discover(here, roll_feed())]

    first, second, third = lived(tmp_path, site, days)
    assert "page 4 of its list: http: " in str(first.remark)
    assert "HTTP 503" in str(first.remark)
    assert (first.new, first.behind, second.new) == (150, True, 10)
    assert (third.new, third.remark and "filled" in third.remark) == (90, True)
    assert site.asked == {1: 4, 2: 1, 3: 3, 4: 3, 5: 1, 6: 1}  # each time the last page that was read is read again
    ((articles,),) = rows(tmp_path, "SELECT count(DISTINCT article) FROM entries")
    assert articles == 50 + 240 + 10


def test_so_many_pages_after_one_poll_and_the_rest_after_the_next(tmp_path: Path) -> None:
    site = RollSite(Clock())

    async def days(here: Desk) -> list[Report]:
        site.publish(300, 900)
        await discover(here, roll_feed())
        site.publish(500, 600)
        return [await discover(here, roll_feed(), pages=4) for _ in range(3)]

    reports = lived(tmp_path, site, days)
    assert [one.new for one in reports] == [250, 150, 100]
    assert "read back to page 5, the rest after the next polls" in str(reports[0].remark)
    ((_, _, _, state, _, entries),) = rows(tmp_path)
    assert (state, entries) == ("filled", 450)


@pytest.mark.parametrize(
    ("trouble", "state", "reason"),
    [
        ({"deepest": 3}, "lost", "page 4 repeats page 3: the list goes no further back"),
        ({"wraps": 2}, "lost", "times of publication rise from page 2 to page 3"),
    ],
)
def test_reading_back_ends_with_a_reason_where_a_list_deceives(
    tmp_path: Path, trouble: dict[str, int], state: str, reason: str
) -> None:
    site = RollSite(Clock())

    async def days(here: Desk) -> Report:
        site.publish(300, 900)
        await discover(here, roll_feed())
        site.publish(500, 600)
        for name, value in trouble.items():
            setattr(site, name, value)
        return await discover(here, roll_feed(), pages=None)

    report = lived(tmp_path, site, days)
    ((_, _, _, found, told, _),) = rows(tmp_path)
    assert (found, told) == (state, reason)
    assert reason in str(report.remark)


def test_what_was_given_up_is_filled_by_who_asks_later(tmp_path: Path) -> None:
    site = RollSite(Clock())

    async def days(here: Desk) -> Report:
        site.publish(300, 900)
        await discover(here, roll_feed())
        site.publish(300, 600)
        site.deepest = 2
        await discover(here, roll_feed())
        assert rows(tmp_path)[0][3] == "lost"
        site.deepest = 10_000
        await here.archive.backfill.ask(roll_feed(), START + 12 * HOUR)
        return await discover(here, roll_feed(), pages=None)

    report = lived(tmp_path, site, days)
    assert [(row[0], row[3]) for row in rows(tmp_path)] == [("no overlap", "filled"), ("asked", "filled")]
    assert report.new == 200 + 50  # what was never on the first page, of before the gap


def test_a_list_of_one_page_cannot_be_read_back_and_that_is_said(tmp_path: Path) -> None:
    site = Site(Clock())
    wire = feed()

    async def days(here: Desk) -> list[Report]:
        reports = []
        for first in (0, 5, 6):
            numbers = range(first, first + 5)
            times = {number: START + number * HOUR for number in numbers}
            site.answers = {wire.url: rss(*(item(n, at=at) for n, at in times.items())), **urls(numbers)}
            site.clock.move(hours=5)
            reports.append(await poll(here, wire))
        return reports

    _, missed, fine = lived(tmp_path, site, days, wire)
    assert "its list has one page only" in str(missed.remark)
    assert fine.remark is None
    ((cause, _, _, state, reason, entries),) = rows(tmp_path)
    assert (cause, state, entries) == ("no overlap", "lost", 0)
    assert "cannot be asked for" in reason


def test_no_gap_where_nothing_was_there_before(tmp_path: Path) -> None:
    site = Site(Clock())

    async def days(here: Desk) -> None:
        for answer in (rss(), rss(*(item(n) for n in range(3))), rss()):
            site.answers[feed().url] = answer
            await discover(here, feed())

    lived(tmp_path, site, days, feed())
    assert rows(tmp_path) == []


def test_a_new_address_with_other_news_was_not_watched_before(tmp_path: Path) -> None:
    site = Site(Clock())
    old, same, new = (feed(url=f"https://wire.example/{name}.xml") for name in ("old", "same", "new"))
    site.answers = {one.url: rss(*(item(n) for n in range(3))) for one in (old, same)}
    site.answers[new.url] = rss(*(item(n) for n in range(10, 13)))

    async def days(here: Desk) -> list[int]:
        found = []
        for one in (old, same, new):
            await here.archive.enrol([one])  # type: ignore[attr-defined]
            await discover(here, one)
            site.clock.move(hours=1)
            found.append(len(rows(tmp_path)))
        return found

    assert lived(tmp_path, site, days, old) == [0, 0, 1]
    assert rows(tmp_path)[0][:4] == ("no overlap", iso(START + HOUR), iso(START + 2 * HOUR), "lost")


def test_a_clock_that_was_wrong_hides_no_gap(tmp_path: Path) -> None:
    site = Site(Clock())
    site.answers[feed().url] = rss(*(item(n, at=START - HOUR) for n in range(3)))

    async def days(here: Desk) -> None:
        site.clock.move(hours=5)
        await discover(here, feed())
        site.clock.move(hours=-4)
        site.answers[feed().url] = rss(*(item(n, at=START + HOUR) for n in range(10, 13)))
        await discover(here, feed())

    lived(tmp_path, site, days, feed())
    ((_, since, until, *_),) = rows(tmp_path)
    assert since == iso(START - HOUR)
    assert since < until


def test_what_joins_a_busy_list_late_is_found_within_the_hour(tmp_path: Path) -> None:
    """Its place is far behind the first page, which holds the last half hour."""
    site = RollSite(Clock())

    async def days(here: Desk) -> list[Report]:
        site.publish(400, 240)
        reports = [await discover(here, roll_feed())]
        for _ in range(6):
            site.publish(15, 9)
            site.join(site.clock() - timedelta(minutes=85))
            reports.append(await discover(here, roll_feed()))
        site.publish(15, 9)
        site.asked.clear()
        return [*reports, await discover(here, roll_feed())]

    reports = lived(tmp_path, site, days)
    assert [one.new for one in reports[:7]] == [50, *[15] * 6]
    assert "entries found behind the first page of its list" in str(reports[7].remark)
    assert set(site.asked) == {1, 2, 3, 4, 5, 6, 7}  # back to two hours before the last look, an hour ago
    seen = {guid for (guid,) in rows(tmp_path, "SELECT guid FROM entries")}
    assert {one.docid for one in site.items[:300]} <= {guid.removeprefix("comos:") for guid in seen}
    assert rows(tmp_path) == []


def test_a_quiet_list_is_looked_through_with_its_first_page(tmp_path: Path) -> None:
    site = RollSite(Clock())

    async def days(here: Desk) -> int:
        site.publish(100, 3_000)
        found = 0
        for _ in range(20):
            site.publish(3, 60)
            site.join(site.clock() - timedelta(minutes=85))
            found += (await discover(here, roll_feed())).new
        return found

    assert lived(tmp_path, site, days) == 46 + 20 * 4
    assert site.asked == {1: 20}
