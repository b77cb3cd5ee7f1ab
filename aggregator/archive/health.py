"""A feed's health: what its last poll came to, when it is asked next, and where it has moved."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from aggregator.archive.rows import Value, update, when
from aggregator.errors import AggregatorError, FetchError
from aggregator.model import Discovery, Feed, FeedState, Validators
from aggregator.text.dates import iso, parse_iso

LONGEST = 6 * 3_600  # seconds: the rarest a failing feed is asked
# What may be trouble on the way, which ends for all feeds at once: then nobody should wait for hours.
LONGEST_IN_PASSING = 1_800
_PASSING = frozenset({"dns", "connect", "tls", "timeout", "truncated"})


def state(db: Database, feed: Feed) -> FeedState:
    """What is remembered of a feed. Without a listing to compare, there is no asking whether it has changed."""
    row = db.execute(
        "SELECT etag, last_modified, digest, status, newest, ttl, max(coalesce(not_before, ''),"
        " coalesce(next_allowed_at, '')) FROM feeds LEFT JOIN hosts USING (host) WHERE name = ?",
        [feed.name],
    ).fetchone()
    if row is None:
        return FeedState()
    etag, last_modified, digest, status, newest, ttl, held = row
    return FeedState(
        validators=Validators(etag, last_modified) if digest else Validators(),
        digest=digest,
        status=status,
        newest=parse_iso(newest) if newest else None,
        ttl=ttl,
        held_until=parse_iso(held) if held else None,
    )


def succeeded(db: Database, feed: Feed, feed_id: int, now: datetime, found: Discovery) -> None:
    """A listing that was read. A bare "unchanged" (no digest) leaves the validators it does not repeat."""
    due = now + timedelta(seconds=max(feed.every, found.floor or 0))
    values: dict[str, Value] = {"status": found.status, "last_polled": iso(now), "last_success": iso(now)}
    values |= {"failures": 0, "error_kind": None, "error": None, "not_before": None}
    values |= {"next_due": iso(due), "ttl": found.ttl, "floor": found.floor}
    validators = {"etag": found.validators.etag, "last_modified": found.validators.last_modified}
    values |= {name: value for name, value in validators.items() if value or found.digest}
    if found.digest:
        values["digest"] = found.digest
    update(db, "feeds", feed_id, values)
    if found.newest:
        newest = iso(found.newest)
        db.execute("UPDATE feeds SET newest = ? WHERE id = ? AND coalesce(newest, '') < ?", [newest, feed_id, newest])


def failed(db: Database, feed: Feed, feed_id: int, now: datetime, status: str, error: AggregatorError) -> None:
    """A listing that could not be had. It is asked again ever more rarely; one that is gone is not asked again."""
    failures = db.execute("SELECT failures FROM feeds WHERE id = ?", [feed_id]).fetchone()[0] + 1
    wanted = error.retry_at if isinstance(error, FetchError) else None
    due = now + timedelta(seconds=backoff(feed.every, failures, error))
    values: dict[str, Value] = {"status": status, "last_polled": iso(now), "failures": failures}
    values |= {"error_kind": error.kind, "error": str(error), "not_before": when(wanted)}
    values["next_due"] = None if status == "gone" else iso(max(due, wanted or due))
    update(db, "feeds", feed_id, values)


def backoff(every: int, failures: int, error: AggregatorError) -> float:
    """Seconds from the last of so many failures in a row to the next poll: the interval, doubled with each of them."""
    ill = isinstance(error, FetchError) and error.kind == "http" and (error.status or 0) >= 500
    longest = LONGEST_IN_PASSING if ill or error.kind in _PASSING else LONGEST
    return max(every, min(every * 2.0 ** min(failures - 1, 20), longest))


def postpone(db: Database, feed: Feed, until: datetime) -> None:
    """Put a feed's next poll off to an instant, if it is due before."""
    db.execute(
        "UPDATE feeds SET next_due = :at WHERE name = :name AND coalesce(next_due, '') < :at",
        {"at": iso(until), "name": feed.name},
    )
