"""Whose turn it is: the feeds that are due, and the lease on the next poll of one."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from aggregator.archive.lean import Database
from aggregator.archive.questions import FEEDS, LEASE, at
from aggregator.archive.rows import transaction
from aggregator.text.dates import iso


class DueFeed(NamedTuple):
    """A feed that is due, and the host that it is asked at."""

    name: str
    host: str


def due(db: Database, now: datetime, early: int = 0) -> list[DueFeed]:
    """The active, enabled feeds whose next poll is due, longest waiting first; never one that is gone or claimed.

    Due is also one that was last polled, or is to be polled, at a time that a right clock cannot have told.
    ``early`` as in ``questions.at``.
    """
    return [DueFeed(*row) for row in db.execute(FEEDS, at(now, early=early))]


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
