"""When a feed is asked again: as often as it has news, as seldom as its server wants, and why then."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import START, Clock, Site, desk, feed, item, rss

from aggregator.archive import Reader
from aggregator.config import parse
from aggregator.errors import ConfigError, FetchError
from aggregator.intervals import LONGEST, LONGEST_IN_PASSING, Rate, after_failure, after_success, no_chance, told_by
from aggregator.model import Feed
from aggregator.pipeline import poll

MIN, MAX = 300, 7_200
URL = "https://wire.example/feed.xml"
numbers = st.floats(0, 1e6, allow_nan=False)


@given(numbers, numbers, st.floats(0, 1, exclude_max=True))
def test_an_interval_lies_between_its_bounds(arrivals: float, watched: float, chance: float) -> None:
    then = after_success(MIN, MAX, Rate(arrivals, watched), None, lambda: chance)
    assert MIN <= then.seconds <= MAX
    assert then.why == "arrivals"


@pytest.mark.parametrize("gap", [900, 1_800, 3_600, 7_200])
def test_an_interval_comes_to_half_the_mean_distance_of_news_and_stays_there(gap: int) -> None:
    dice = Random(gap)
    rate, now, seen, intervals = Rate(), 0.0, 0, []
    news = [0.0]
    while news[-1] < 4 * 86_400:
        news.append(news[-1] + dice.expovariate(1 / gap))
    while now < 3 * 86_400:
        then = after_success(MIN, MAX, rate, None, dice.random).seconds
        now += then
        come = sum(at <= now for at in news)
        rate, seen = rate.after(then, come - seen), come
        intervals.append(then)
    late = intervals[len(intervals) // 2 :]
    assert sum(late) / len(late) == pytest.approx(gap / 2, rel=0.35)


def test_a_feed_that_falls_silent_is_asked_more_rarely_little_by_little_and_at_once_again_often() -> None:
    rate, last = Rate(), 0.0
    steps = 0
    while last < MAX / 1.1:
        then = after_success(MIN, MAX, rate, None, no_chance).seconds
        assert then >= last
        assert then <= max(1.6 * last, MIN)
        rate, last, steps = rate.after(then, 0), then, steps + 1
    assert 6 <= steps <= 12
    rate = rate.after(last, 30)
    assert after_success(MIN, MAX, rate, None, no_chance).seconds < last / 10


def test_the_first_listing_tells_how_often_there_is_news() -> None:
    hourly = told_by([START - timedelta(hours=n) for n in range(24)], START)
    assert after_success(MIN, MAX, hourly, None, no_chance).seconds == pytest.approx(1_800, rel=0.15)
    assert after_success(MIN, MAX, told_by([None] * 20, START), None, no_chance).seconds == MIN
    assert after_success(MIN, MAX, told_by([START + timedelta(days=9)] * 20, START), None, no_chance).seconds == MIN
    old = told_by([START - timedelta(days=400)], START)
    assert after_success(MIN, MAX, old, None, no_chance).seconds > 0.9 * MAX


@pytest.mark.parametrize("slowest", [None, MAX])
def test_the_servers_word_is_a_floor(slowest: int | None) -> None:
    then = after_success(MIN, slowest, Rate(), 86_400, no_chance)
    assert (then.seconds, then.why) == (86_400, "server")
    assert after_success(MIN, slowest, Rate(), 10, no_chance).seconds == MIN


def test_a_fixed_interval_knows_no_chance() -> None:
    assert after_success(MIN, None, Rate(1_000, 10), None, lambda: 0.99).seconds == MIN


@given(st.integers(1, 100_000), st.integers(1, 2_000), st.floats(0, 1, exclude_max=True))
def test_failures_in_a_row_are_met_ever_more_rarely(every: int, failures: int, chance: float) -> None:
    for kind, longest in (("not_found", LONGEST), ("timeout", LONGEST_IN_PASSING)):
        then = after_failure(every, failures, FetchError("no", kind=kind), lambda: chance)
        again = after_failure(every, failures + 1, FetchError("no", kind=kind), no_chance)
        assert every <= then.seconds <= max(every, longest)
        assert again.seconds >= then.seconds
        assert then.why == "failing"
    for n in (1, 2):
        then = after_failure(every, n, FetchError("no", kind="http"), lambda: chance)
        assert max(every, min(n * every, 0.9 * LONGEST)) <= then.seconds <= max(every, min(1.1 * n * every, LONGEST))


def test_feeds_that_failed_together_do_not_come_back_together() -> None:
    dice = Random(1)
    for failures, whole in ((1, 60), (2, 120), (5, 960), (50, LONGEST_IN_PASSING)):
        error = FetchError("no", kind="timeout")
        waits = {after_failure(60, failures, error, dice.random).seconds for _ in range(100)}
        assert len(waits) == 100
        assert max(waits) - min(waits) > whole * 0.08


def row(clock: Clock, feed: Feed, folder: Path, *answers: Callable[[Site], None]) -> dict[str, object]:
    """The feed's row after a poll of each answer, when it was due."""

    async def scene() -> None:
        site = Site(clock)
        async with desk(folder / "archive.db", site, feed) as open_desk:
            for answer in answers:
                answer(site)
                await poll(open_desk, feed)
                state = await open_desk.archive.state(feed)
                clock.at = state.due or clock.at

    asyncio.run(scene())
    with Reader(folder / "archive.db") as reader:
        return dict(reader.feeds()[0])


