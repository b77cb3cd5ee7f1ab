"""The front page: the news of a day by hour, the channels, and how the archive stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import built_in
from aggregator.browse.archives import Connection, Row, archives_of, ask
from aggregator.browse.pages.feeds import mood
from aggregator.browse.sql import news
from aggregator.browse.sql.news import Stretch
from aggregator.browse.times import bounds, day_of, hour_bounds, local
from aggregator.browse.visit import Visit, visible
from aggregator.text.dates import iso, parse_iso
from aggregator.text.snippets import snippet

_A_PAGE = 120  # lines
_LEADS = 5
_LEAD_TEXT = 110  # characters
_BAR = 36  # units high is the hour with most news
_LOOKED_BACK = 48  # hours in which a silence is told


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part of the news is wanted; ``hour`` and ``feed`` narrow the day."""

    day: date
    hour: int | None
    feed: str
    page: int


@dataclass(frozen=True, slots=True)
class Hour:
    """One bar of the day: the hour in Shanghai, how many articles, how high it is drawn, and whether it is shown."""

    hour: int
    count: int
    height: float
    chosen: bool


async def home(visit: Visit) -> Any:
    """The front page of the one archive; of several, which there are."""
    names = archives_of(visit.datasette)
    if len(names) == 1:
        return await front(visit)
    shown = [name for name in names if await visible(visit.datasette, visit.request, name)]
    found = [{"name": name, **await ask(visit.datasette, name, news.size)} for name in shown]
    return await visit.page("archives.html", {"found": found, "now": datetime.now(UTC)})


async def front(visit: Visit) -> Any:
    """The news of a day: today's, or the last there is."""
    now = datetime.now(UTC)
    values = await visit.ask(lambda connection: _front(connection, visit, now))
    return await visit.page("news.html", values)


def _front(connection: Connection, visit: Visit, now: datetime) -> dict[str, object]:
    channels = news.channels(connection)
    choice = _choice(connection, visit, now)
    feed = next((channel["id"] for channel in channels if channel["name"] == choice.feed), None)
    if choice.feed and feed is None:
        raise visit.missing("no_such_feed")
    day = Stretch(*bounds(choice.day), feed)
    shown = day if choice.hour is None else Stretch(*hour_bounds(choice.day, choice.hour), feed)
    found = news.lines(connection, shown, _A_PAGE + 1, (choice.page - 1) * _A_PAGE)
    hours = _hours(connection, choice, feed)
    counts = news.by_feed(connection, day)
    leads = _leads(connection, found) if choice.page == 1 and choice.hour is None else []
    before, after = news.neighbours(connection, day)
    looked_back = iso(now - timedelta(hours=_LOOKED_BACK))
    return {
        "choice": choice,
        "week": choice.day - timedelta(days=6) if choice.day.toordinal() > 7 else choice.day,
        "groups": _by_hour(found[:_A_PAGE]),
        "more": len(found) > _A_PAGE,
        "leads": leads,
        "hours": hours,
        "total": sum(hour.count for hour in hours),
        "before": before and day_of(before),
        "after": after and after <= iso(now) and day_of(after),
        "channels": [
            {**channel, "today": counts.get(channel["id"], 0), "mood": mood(channel["status"])} for channel in channels
        ],
        "size": news.size(connection),
        "silences": _silences(news.silent_hours(connection, looked_back, _LOOKED_BACK)),
        "gaps": news.gaps(connection, looked_back),
        "now": now,
    }


def _choice(connection: Connection, visit: Visit, now: datetime) -> Choice:
    last = news.newest(connection, iso(now))
    day = _date(visit.argument("day")) or (day_of(last) if last else day_of(iso(now)))
    hour = visit.number("hour", 24)
    return Choice(day, hour if hour < 24 else None, visit.argument("feed"), max(visit.number("page", 1, 10_000), 1))


def _date(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _by_hour(lines: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The lines under the hour they appeared in, both newest first."""
    return [(hour, list(those)) for hour, those in groupby(lines, lambda line: local(line["at"], "hour"))]


def _hours(connection: Connection, choice: Choice, feed: int | None) -> list[Hour]:
    """The day's 24 hours."""
    counts = [news.count(connection, Stretch(*hour_bounds(choice.day, hour), feed)) for hour in range(24)]
    most = max(1, *counts)
    return [Hour(hour, n, round(n * _BAR / most, 1), hour == choice.hour) for hour, n in enumerate(counts)]


def _leads(connection: Connection, lines: Sequence[Row]) -> list[Row]:
    """What stands at the head of the page: what has a picture, most reprinted first; one with its first words."""
    pictured = sorted((line for line in lines if line["cover"]), key=lambda line: -line["after"])[:_LEADS]
    if not pictured:
        return []
    first, *others = pictured
    body = news.body(connection, first["id"])
    text = text_of(body["body"], body["rule"], built_in())
    return [{**first, "words": snippet(text, (), _LEAD_TEXT).text}, *others]


def _silences(hours: Sequence[str]) -> list[tuple[str, str]]:
    """Hours in a row as one silence: its first instant and the one it ended at."""
    found: list[tuple[str, str]] = []
    for hour in hours:
        end = iso(parse_iso(hour) + timedelta(hours=1))
        found = [*found[:-1], (found[-1][0], end)] if found and found[-1][1] == hour else [*found, (hour, end)]
    return found
