"""Lists that deceive who reads them back: no hour is called covered of which something was missed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rollsite import Item, RollSite, roll_feed
from test_coverage import CONFIG, aggregator, judged
from test_gaps import HOUR, lived, rows
from world import START, Clock, Site, desk, feed, item, rss

from aggregator.model import Feed
from aggregator.pipeline import Desk, discover
from aggregator.windows import PATIENCE, reach


@dataclass
class Deceiver(RollSite):
    """A roll list whose pages lie: ``odd`` entries of page 2 with wrong dates, pages that are skipped."""

    odd: int = 0
    skipped: dict[int, int] = field(default_factory=dict)  # page -> the one that is shown instead
    kept: Item | None = None  # shown on page 2, too
    made_up: int = 0  # of pages behind the first, each with other articles of now

    def _told(self, number: int) -> list[dict[str, object]]:
        if self.made_up and number > 1:
            self.made_up += 50
            return [Item(self.made_up + one, self.clock() - HOUR).told(self.lid) for one in range(50)]
        told = super()._told(self.skipped.get(number, number))
        if number == 2:
            for one in told[10 : 10 + self.odd]:
                one["ctime"] = str(int((START - 1_000 * HOUR).timestamp()))
            told = [*told[:10], self.kept.told(self.lid), *told[10:]] if self.kept else told
        return told


def after_an_outage(folder: Path, site: RollSite, *, pages: int | None = 20) -> str:
    """Ten hours missed of a list with 50 articles an hour; what came of reading them back."""

    async def days(here: Desk) -> None:
        site.publish(200, 600)
        await discover(here, roll_feed())
        site.publish(500, 600)
        await discover(here, roll_feed(), pages=pages)

    lived(folder, site, days)
    site.clock.move(minutes=90)
    return str(rows(folder)[0][3])


def test_a_page_reaches_as_far_as_its_order_tells() -> None:
    falling = [START - number * HOUR for number in range(20)]
    assert reach(falling) == reach(falling[::-1]) == START - 17 * HOUR
    assert reach([*falling[:8], *[START - 999 * HOUR] * 6, *falling[8:]]) == START - 17 * HOUR
    assert reach(falling[:2]) == START
    assert reach([]) is None


@pytest.mark.parametrize("odd", [1, 4])
@pytest.mark.parametrize("pages", [1, 20])
def test_wrong_dates_on_a_page_end_no_gap_and_hide_none(tmp_path: Path, odd: int, pages: int) -> None:
    site = Deceiver(Clock(), odd=odd)
    assert after_an_outage(tmp_path, site, pages=pages) == ("open" if pages == 1 else "filled")
    assert {hour.state for hour in judged(tmp_path, site)[0]} >= {"gap" if pages == 1 else "covered"}


@pytest.mark.parametrize("odd", [1, 4])
def test_nor_do_they_end_what_was_asked_for(tmp_path: Path, odd: int) -> None:
    site = Deceiver(Clock(), odd=odd)

    async def days(here: Desk) -> None:
        site.publish(400, 600)
        await discover(here, roll_feed())
        await here.archive.backfill.ask(roll_feed(), START + 5 * HOUR)
        await discover(here, roll_feed())

    lived(tmp_path, site, days)
    ((_, _, _, state, reason, entries),) = rows(tmp_path)
    assert (state, entries, "page 5 reaches back to" in reason) == ("filled", 200, True)
    judged(tmp_path, site)[0]


def test_what_was_asked_for_in_vain_is_no_gap(tmp_path: Path) -> None:
    site = Deceiver(Clock(), deepest=2)

    async def days(here: Desk) -> None:
        for _ in range(10):
            site.publish(40, 60)
            await discover(here, roll_feed())
        await here.archive.backfill.ask(roll_feed(), START - 100 * HOUR)
        await discover(here, roll_feed())

    lived(tmp_path, site, days)
    assert [row[::3][:2] for row in rows(tmp_path)] == [("asked", "lost")]
    assert [hour.state for hour in judged(tmp_path, site)[0]] == ["before", *["covered"] * 9]
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    done = aggregator(tmp_path, "coverage", "--since", "2026-11-23")
    assert (done.returncode, "Asked for by backfill, and not had" in done.stdout) == (0, True), done.stderr
    assert "0 gaps, 0 more were filled" in done.stderr


def test_what_is_kept_on_a_further_page_proves_nothing(tmp_path: Path) -> None:
    site = Deceiver(Clock(), odd=1)
    site.join(START - HOUR)
    site.kept = site.items[0]
    site.items.clear()
    site.join(START - HOUR)
    site.skipped = {3: 2}
    assert after_an_outage(tmp_path, site) == "lost"
    judged(tmp_path, site)[0]


def test_pages_that_are_skipped_leave_the_gap_what_it_was(tmp_path: Path) -> None:
    site = Deceiver(Clock(), skipped={3: 13})
    assert after_an_outage(tmp_path, site) == "lost"
    found = judged(tmp_path, site)[0]
    assert [hour.state for hour in found].count("gap") == 9  # of the last one all is on two pages


def test_a_list_without_end_is_given_up(tmp_path: Path) -> None:
    site = Deceiver(Clock())

    async def days(here: Desk) -> None:
        site.publish(200, 600)
        await discover(here, roll_feed())
        site.publish(100, 60)
        site.made_up = 1_000
        await discover(here, roll_feed())
        (gap,) = await here.archive.backfill.gaps(roll_feed())
        assert gap.page == 21
        await here.archive._run(lambda db: db.execute("UPDATE gaps SET page = 9999"))  # type: ignore[attr-defined]
        await discover(here, roll_feed())

    lived(tmp_path, site, days)
    ((_, _, _, state, reason, _),) = rows(tmp_path)
    assert (state, reason) == ("lost", "the list does not end within 10000 pages")
    judged(tmp_path, site)[0]


def test_a_page_that_is_broken_for_good_holds_up_nothing_and_is_given_up(tmp_path: Path) -> None:
    site = RollSite(Clock())

    async def days(here: Desk) -> None:
        site.publish(400, 240)
        await discover(here, roll_feed())
        site.publish(1_000, 240)
        site.broken = {9}
        await discover(here, roll_feed())
        for _ in range(20):
            site.publish(15, 9)
            site.join(site.clock() - HOUR)  # far behind the first page
            await discover(here, roll_feed())
        for _ in range(2):
            site.publish(10, 60)
            await discover(here, roll_feed())

    lived(tmp_path, site, days)
    ((_, _, until, state, _, _),) = rows(tmp_path)
    assert state == "open"
    found = judged(tmp_path, site)[0]
    assert [hour.state for hour in found if hour.at > START + 9 * HOUR].count("covered") == 3
    site.clock.at += PATIENCE
    lived(tmp_path, site, lambda here: discover(here, roll_feed()))
    assert rows(tmp_path)[0][2:4] == (until, "lost")


async def another_address(here: Desk) -> Feed:
    moved = roll_feed(lid=1687)
    await here.archive.enrol([moved])  # type: ignore[attr-defined]
    return moved


async def another_way(here: Desk) -> Feed:
    await here.archive.switch(roll_feed(), 0, "it was refused", None)
    return roll_feed()


@pytest.mark.parametrize("to", [another_address, another_way])
def test_another_list_is_read_back_from_its_first_page_on(
    tmp_path: Path, to: Callable[[Desk], Awaitable[Feed]]
) -> None:
    """How far the last one was read means nothing: the other one may hold less on a page."""
    site = RollSite(Clock())

    async def live() -> None:
        async with desk(tmp_path / "a.db", site, roll_feed()) as here:
            site.publish(200, 600)
            await discover(here, roll_feed())
            site.publish(500, 600)
            await discover(here, roll_feed(), pages=5)
            site.clock.move(minutes=5)
            other = await to(here)
            site.asked.clear()
            await discover(here, other)

    asyncio.run(live())
    assert set(site.asked) == set(range(1, 12))
    assert rows(tmp_path)[0][3] == "filled"


class Empties(RollSite):
    """A list that is answered without entries while something is wrong behind it."""

    empty = False

    def _told(self, number: int) -> list[dict[str, object]]:
        return [] if self.empty else super()._told(number)


@pytest.mark.parametrize("meanwhile", [False, True])
def test_an_answer_without_entries_tells_nothing_of_the_time_before(tmp_path: Path, meanwhile: bool) -> None:
    site = Empties(Clock(), deepest=1)

    async def days(here: Desk) -> None:
        site.join(START)
        site.publish(40, 0)
        await discover(here, roll_feed())
        site.clock.move(hours=2)
        await discover(here, roll_feed())  # nothing new: it has no row of its own
        site.publish(100, 600)
        site.empty = True
        for _ in range(2):
            await discover(here, roll_feed())
        assert {hour.state for hour in judged(tmp_path, site)[0][2:]} == {"unknown"}
        if meanwhile:
            site.broken = {1}
            await discover(here, roll_feed())
            site.broken = set()
        site.empty = False
        site.publish(60, 60)
        await discover(here, roll_feed())

    lived(tmp_path, site, days)
    assert [hour.state for hour in judged(tmp_path, site)[0]][:13] == ["covered"] * 2 + ["gap"] * 11


def turned_over(folder: Path, *, forget: bool) -> list[tuple[object, ...]]:
    """The gaps of a feed that has shown other news than before, and one entry more."""
    site = Site(Clock())
    wire, other = feed(), feed("other", "https://other.example/feed.xml")

    async def days(here: Desk) -> None:
        site.answers[other.url] = rss(item(999))
        await discover(here, other if forget else wire)
        if forget:
            (article,) = rows(folder, "SELECT id FROM articles")[0]
            await here.archive.forget(article)  # type: ignore[attr-defined]
        for first in (0, 8):
            site.clock.move(hours=8)
            news = [item(n, at=START + n * HOUR) for n in range(first + 4, first - 1, -1)]
            site.answers[wire.url] = rss(*([item(999, at=site.clock())] if first or not forget else []), *news)
            await discover(here, wire)

    lived(folder, site, days, wire, other)
    return rows(folder)


def test_an_entry_whose_date_moves_with_every_edit_proves_nothing(tmp_path: Path) -> None:
    assert len(turned_over(tmp_path, forget=False)) == 1


def test_a_forgotten_article_of_another_feed_proves_nothing(tmp_path: Path) -> None:
    assert len(turned_over(tmp_path, forget=True)) == 1
