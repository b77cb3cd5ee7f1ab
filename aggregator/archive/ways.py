"""Which of a feed's ways is in use: the switch to another one, and when the first is tried again."""

from __future__ import annotations

from datetime import datetime

from aggregator.archive import gaps
from aggregator.archive.enrolled import address
from aggregator.archive.lean import Database
from aggregator.archive.rows import Value, commit, feed_id_of, insert, transaction, update
from aggregator.errors import masked
from aggregator.model import Clock, Feed
from aggregator.text.dates import iso
from aggregator.text.urls import host_of

# What is remembered of a listing, and means nothing of another one.
_OF_THE_LISTING = (
    *("etag", "last_modified", "digest", "error_kind", "error", "next_due", "due_why"),
    *("ttl", "floor", "not_before", "moved_to", "moving_to", "swept", "reach", "absent"),
)


def switch(db: Database, clock: Clock, feed: Feed, way: int, why: str, probe_at: datetime | None) -> None:
    """From now on ask a feed by another way, at once; what was remembered of the last one's listing is forgotten."""
    with transaction(db):
        stamp = commit(db, clock)
        url = address(feed, way) or feed.url
        values: dict[str, Value] = dict.fromkeys(_OF_THE_LISTING) | {"failures": 0, "moving_polls": 0}
        values |= {"host": host_of(url), "way": way, "way_url": masked(url) if way else None}
        values |= {"way_since": iso(stamp.at) if way else None, "way_why": why if way else None}
        feed_id = feed_id_of(db, feed.name)
        update(db, "feeds", feed_id, values | {"probe_at": iso(probe_at) if probe_at else None})
        gaps.begin_anew(db, feed_id)
        event: dict[str, Value] = {"kind": "degraded" if way else "recovered", "place": feed.name, "subject": feed.name}
        insert(db, "events", event | {"message": why, "commit": stamp.seq})


def probed(db: Database, feed: Feed, again: datetime) -> None:
    """The first way does not answer yet; note when it is tried again."""
    with transaction(db):
        update(db, "feeds", feed_id_of(db, feed.name), {"probe_at": iso(again), "claimed_until": None})
