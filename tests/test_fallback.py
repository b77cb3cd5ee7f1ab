"""Another way in: a host refuses for an hour, and nothing is lost, because another listing has the same news."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database
from world import START, Clock, Site, desk, feed, item, rss, urls

from aggregator.app import App, open_app, poll_feed
from aggregator.archive import Reader
from aggregator.config import Settings, parse
from aggregator.demo import Replica
from aggregator.errors import ConfigError, FetchError
from aggregator.intervals import no_chance
from aggregator.model import Feed, Hold, Report, Way
from aggregator.pipeline import discover, poll

FIRST = "https://wire.example/feed.xml"
OTHER = "https://other.example/feed.xml"
THIRD = "https://third.example/feed.xml"
ROLL = "feed.mix.sina.com.cn"
ASKED = ("GET", ROLL, "/api/roll/get")
CONFIG = """
archive: archive.db
network:
  per_host: {{interval: 0}}
  connect_to: {{{places}}}
feeds:
  - name: finance
    source: sina-roll
    url: https://feed.mix.sina.com.cn/api/roll/get?pageid=384&lid=2519
    categories: [金融, 新浪财经, 新浪财经－财经]
    fallback:
      - {{source: feed, url: "http://rss.sina.com.cn/roll/finance/hot_roll.xml"}}
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replica(clock: Clock) -> Iterator[Replica]:
    with Replica(clock) as running:
        yield running


def settings(replica: Replica, folder: Path) -> Settings:
    places = ", ".join(f'"{host}": "{at}"' for host, at in replica.connect_to().items())
    return parse(CONFIG.format(places=places), folder / "config.yaml")


def test_a_host_that_refuses_for_an_hour_costs_no_article(tmp_path: Path, clock: Clock, replica: Replica) -> None:
    wanted = settings(replica, tmp_path)
    reports: list[tuple[timedelta, Report]] = []
    news: set[str] = set()

    async def live(app: App, hours: float) -> int:
        """The daemon's work for so long, an edition of the newsroom every ten minutes; how often the list was asked."""
        before = replica.requests[ASKED]
        for minute in range(round(hours * 60)):
            if minute % 10 == 0:
                news.update(change.id for change in replica.advance() if change.verb == "published")
            for name, _ in await app.archive.due_feeds():
                reports.append((clock.at - START, await poll_feed(app, app.desk.feeds[name])))
            clock.move(minutes=1)
        return replica.requests[ASKED] - before

    async def run() -> int:
        async with open_app(wanted, clock, chance=no_chance) as app:
            await live(app, 0.5)
            replica.refuse(ROLL)
            asked = await live(app, 1)
            replica.refuse()
            await live(app, 1.5)
            return asked

    assert asyncio.run(run()) == 3
    statuses = [report.status for _, report in reports]
    blocked = [at for at, report in reports if report.status == "blocked"]
    over = next(at for at, report in reports if report.status == "degraded")
    back = next(at for at, report in reports if report.remark and "answers again" in report.remark)
    assert blocked == [timedelta(minutes=30), timedelta(minutes=35)]  # the third goes on by the other way
    assert over == timedelta(minutes=45)
    assert timedelta(minutes=90) < back <= timedelta(minutes=90 + 65)
    assert set(statuses) == {"ok", "unchanged", "blocked", "degraded"}
    assert statuses[-1] in ("ok", "unchanged")
    with Reader(wanted.archive) as reader:
        (row,) = reader.feeds()
        had = {str(one["key"]).removeprefix("sina:comos:") for one in reader.articles()}
    assert (row["way"], row["way_url"], row["probe_at"]) == (0, None, None)
    listed = {one.id for one in replica.ledger.listed(2519)}
    assert len(news & listed) > 40
    assert (news & listed) - had == set()
    db = Database(wanted.archive)
    # Beside the feed's own events there is one of an article that the newsroom took away.
    of_the_feed = "SELECT kind FROM events WHERE article IS NULL ORDER BY id"
    assert [kind for (kind,) in db.execute(of_the_feed)] == ["degraded", "recovered"]
    twice = "SELECT count(*) FROM (SELECT url FROM articles GROUP BY url HAVING count(*) > 1)"
    assert db.execute(twice).fetchone() == (0,)
    db.close()


def three_ways() -> Feed:
    return feed(url=FIRST, headers={"X-Key": "k"}, fallback=(Way("feed", OTHER), Way("feed", THIRD)))


def refused(status: int = 403) -> FetchError:
    return FetchError(f"HTTP {status}", kind="blocked", status=status)


