"""Whose turn it is: the feeds that are due, and the lease on the next poll of one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlite_utils import Database

from aggregator.archive.rows import transaction
from aggregator.text.dates import iso

# A listing is had within a minute or not at all. After a crash its feed waits so long, and no longer: if it was this
# feed that brought the program down, the others are polled before it is tried again.
LEASE = timedelta(minutes=5)
# No server may ask for more than a day. A next poll further ahead than that, twice the interval and some grace comes
# from a clock that was wrong.
_FAR = 2 * 86_400  # seconds


class DueFeed(NamedTuple):
    """A feed that is due, and the host that it is asked at."""

    name: str
    host: str


def due(db: Database, now: datetime) -> list[DueFeed]:
    """The active, enabled feeds whose next poll is due, longest waiting first; never one that is gone or claimed.

    Due is also one that was last polled, or is to be polled, at a time that a right clock cannot have told.
    """
    rows = db.execute(
        "SELECT name, host FROM feeds WHERE active AND enabled"
        " AND (coalesce(claimed_until, '') <= :now OR claimed_until > :lease)"
        " AND (probe_at <= :now OR coalesce(status, '') <> 'gone'"
        "  AND (coalesce(next_due, '') <= :now OR last_polled > :now"
        "   OR julianday(next_due) - julianday(:now) > (:far + 2 * coalesce(slowest, every)) / 86400.0))"
        " ORDER BY next_due, position",
        {"now": iso(now), "lease": iso(now + LEASE), "far": _FAR},
    )
    return [DueFeed(*row) for row in rows]


def claim(db: Database, name: str, now: datetime) -> None:
    """Give a feed's poll to the caller, until it is noted, put off or given back; at most for ``LEASE``."""
    with transaction(db):
        db.execute(
            "UPDATE feeds SET claimed_until = :until, last_polled = min(last_polled, :now) WHERE name = :name",
            {"until": iso(now + LEASE), "now": iso(now), "name": name},
        )


def unclaim(db: Database, name: str) -> None:
    """Give back a poll that came to nothing: the feed is as due as it was."""
    with transaction(db):
        db.execute("UPDATE feeds SET claimed_until = NULL WHERE name = ?", [name])
