"""Which hours of a feed are covered, and where there should have been news. Pure.

An hour is covered when every listing since, up to one that was read after its end, reaches back to the one before it:
then nothing that the feed announced in that hour can have been missed, however seldom it was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from statistics import fmean
from typing import Literal
from zoneinfo import ZoneInfo

# ``before``: the feed was not asked yet; ``unknown``: it was not read since; ``gap``: something may be missing;
# ``silent``: covered, and there was nothing where there should have been.
State = Literal["before", "unknown", "gap", "covered", "silent"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MEMORY = timedelta(days=28)  # in which is looked how much news an hour of the day has
_KNOWN_DAYS = 3  # with that hour, of the same kind of day, before anything is expected of it
# Expected entries of hours in a row with none. If they came by chance alone, one such silence in 3,000 would be chance.
_SILENCE = 8.0


@dataclass(frozen=True, slots=True)
class Missing:
    """A time of which something may be missing."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a feed: when its listing was first and last read, and counts by the hour.

    ``gaps`` are those not filled; ``entries`` by their time of publication, ``polls`` and the ``failed`` among them.
    """

    feed: str
    first: datetime | None
    last: datetime | None
    gaps: tuple[Missing, ...]
    entries: Mapping[datetime, int]
    polls: Mapping[datetime, int]
    failed: Mapping[datetime, int]


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a feed, from ``at`` on. ``expected`` entries are a mean; ``None`` where too little is known."""

    at: datetime
    state: State
    entries: int
    polls: int
    failed: int
    expected: float | None


def hour_of(at: datetime) -> datetime:
    """The hour in which an instant lies, as hours are counted: by UTC, also where a zone is half an hour off."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours(watched: Watched, since: datetime, until: datetime, zone: ZoneInfo) -> tuple[Hour, ...]:
    """The hours of a feed from the one of ``since`` to the one of ``until``; days and their hours are the zone's.

    Of the time before it was watched no more than a day.
    """
    since = max(since, min(watched.first or until, until) - DAY)
    usual = _usual(watched, since, zone)
    plain = [
        Hour(
            at,
            state_of(watched, at),
            watched.entries.get(at, 0),
            watched.polls.get(at, 0),
            watched.failed.get(at, 0),
            usual.get(_kind(at, zone)),
        )
        for at in _between(hour_of(since), until)
    ]
    return tuple(_with_silences(plain))


def state_of(watched: Watched, at: datetime) -> State:
    """How an hour of a feed was watched, but for silence, which only many hours tell."""
    if watched.first is None or at < watched.first:
        return "before"
    if any(gap.since < at + HOUR and gap.until > at for gap in watched.gaps):
        return "gap"
    return "covered" if watched.last and watched.last >= at + HOUR else "unknown"


def _between(first: datetime, end: datetime) -> Iterator[datetime]:
    while first < end:
        yield first
        first += HOUR


def _kind(at: datetime, zone: ZoneInfo) -> tuple[bool, int]:
    """Hours that are alike: of working days or of weekends, by the clock on the wall."""
    local = at.astimezone(zone)
    return local.weekday() >= 5, local.hour


def _usual(watched: Watched, since: datetime, zone: ZoneInfo) -> dict[tuple[bool, int], float]:
    """How many entries an hour of each kind had in the time before."""
    counts: dict[tuple[bool, int], list[int]] = {}
    for at in _between(hour_of(since) - MEMORY, since):
        if state_of(watched, at) == "covered":
            counts.setdefault(_kind(at, zone), []).append(watched.entries.get(at, 0))
    return {kind: fmean(found) for kind, found in counts.items() if len(found) >= _KNOWN_DAYS}


def _with_silences(plain: Iterable[Hour]) -> Iterator[Hour]:
    for empty, run in groupby(plain, lambda hour: hour.state == "covered" and not hour.entries):
        together = list(run)
        quiet = empty and sum(hour.expected or 0.0 for hour in together) >= _SILENCE
        yield from (replace(hour, state="silent") if quiet and _is_busy(hour) else hour for hour in together)


def _is_busy(hour: Hour) -> bool:
    """Whether something comes in such an hour more often than not."""
    return (hour.expected or 0.0) >= 0.5


def spans(found: Sequence[Hour], state: State) -> tuple[Missing, ...]:
    """The hours in such a state, as spans of time."""
    runs = (list(run) for same, run in groupby(found, lambda hour: hour.state == state) if same)
    return tuple(Missing(run[0].at, run[-1].at + HOUR) for run in runs)
