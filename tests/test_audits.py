"""Lists audit each other: what is left out of one, taken out of it, late in it or in it unasked is found, no more."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsroom_month import CHANNELS, START, Hours, Newsroom, feeds
from rollsite import RollSite, roll_feed
from typer.testing import CliRunner, Result
from world import Clock, desk

from aggregator.archive import Reader
from aggregator.archive.auditing import audited
from aggregator.audits import Kind, Said, Window, absent, unclaimed, window
from aggregator.cli import app
from aggregator.demo import listings
from aggregator.demo.ledger import Ledger, Published
from aggregator.model import Discovery, Page, Report, Request
from aggregator.pipeline import Desk, discover

MINUTE = timedelta(minutes=1)


def at(hour: float) -> datetime:
    return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("hours", "covered"),
    [
        ([9, 8, 7, 6, 5, 4, 3], Window(at(5), at(9))),
        ([-60, 9, 8, 7, 6, 5, 4, 3, 2, 1], Window(at(3), at(9))),  # kept at the top
        ([9, 8, 7, 6, 5, 4, 3, 2, 1, -60], Window(at(2), at(9))),  # an odd one at the end
        ([9, 9, 9, 9, 9, 9], Window(at(9), at(9))),
        ([3, 4, 5, 6, 7, 8, 9], None),
        ([9, 3, 8, 4, 7, 5, 6], None),  # by another order than time
        ([9, 8, 7, 6], None),
        ([], None),
    ],
)
def test_what_a_listing_covers(hours: list[float], covered: Window | None) -> None:
    assert window([at(hour) for hour in hours]) == covered


def test_a_listing_without_dates_covers_nothing() -> None:
    assert window([None] * 9) is None
    assert window([at(9), at(8), at(7), at(6), at(5), None, None]) is None


@given(st.lists(st.integers(0, 10_000), min_size=5, max_size=60), st.lists(st.integers(0, 10_000), max_size=1))
def test_nothing_a_list_shows_in_its_order_lies_outside(times: list[int], kept: list[int]) -> None:
    order = [START + minutes * MINUTE for minutes in sorted(times, reverse=True)]
    found = window([*(START + minutes * MINUTE for minutes in kept), *order])
    assert found is not None or (kept and len(times) < 9)
    assert not found or (order[-1] <= found.begin <= found.end <= max(order[0], START + 10_000 * MINUTE))


COVERED = Window(at(5), at(9))
ONE, OTHER, THIRD = 1, 2, 3


def said(feed: int, hour: float = 7, *lids: int) -> Said:
    return Said(feed, at(hour), frozenset(lids))


@pytest.mark.parametrize(
    ("heard", "without", "kind"),
    [
        ([said(OTHER, 7, 1686)], (), "withheld"),
        ([said(OTHER, 7, 1686, 2519)], (THIRD,), "withheld"),
        ([said(OTHER, 7, 1686)], (OTHER,), None),  # it is nowhere any more
        ([said(OTHER, 7, 1686), said(THIRD, 7, 1686)], (OTHER,), "withheld"),
        ([said(OTHER, 7, 2519)], (), None),
        ([said(OTHER, 7, 1686), said(OTHER, 7, 2519)], (), None),  # it was taken out on purpose, and says so
        ([said(OTHER, 5, 1686)], (), None),  # at the very end
        ([said(OTHER, 9.1, 1686)], (), None),  # newer than the list
        ([said(ONE, 7, 1686)], (), "pulled"),
        ([said(ONE, 7, 1686), said(OTHER, 7, 2519)], (), "pulled"),
        ([said(ONE, 7, 1686), said(OTHER, 4, 1686)], (), None),  # its time was corrected
        ([], (), None),
    ],
)
def test_what_it_is_that_an_article_is_absent(heard: list[Said], without: tuple[int, ...], kind: str | None) -> None:
    assert absent(1686, ONE, COVERED, heard, without) == kind


def test_unclaimed_are_few_or_the_claims_mean_nothing() -> None:
    assert unclaimed(1686, {1: [1686], 2: [2519], 3: [], 4: [1686, 2519]}) == {2}
    assert unclaimed(1686, {1: [1686], 2: [2519], 3: [2519]}) == frozenset()


def test_a_poll_with_nothing_new_asks_the_archive_nothing() -> None:
    assert audited(None, None, 1, Discovery("unchanged"), lambda _: {}, "[1]") == {}  # type: ignore[arg-type]  # no database: none is asked


# --- channels of the replica that leave things out ----------------------------------------------------

Slip = tuple[str, str, int]  # the kind, the article, the list


@dataclass(slots=True)
class Slipping(Ledger):
    """A ledger whose lists leave out what they should show, for a time, and show what they should not."""

    hours: Hours = field(default_factory=Hours)
    slips: dict[tuple[str, int], tuple[str, timedelta]] = field(
        default_factory=dict
    )  # kind, and when it begins or ends

    def listed(self, lid: int) -> list[Published]:
        """What the list of that channel shows."""
        shown = [self._told(item, lid) for item in self if item.listed and self._shows(item, lid)]
        return sorted(shown, key=lambda item: (item.ctime, item.oid), reverse=True)

    def _told(self, item: Published, lid: int) -> Published:
        kind, _ = self.slips.get((item.id, lid), ("", None))
        return replace(item, lids=tuple({*item.lids} - {lid})) if kind == "unclaimed" else item

    def _shows(self, item: Published, lid: int) -> bool:
        kind, since = self.slips.get((item.id, lid), ("", timedelta()))
        waited = self.hours() - item.ctime >= since
        shows = {"withheld": False, "late": waited, "pulled": not waited}
        return shows.get(kind, lid in item.lids)


@dataclass
class Lists:
    """The network: the ledger's lists, and nothing else."""

    ledger: Ledger
    clock: Hours

    async def __call__(self, request: Request) -> Page:
        body = listings.roll(self.ledger, dict(parse_qsl(urlsplit(request.url).query)), self.clock()).body
        return Page(request.url, request.url, 200, {"content-type": "application/json"}, body, self.clock())