def listed(*numbers: int) -> Callable[[Site], None]:
    def answer(site: Site) -> None:
        site.answers[URL] = rss(*(item(n, at=START - timedelta(minutes=30 * n)) for n in numbers))

    return answer


def test_it_is_stored_how_often_a_feed_has_news_and_why_it_is_asked_when_it_is(tmp_path: Path) -> None:
    clock = Clock()
    told = row(clock, feed(every=MIN, slowest=MAX, pages="false"), tmp_path, listed(*range(48)))
    assert told["due_why"] == "arrivals"
    assert 800 <= (clock.at - START).total_seconds() <= 1_000
    assert (told["every"], told["slowest"]) == (MIN, MAX)


def test_news_of_other_feeds_are_news_to_a_feed_that_lists_them_too(tmp_path: Path) -> None:
    clock = Clock()
    feeds = [feed(name, f"https://wire.example/{name}.xml", every=MIN, slowest=MAX, pages="false") for name in "ab"]

    async def scene() -> list[object]:
        site = Site(clock)
        async with desk(tmp_path / "archive.db", site, *feeds) as open_desk:
            for count in (1, 4):
                for one in feeds:
                    site.answers[one.url] = rss(*(item(n) for n in range(count)))
                    await poll(open_desk, one)
            with Reader(tmp_path / "archive.db") as reader:
                return [one["arrivals"] for one in reader.feeds()]

    assert asyncio.run(scene()) == [4.0, 4.0]


def test_a_failure_and_a_refusal_say_so(tmp_path: Path) -> None:
    def broken(site: Site) -> None:
        site.answers[URL] = 404

    def refused(site: Site) -> None:
        later = site.clock() + timedelta(hours=2)
        site.answers[URL] = FetchError("no", kind="rate_limited", status=429, retry_at=later)

    for name, answers in (("every", [listed(1)]), ("failing", [listed(1), broken]), ("held", [refused])):
        folder = tmp_path / name
        folder.mkdir()
        assert row(Clock(), feed(), folder, *answers)["due_why"] == name
    (folder / "config.yaml").write_text(f"feeds: [{{name: wire, source: feed, url: '{URL}'}}]")
    assert json.loads(status(folder, "--json"))["feeds"][0]["due_why"] == "held"
    assert " held " in next(line for line in status(folder).splitlines() if "wire" in line)


def status(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "aggregator", "status", *words, "--config", str(folder / "config.yaml")]
    environ = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environ).stdout


CONFIG = """
archive: archive.db
{0}
feeds:
  - {{name: own, source: feed, url: "https://a.example/1", every: 90s}}
  - {{name: news, source: feed, url: "https://a.example/2"}}
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", [(90, None), (300, None)]),
        ("defaults: {every: 10m}", [(90, None), (600, None)]),
        ("interval: {min: 1m, max: 1h}", [(90, None), (60, 3_600)]),
        ("interval:", [(90, None), (300, None)]),
    ],
)
def test_an_own_interval_is_fixed_and_others_lie_between_the_bounds(line: str, found: list[object]) -> None:
    settings = parse(CONFIG.format(line), Path("/tmp/config.yaml"))
    assert [(one.every, one.slowest) for one in settings.feed_list()] == found


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("interval: {min: 1h, max: 1m}", "min must not be longer than max"),
        ("interval: {min: 1h}", "interval.max"),
        ("interval: {min: 0, max: 1h}", "interval.min"),
        ("interval: {least: 1m, min: 1m, max: 1h}", "interval.least"),
    ],
)
def test_wrong_bounds_are_told(line: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace(".", r"\.")):
        parse(CONFIG.format(line), Path("/tmp/config.yaml"))
