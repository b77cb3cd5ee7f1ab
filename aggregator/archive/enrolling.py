"""Feeds as the configuration has them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from aggregator.archive import gaps, renaming
from aggregator.archive.enrolled import enrolled, host_in_use
from aggregator.archive.lean import Database
from aggregator.archive.rows import Value, commit, insert, transaction, update
from aggregator.model import Clock, Feed

# What is remembered of a feed's address rather than of the feed.
_OF_THE_URL = (
    *("etag", "last_modified", "digest", "status", "error_kind", "error", "newest", "warnings"),
    *("next_due", "due_why", "arrivals", "watched", "ttl", "floor", "not_before", "moved_to", "moving_to", "way_url"),
    *("way_since", "way_why", "probe_at", "swept", "reach", "absent"),
)


def enrol(db: Database, clock: Clock, feeds: Sequence[Feed]) -> None:
    """Make the ``feeds`` table say what the configuration says; a feed it lacks becomes inactive and keeps its history.

    A feed whose URL changed, or whose way in use was taken out, forgets all that was said of the old one: validators,
    digest, status, next poll. The URL's secrets are not kept: they are in the configuration, and the archive is a file
    that is shown and copied.
    """
    names = [feed.name for feed in feeds]
    with transaction(db):
        renaming.complete(db, cache(partial(commit, db, clock)), names)
        for position, feed in enumerate(feeds):
            _enrol(db, feed, position, active=True)
        marks = ",".join("?" * len(names))
        db.execute(f"UPDATE feeds SET active = 0 WHERE active AND name NOT IN ({marks})", names)


def enrol_unlisted(db: Database, feed: Feed) -> None:
    """Make a home for articles that no feed announced: inactive, never polled, after all others."""
    with transaction(db):
        _enrol(db, feed, 1_000_000, active=False)


def _enrol(db: Database, feed: Feed, position: int, *, active: bool) -> None:
    values: dict[str, Value] = {**enrolled(feed, position, active=active)}
    row = db.execute("SELECT id, url, moved_to, way, way_url FROM feeds WHERE name = ?", [feed.name]).fetchone()
    if row is None:
        insert(db, "feeds", values)
        return
    if host := host_in_use(feed, *row[1:]):
        values["host"] = host
    else:
        values |= dict.fromkeys(_OF_THE_URL) | {"failures": 0, "moving_polls": 0, "way": 0}
        gaps.begin_anew(db, row[0])
    update(db, "feeds", row[0], values)