def planted(room: Newsroom, count: int, dice: Random) -> dict[tuple[str, int], tuple[str, timedelta]]:
    """So many slips of each kind, in articles that are not late or withdrawn, of which a list is told elsewhere."""
    odd = {comos for _, _, verb, comos in room.plan if verb in ("late", "withdraw")}
    usual = [comos for when, _, verb, comos in room.plan if verb == "publish" and comos not in odd
             and START + 60 * MINUTE < when < START + timedelta(hours=22)]  # fmt: skip
    chosen = iter(dice.sample(usual, 4 * count))
    found: dict[tuple[str, int], tuple[str, timedelta]] = {}
    for kind in ("withheld", "late", "pulled", "unclaimed"):
        for _ in range(count):
            found[next(chosen), dice.choice((2519, 2516))] = (kind, dice.uniform(22, 28) * MINUTE)
    return found


def findings(path: Path) -> set[Slip]:
    with Reader(path) as reader:
        rows = reader.audits(START)
    return {(str(row["kind"]), str(row["key"]).removeprefix("sina:comos:"), int(str(row["feed"])[4:])) for row in rows}


async def a_day(path: Path, room: Newsroom, hours: Hours, every: timedelta) -> None:
    channels = feeds(len(CHANNELS))
    async with desk(path, Lists(room.ledger, hours), *channels) as here:  # type: ignore[arg-type]  # its clock is an Hours
        while hours() < START + timedelta(hours=25):
            for one in channels:
                await discover(here, one)
                hours.move(timedelta(seconds=7))
            hours.move(every - timedelta(seconds=7 * len(channels)))


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was lived: the archive, what was planted, and the articles that were withdrawn."""

    path: Path
    truth: set[Slip]
    withdrawn: set[str]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Among late articles, edits and withdrawals; polled every 8 minutes."""
    hours, dice = Hours(), Random("slips")
    ledger = Slipping(hours=hours)
    room = Newsroom(hours, dice, ledger)
    room.schedule(1, 700)
    ledger.slips = planted(room, 50, dice)
    withdrawn = {comos for _, _, verb, comos in room.plan if verb == "withdraw"}
    hours.after = room.work
    path = tmp_path_factory.mktemp("day") / "a.db"
    asyncio.run(a_day(path, room, hours, 8 * MINUTE))
    return Day(path, {(kind, comos, lid) for (comos, lid), (kind, _) in ledger.slips.items()}, withdrawn)


def test_two_hundred_slips_between_channels_are_found_and_nothing_else(day: Day) -> None:
    found = findings(day.path)
    false = {slip for slip in found - day.truth if not (slip[0] == "pulled" and slip[1] in day.withdrawn)}
    assert len(day.truth) == 200
    assert false == set()
    assert len(found & day.truth) / len(day.truth) >= 0.99


