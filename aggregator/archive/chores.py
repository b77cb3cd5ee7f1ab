"""What is left to do after a poll, told at once; after nearly every poll it is nothing."""

from __future__ import annotations

from aggregator.archive import clusters, index, rechecks, symbols
from aggregator.archive.lean import Database
from aggregator.model import Clock

RECHECKS = "rechecks"  # pages whose time has come to be looked at again
REVISIONS = "revisions"  # some are not in the index yet, or not compared with those before them
CALENDARS = "calendars"  # trading sessions are to be filled in


def chores(db: Database, clock: Clock, calendars: str | None) -> frozenset[str]:
    """Which of these wait. ``calendars`` is the version of those at hand."""
    found = {
        RECHECKS: rechecks.is_due(db, clock),
        REVISIONS: index.is_behind(db) or clusters.is_behind(db),
        CALENDARS: calendars is not None and symbols.calendars_wanted(db, clock, calendars) is not None,
    }
    return frozenset(name for name, waits in found.items() if waits)
