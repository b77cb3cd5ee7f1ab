"""The page of pictures: when articles come, what was watched, how late they are, how feeds are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from aggregator.browse.archives import Connection, Row
from aggregator.browse.figures import LEVELS, Bar, Cell, Grid, bars, grid, marked
from aggregator.browse.sql import figures as sql
from aggregator.browse.times import SHANGHAI
from aggregator.browse.visit import Visit
from aggregator.coverage import HOUR, Watched
from aggregator.text.dates import iso, parse_iso

_DAYS = 7  # whose articles are counted by hour
_CALENDAR = 35  # days of the calendar of coverage
_HOURS = 48  # of the feeds' health
_KINDS = ("source", "ours")

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
    last = at.replace(minute=0, second=0, microsecond=0)
    polls = sql.polls(connection, iso(last - timedelta(hours=_HOURS)))
    return _Drawn(
        _by_hour(connection, feeds, midnight),
        _coverage(feeds, days, at, sql.watched(connection, iso(days[0]))),
        _health(feeds, last, polls),
        bars({feed["id"]: feed["name"] for feed in feeds}, sql.lags(connection), _KINDS),
    )


def _by_hour(connection: Connection, feeds: Sequence[Row], midnight: datetime) -> Grid:
    first, until = midnight - timedelta(days=_DAYS - 1), midnight + timedelta(days=1)
    counts = sql.by_hour(connection, iso(first), iso(until))
    values = [[counts.get((feed["id"], hour), 0) for hour in range(24)] for feed in feeds]
    return grid("by_hour", [feed["name"] for feed in feeds], [f"{hour:02}" for hour in range(24)], values, 3)


def _coverage(feeds: Sequence[Row], days: Sequence[datetime], at: datetime, watched: Mapping[int, Watched]) -> Grid:
    """The hours of a day of which the feed's listings prove that nothing was missed, and whether others have gaps."""
    now = (at - days[0]) // HOUR
    nothing = (Cell(0, ""),) * len(days)
    rows = tuple(
        (feed["name"], calendar(watched[feed["id"]], days[0], now) if feed["id"] in watched else nothing)
        for feed in feeds
    )
    columns = [day.strftime("%Y-%m-%d") for day in days]
    marks = tuple((place, column[5:]) for place, column in marked(columns, 7))
    return Grid("coverage", rows, tuple(columns), marks)


def calendar(feed: Watched, start: datetime, now: int) -> tuple[Cell, ...]:
    """The days of the calendar from ``start`` on; hours are counted from it, and ``now`` is the one going on.

    The same as asking ``coverage.state_of`` for each hour, in a step a day.
    """
    first, last = _hours(feed.first, start, up=True), min(_hours(feed.last, start), now)
    missing = {
        hour
        for gap in feed.gaps
        for hour in range(max(_hours(gap.since, start), first), min(_hours(gap.until, start, up=True), now))
    }
    return tuple(_day(range(max(24 * day, first), min(24 * day + 24, now)), last, missing) for day in range(_CALENDAR))


def _hours(at: datetime | None, start: datetime, *, up: bool = False) -> int:
    """Whole hours since ``start``."""
    passed = (at or start) - start
    return -(-passed // HOUR) if up else passed // HOUR


def _day(due: range, last: int, missing: Set[int]) -> Cell:
    if not due:
        return Cell(0, "")
    lacking = [hour for hour in due if hour in missing] if missing else []
    covered = len(range(due.start, min(due.stop, last))) - sum(hour < last for hour in lacking)
    return Cell(-(-LEVELS * covered // len(due)), f"{covered}/{len(due)}", "gap" if lacking else "")


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
