"""The page of pictures: when articles come, what was watched, how late they are, how feeds are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aggregator.browse.archives import Connection, Row
from aggregator.browse.figures import Bar, Cell, Grid, bars, grid, marked
from aggregator.browse.sql import figures as sql
from aggregator.browse.times import SHANGHAI
from aggregator.browse.visit import Visit
from aggregator.text.dates import iso, parse_iso

_DAYS = 7  # whose articles are counted by hour
_CALENDAR = 35  # days of the calendar of coverage
_HOURS = 48  # of the feeds' health
_KINDS = ("source", "ours")

_HOUR = len("2026-03-01T09")

Watched = Mapping[int, frozenset[str]]
Polls = Mapping[tuple[int, str], sql.Hour]


class _Drawn(NamedTuple):
    by_hour: Grid
    coverage: Grid
    health: Grid
    lags: tuple[Bar, ...]


async def figures(visit: Visit) -> Any:
    """``/-/figures``."""
    drawn = await visit.ask(_drawn)
    most = max((bar.most for bar in drawn.lags), default=0.0) if drawn else 0.0
    return await visit.page("figures.html", {"drawn": drawn, "longest": most, "days": _DAYS})


def _drawn(connection: Connection) -> _Drawn | None:
    now = sql.now(connection)
    if now is None:
        return None
    at = parse_iso(now).astimezone(SHANGHAI)
    feeds = sql.feeds(connection)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - timedelta(days=n) for n in reversed(range(_CALENDAR))]
    watched = sql.watched(connection, iso(days[0]))
    last = at.replace(minute=0, second=0, microsecond=0)
    polls = sql.polls(connection, iso(last - timedelta(hours=_HOURS)))
    return _Drawn(
        _by_hour(connection, feeds, midnight),
        _coverage(feeds, days, at, watched, sql.began(connection)),
        _health(feeds, last, polls),
        bars({feed["id"]: feed["name"] for feed in feeds}, sql.lags(connection), _KINDS),
    )


def _by_hour(connection: Connection, feeds: Sequence[Row], midnight: datetime) -> Grid:
    first, until = midnight - timedelta(days=_DAYS - 1), midnight + timedelta(days=1)
    counts = sql.by_hour(connection, iso(first), iso(until))
    values = [[counts.get((feed["id"], hour), 0) for hour in range(24)] for feed in feeds]
    return grid("by_hour", [feed["name"] for feed in feeds], [f"{hour:02}" for hour in range(24)], values, 3)


def _coverage(
    feeds: Sequence[Row], days: Sequence[datetime], at: datetime, watched: Watched, begun: dict[int, str]
) -> Grid:
    """Hours of a day with a poll; a whole hour without one, since the feed is known and up to now, is a gap."""
    hours = [[_hour_of(day + timedelta(hours=n)) for n in range(24)] for day in days]
    rows = []
    for feed in feeds:
        number = feed["id"]
        since, seen = begun.get(number, "~")[:_HOUR], watched.get(number, frozenset())
        rows.append((feed["name"], tuple(_day(day, since, _hour_of(at), seen) for day in hours)))
    columns = [day.strftime("%Y-%m-%d") for day in days]
    marks = tuple((place, column[5:]) for place, column in marked(columns, 7))
    return Grid("coverage", tuple(rows), tuple(columns), marks)


def _day(hours: Sequence[str], since: str, last: str, seen: frozenset[str]) -> Cell:
    due = hours[bisect_left(hours, since) : bisect_right(hours, last)]
    if not due:
        return Cell(0, "")
    count = len(seen.intersection(due))
    return Cell(-(-5 * count // len(due)), f"{count}/{len(due)}", "gap" if count < len(due) else "")


def _hour_of(instant: datetime) -> str:
    """The hour an instant is in, as an instant as stored begins."""
    return iso(instant)[:_HOUR]


def _health(feeds: Sequence[Row], last: datetime, polls: Polls) -> Grid:
    """Each of the last hours: all polls well, some in vain, all in vain, none."""
    hours = [last - timedelta(hours=n) for n in reversed(range(_HOURS))]
    stored = [iso(hour) for hour in hours]
    rows = tuple((feed["name"], tuple(_hour(polls.get((feed["id"], hour))) for hour in stored)) for feed in feeds)
    columns = [hour.strftime("%m-%d %H:00") for hour in hours]
    return Grid("health", rows, tuple(columns), tuple((place, column[:5]) for place, column in marked(columns, 12)))


def _hour(known: sql.Hour | None) -> Cell:
    if known is None:
        return Cell(0, "")
    kind = "bad" if known.failed == known.polls else "mixed" if known.failed else "well"
    return Cell(1, f"{known.polls - known.failed}/{known.polls}", kind)