def test_the_next_way_is_asked_at_once_and_forgets_the_last_ones_validators(tmp_path: Path) -> None:
    site = Site(Clock(), {FIRST: rss(item(1)), OTHER: rss(item(1), item(2)), THIRD: rss(item(3)), **urls([1, 2, 3])})
    site.etags = dict.fromkeys((FIRST, OTHER, THIRD), '"same"')  # a validator carried over would hide the news
    one = three_ways()

    async def run() -> list[tuple[str, int]]:
        told = []
        async with desk(tmp_path / "a.db", site, one) as opened:
            for answers in ({}, *[{FIRST: refused()}] * 3, {}, *[{OTHER: refused()}] * 3):
                site.answers |= answers
                site.clock.move(minutes=1)
                report = await poll(opened, one)
                told.append((report.status, report.new))
        return told

    assert asyncio.run(run()) == [
        ("ok", 1),
        ("blocked", 0),
        ("blocked", 0),
        ("degraded", 1),
        ("degraded", 0),
        ("blocked", 0),
        ("blocked", 0),
        ("degraded", 1),
    ]
    assert site.asked[FIRST] == 4
    assert site.keys[FIRST] == {"k"}
    assert site.keys[OTHER] == {None}


@pytest.mark.parametrize(
    ("answer", "goes_on"),
    [
        (FetchError("no", kind="timeout"), True),
        (FetchError("no", kind="dns"), True),
        (FetchError("no", kind="tls"), True),
        (FetchError("no", kind="connect"), True),
        (FetchError("no", kind="rate_limited", status=429), True),
        (FetchError("no", kind="not_found", status=404), False),
        (FetchError("no", kind="http", status=500), False),
        (b"<html>welcome</html>", False),
    ],
)
def test_what_counts_as_a_refusal(tmp_path: Path, answer: bytes | FetchError, goes_on: bool) -> None:
    site = Site(Clock(), {FIRST: answer, OTHER: rss(item(1)), **urls([1])})
    one = three_ways()

    async def run() -> list[str]:
        async with desk(tmp_path / "a.db", site, one) as opened:
            return [(await discover(opened, one)).status for _ in range(3)]

    statuses = asyncio.run(run())
    assert (statuses[2] == "degraded") is goes_on
    assert site.asked[OTHER] == goes_on


def test_a_way_whose_host_is_held_is_passed_over(tmp_path: Path) -> None:
    site = Site(Clock(), {FIRST: refused(), OTHER: rss(item(1)), THIRD: rss(item(1)), **urls([1])})
    one = three_ways()

    async def run() -> tuple[str, str | None]:
        async with desk(tmp_path / "a.db", site, one) as opened:
            held = Hold("other.example", site.clock.at + timedelta(hours=1), 1)
            report = [await discover(replace(opened, holds=lambda: (held,)), one) for _ in range(3)][-1]
            return report.status, report.remark

    status, remark = asyncio.run(run())
    assert status == "degraded"
    assert remark == f"wire.example refused 3 times (blocked); asked instead: {THIRD}"
    assert site.asked[OTHER] == 0


def test_the_first_is_tried_hourly_and_taken_back_only_with_news_in_it(tmp_path: Path) -> None:
    site = Site(Clock(), {FIRST: refused(), OTHER: rss(item(1)), **urls([1, 2])})
    one = three_ways()

    async def run() -> list[tuple[int, str]]:
        told = []
        async with desk(tmp_path / "a.db", site, one) as opened:
            for _ in range(3):
                await discover(opened, one)
            for answer in (refused(), b"<html>welcome</html>", rss(), rss(item(2))):
                site.answers[FIRST] = answer
                for minutes in (20, 20, 20):
                    site.clock.move(minutes=minutes)
                    told.append((site.asked[FIRST], (await discover(opened, one)).status))
        return told

    told = asyncio.run(run())
    assert [asked for asked, _ in told] == [3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6]
    assert [status for _, status in told] == ["degraded"] * 11 + ["ok"]


def test_a_way_taken_out_of_the_configuration_is_left(tmp_path: Path) -> None:
    site = Site(Clock(), {FIRST: refused(), OTHER: rss(item(1)), **urls([1])})
    one = three_ways()

    async def run() -> str:
        async with desk(tmp_path / "a.db", site, one) as opened:
            for _ in range(3):
                await discover(opened, one)
        async with desk(tmp_path / "a.db", site, one) as opened:
            assert (await opened.archive.state(one)).way == 1  # and it is kept as long as it is there
        site.answers[FIRST] = rss(item(1))
        alone = replace(one, fallback=())
        async with desk(tmp_path / "a.db", site, alone) as opened:
            return (await discover(opened, alone)).status

    assert asyncio.run(run()) == "ok"
    with Reader(tmp_path / "a.db") as reader:
        assert [(row["host"], row["way"]) for row in reader.feeds()] == [("wire.example", 0)]


def test_a_fallback_that_cannot_be_used_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    text = "feeds:\n  - name: a\n    source: feed\n    url: https://a.example/\n    fallback:\n      - {sauce: feed}\n"
    with pytest.raises(ConfigError) as told:
        parse(text, tmp_path / "config.yaml")
    assert ":6: feeds[0].fallback[0].sauce: is no known key; did you mean `source`?" in str(told.value)
    assert ":6: feeds[0].fallback[0].url: is missing" in str(told.value)