def test_the_command_tells_what_was_found(day: Day) -> None:
    config = day.path.with_name("config.yaml")
    listed = (
        f'  - {{name: {one.name}, source: sina-roll, url: "{one.url}", categories: [a, b, c]}}\n' for one in feeds(5)
    )
    config.write_text(f"archive: {day.path}\nfeeds:\n{''.join(listed)}", encoding="utf-8")

    def said(*options: str) -> Result:
        return CliRunner().invoke(app, ["audit", "--since", "2026-03-01", "--config", str(config), *options])

    rows = json.loads(said("--json").stdout)
    assert Counter(row["kind"] for row in rows).keys() == {"withheld", "late", "pulled", "unclaimed"}
    assert all((row["turned_up"] is not None) == (row["kind"] == "late") for row in rows)
    of_one = said("--feed", "lid-2516")
    assert of_one.exit_code == 0
    assert "withheld" in of_one.output
    assert "lid-2519" not in of_one.output
    assert json.loads(said("--json", "--since", "2026-04").stdout) == []


# --- one list -----------------------------------------------------------------------------------------


def lived(path: Path, days: Callable[[Desk, RollSite], Awaitable[None]]) -> list[str]:
    """The kinds of the events that come of it."""
    site = RollSite(Clock())

    async def live() -> None:
        async with desk(path / "a.db", site, roll_feed(), roll_feed("other", 2519)) as here:
            site.publish(30, 60)
            await discover(here, roll_feed())
            await days(here, site)

    asyncio.run(live())
    return [kind for (kind,) in rows(path, f"SELECT kind FROM events WHERE kind IN {get_args(Kind)} ORDER BY id")]


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path / "a.db")) as db:
        return db.execute(sql).fetchall()


async def polls(here: Desk, site: RollSite, count: int) -> list[Report]:
    """So many polls, before each of which something is published."""
    reports = []
    for _ in range(count):
        site.publish(1, 5)
        reports.append(await discover(here, roll_feed()))
    return reports


def test_an_old_listing_that_is_shown_once_is_nothing_and_what_stays_away_was_pulled(tmp_path: Path) -> None:
    async def flaps(here: Desk, site: RollSite) -> None:
        taken = site.items.pop(10)
        await polls(here, site, 1)
        site.items.insert(11, taken)
        await polls(here, site, 2)

    async def leaves(here: Desk, site: RollSite) -> None:
        site.items.pop(10)
        await polls(here, site, 4)

    for name, days, kinds in (("flaps", flaps, []), ("leaves", leaves, ["pulled"])):
        (tmp_path / name).mkdir()
        assert lived(tmp_path / name, days) == kinds


def test_other_lists_of_the_same_article_are_another_sighting_and_no_edit(tmp_path: Path) -> None:
    async def days(here: Desk, site: RollSite) -> None:
        site.items[5] = replace(site.items[5], lids="1686,2519")
        (report,) = await polls(here, site, 1)
        assert (report.new, report.failed) == (1, 0)

    lived(tmp_path, days)
    assert rows(tmp_path, "SELECT lids FROM entries JOIN articles a ON a.id = article WHERE key LIKE '%0000025'") == [
        (",1686,",),
        (",1686,2519,",),
    ]
    assert rows(tmp_path, "SELECT DISTINCT changed FROM polls") == [(0,)]


def test_what_an_older_version_noted_is_not_noted_again(tmp_path: Path) -> None:
    async def days(here: Desk, site: RollSite) -> None:
        with closing(sqlite3.connect(tmp_path / "a.db")) as db:
            db.execute("UPDATE entries SET lids = NULL")
            db.commit()
        await polls(here, site, 2)

    assert lived(tmp_path, days) == []
    assert rows(tmp_path, "SELECT count(*), count(lids) FROM entries") == [(32, 2)]


def test_a_listing_that_is_without_more_than_it_shows_is_not_whole_itself(tmp_path: Path) -> None:
    async def days(here: Desk, site: RollSite) -> None:
        for _ in range(3):
            site.publish(40, 40)
            await discover(here, roll_feed())
        whole = list(site.items)
        for count in (6, 7):  # one in twenty, to the same end
            site.items = whole[:: len(whole) // count]
            await discover(here, roll_feed())

    assert lived(tmp_path, days) == []
