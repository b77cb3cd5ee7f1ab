"""Which hours are covered: never one of which something was missed, and silence where there should have been news."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from rollsite import RollSite, roll_feed
from test_gaps import rows
from world import START, Clock, desk

from aggregator.archive import Reader
from aggregator.coverage import HOUR, Hour, Missing, Watched, hour_of, hours, spans
from aggregator.errors import FetchError
from aggregator.model import Page, Request
from aggregator.pipeline import discover
from aggregator.text.dates import iso

ZONE = ZoneInfo("Asia/Shanghai")
WATCHED = Watched("roll", START, START + 48 * HOUR, (), {}, {}, {})
CONFIG = """
archive: a.db
feeds:
  - {name: roll, source: sina-roll, url: 'https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1686'}
"""


def states(watched: Watched, first: float, count: int) -> list[str]:
    begin = START + first * HOUR
    return [hour.state for hour in hours(watched, begin, begin + count * HOUR, ZONE)]


def test_an_hour_is_covered_between_the_first_and_the_last_listing() -> None:
    assert states(replace(WATCHED, last=START + 2.5 * HOUR), -2, 6) == [
        *("before", "before", "covered", "covered", "unknown", "unknown")
    ]
    assert states(replace(WATCHED, first=START + timedelta(minutes=1)), 0, 2) == ["before", "covered"]
    assert states(replace(WATCHED, first=None, last=None), 0, 1) == ["before"]
    assert states(replace(WATCHED, last=None), 0, 1) == ["unknown"]


def test_a_gap_is_every_hour_it_touches() -> None:
    missing = Missing(START + 1.9 * HOUR, START + 3 * HOUR)
    assert states(replace(WATCHED, gaps=(missing,)), 0, 5) == ["covered", "gap", "gap", "covered", "covered"]
    found = hours(replace(WATCHED, gaps=(missing,)), START, START + 5 * HOUR, ZONE)
    assert spans(found, "gap") == (Missing(START + HOUR, START + 3 * HOUR),)


def test_silence_is_told_where_news_were_to_be_expected_and_only_there() -> None:
    begin = START - 20 * 24 * HOUR
    usual = {begin + number * HOUR: 3 for number in range(20 * 24)}
    busy = replace(WATCHED, first=begin, entries=usual)
    assert states(busy, 0, 4) == ["silent"] * 4  # 12 were to be expected
    assert states(busy, 0, 2) == ["covered"] * 2  # 6 may be chance
    news = replace(busy, entries={**usual, START + 1 * HOUR: 1})
    assert states(news, 0, 3) == ["covered"] * 3
    assert states(replace(busy, gaps=(Missing(START, START + HOUR),)), 0, 4) == ["gap", *["silent"] * 3]
    assert states(replace(busy, first=START - 2 * 24 * HOUR), 0, 4) == ["covered"] * 4  # known for two days
    night = {at: count for at, count in usual.items() if at.astimezone(ZONE).hour >= 6}
    asleep = datetime(2026, 11, 24, 0, tzinfo=ZONE)
    found = hours(replace(busy, entries=night), asleep, asleep + 9 * HOUR, ZONE)
    assert [hour.state for hour in found] == ["covered"] * 6 + ["silent"] * 3  # at night there never was any


def test_hours_are_counted_alike_where_a_zone_is_half_an_hour_off() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    watched = replace(WATCHED, entries={START + HOUR: 7}, polls={START + HOUR: 12})
    found = hours(watched, datetime(2026, 11, 23, 13, 45, tzinfo=kolkata), START + 3 * HOUR, kolkata)
    assert [(hour.at, hour.entries, hour.polls) for hour in found] == [
        *((START, 0, 0), (START + HOUR, 7, 12), (START + 2 * HOUR, 0, 0))
    ]


def test_of_the_time_before_a_feed_was_watched_no_more_than_a_day_is_told() -> None:
    """Of a feed asked for since 1900 these would be a million hours."""
    found = hours(WATCHED, datetime(1900, 1, 1, tzinfo=ZONE), START + 2 * HOUR, ZONE)
    assert [hour.state for hour in found] == [*["before"] * 24, *["covered"] * 2]
    never = hours(replace(WATCHED, first=None, last=None), datetime(1900, 1, 1, tzinfo=ZONE), START, ZONE)
    assert [hour.state for hour in never] == ["before"] * 24


class Outages(RollSite):
    """A site that is away now and then."""

    away = False

    async def __call__(self, request: Request) -> Page:
        if self.away:
            raise FetchError("no answer", kind="timeout", where=request.url)
        return await super().__call__(request)


@pytest.mark.parametrize(("seed", "deepest"), [(1, 1), (2, 1), (3, 3), (4, 10_000)])
def test_of_a_covered_hour_nothing_is_missing(tmp_path: Path, seed: int, deepest: int) -> None:
    """Two weeks of bursts and outages; a list of one page, of three, of as many as there are."""
    dice = Random(seed)
    site = Outages(Clock(), deepest=deepest)

    async def live() -> None:
        async with desk(tmp_path / "a.db", site, roll_feed()) as here:
            while site.clock() < START + 14 * 24 * HOUR:
                await discover(here, roll_feed())
                site.away = dice.random() < 0.2
                minutes = dice.choice((5, 5, 5, 30, 30, 240, 900))
                site.publish(dice.randrange(0, max(2, minutes // 5)), minutes)
                if deepest > 1 and dice.random() < 0.3:
                    site.join(site.clock() - timedelta(minutes=dice.randrange(120)))
            site.away = False
            for _ in range(2):  # what joined late is looked for once an hour
                site.clock.move(hours=1)
                await discover(here, roll_feed())

    asyncio.run(live())
    found, lost = judged(tmp_path, site)
    covered = sum(hour.state in ("covered", "silent") for hour in found)
    assert covered > len(found) * (0.4 if deepest == 1 else 0.6)
    if deepest == 10_000:
        assert not lost
        assert {hour.state for hour in found} <= {"before", "covered", "silent", "unknown"}
    else:
        assert lost
    assert sum(hour.polls for hour in found) > 100
    assert sum(hour.failed for hour in found) > 10


def judged(folder: Path, site: RollSite) -> tuple[Sequence[Hour], set[datetime]]:
    """The hours of the one feed and those of which something is missing: none of these is called covered."""
    with Reader(folder / "a.db") as reader:
        (watched,) = reader.watched([], START)
    seen = {guid for (guid,) in rows(folder, "SELECT guid FROM entries")}
    lost = {hour_of(one.at) for one in site.items if f"comos:{one.docid}" not in seen}
    found = hours(watched, START, site.clock(), ZONE)
    assert [hour.at for hour in found if hour.state in ("covered", "silent") and hour.at in lost] == []
    return found, lost


def aggregator(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "aggregator", *words]
    env = {**os.environ, "AGGREGATOR_CONFIG": str(folder / "config.yaml"), "COLUMNS": "200"}
    return subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_shows_each_feed_by_the_hour_and_exits_with_1_where_something_may_be_missing(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    site = RollSite(Clock(), deepest=1)

    async def live() -> None:
        async with desk(tmp_path / "a.db", site, roll_feed()) as here:
            for count, minutes in ((10, 60), (10, 120), (200, 120), (10, 60)):
                site.publish(count, minutes)
                await discover(here, roll_feed())

    asyncio.run(live())
    done = aggregator(tmp_path, "coverage", "--since", "2026-11-23")
    assert done.returncode == 1, done.stderr
    assert "roll  2026-11-23  .................++!!+??" in done.stdout  # asked first at 17:00 in Shanghai
    assert "page 3 repeats page 2" in done.stdout
    assert "1 gaps, 0 more were filled" in done.stderr
    told = json.loads(aggregator(tmp_path, "coverage", "--since", "2026-11-23", "--json").stdout)
    assert told["totals"] == {"before": 17, "covered": 3, "gap": 2, **{"unknown": told["totals"]["unknown"]}}
    (gap,) = told["gaps"]
    assert (gap["feed"], gap["state"], gap["since"]) == ("roll", "lost", iso(START + 3 * HOUR))
    assert aggregator(tmp_path, "coverage", "--since", "2026-11-24").returncode == 0
    assert aggregator(tmp_path, "coverage", "--since", "1900").stdout == done.stdout
    early = [aggregator(tmp_path, name, "--since", "0001") for name in ("coverage", "audit")]
    assert [(one.returncode, one.stderr[:31]) for one in early] == [(2, "--since: no time can be read in")] * 2
    wrong = aggregator(tmp_path, "coverage", "--feed", "rolls")
    assert (wrong.returncode, "Known feeds: roll" in wrong.stderr) == (2, True)


def test_only_a_list_with_pages_can_be_read_back(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "feeds: [{name: a, source: feed, url: 'https://a.example/f'}]\n", encoding="utf-8"
    )
    done = aggregator(tmp_path, "backfill", "a", "--since", "2026-11-01")
    assert (done.returncode, "one page only" in done.stderr) == (2, True)
