"""A feed's health: what its last poll came to, when it is asked next, and where it has moved."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from aggregator.archive.rows import Value, update, when
from aggregator.errors import AggregatorError, FetchError
from aggregator.model import Discovery, Feed, FeedState, Validators
from aggregator.text.dates import iso, parse_iso
from aggregator.text.urls import host_of

AGREEING = 3  # polls in a row after which a permanent redirect is believed
LONGEST = 6 * 3_600  # seconds: the rarest a failing feed is asked
# What may be trouble on the way, which ends for all feeds at once: then nobody should wait for hours.
LONGEST_IN_PASSING = 1_800
_PASSING = frozenset({"dns", "connect", "tls", "timeout", "truncated"})


def state(db: Database, feed: Feed) -> FeedState:
    """What is remembered of a feed. Without a listing to compare, there is no asking whether it has changed."""
    row = db.execute(
        "SELECT etag, last_modified, digest, status, newest, ttl, moved_to, max(coalesce(not_before, ''),"
        " coalesce(next_allowed_at, '')), way, probe_at, next_due, host, feeds.failures, error_kind"
        " FROM feeds LEFT JOIN hosts USING (host) WHERE name = ?",
        [feed.name],
    ).fetchone()
    if row is None:
        return FeedState()
    etag, last_modified, digest, status, newest, ttl, moved_to, held, way, probe_at, due, host, failures, kind = row
    return FeedState(
        validators=Validators(etag, last_modified) if digest else Validators(),
        digest=digest,
        status=status,
        newest=parse_iso(newest) if newest else None,
        ttl=ttl,
        moved_to=moved_to,
        held_until=parse_iso(held) if held else None,
        way=way,
        probe_at=parse_iso(probe_at) if probe_at else None,
        due=parse_iso(due) if due else None,
        host=host,
        failures=failures,
        error_kind=kind,
    )


def succeeded(db: Database, feed: Feed, feed_id: int, now: datetime, found: Discovery) -> None:
    """A listing that was read. A bare "unchanged" (no digest) leaves the validators it does not repeat."""
    due = now + timedelta(seconds=max(feed.every, found.floor or 0))
    values: dict[str, Value] = {"status": found.status, "last_polled": iso(now), "last_success": iso(now)}
    values |= {"failures": 0, "error_kind": None, "error": None, "not_before": None}
    values["claimed_until"] = None
    values |= {"next_due": iso(due), "ttl": found.ttl, "floor": found.floor}
    validators = {"etag": found.validators.etag, "last_modified": found.validators.last_modified}
    values |= {name: value for name, value in validators.items() if value or found.digest}
    if found.digest:
        values["digest"] = found.digest
    update(db, "feeds", feed_id, values)
    if found.newest:
        newest = iso(found.newest)
        db.execute("UPDATE feeds SET newest = ? WHERE id = ? AND coalesce(newest, '') < ?", [newest, feed_id, newest])


def follow(db: Database, feed_id: int, found: Discovery) -> str | None:
    """Where a feed moves, after ``succeeded``: a permanent redirect that so many polls in a row tell is its address.

    The configured address stays and is what is asked when the new one fails. Returns what is to be said about it.
    """
    columns = "coalesce(way_url, url), moved_to, moving_to, moving_polls"
    url, place, before, polls = db.execute(f"SELECT {columns} FROM feeds WHERE id = ?", [feed_id]).fetchone()
    moving, said = found.moved_to, None
    if found.lost:
        said = f"no longer at {place}, where it had moved ({found.lost}); its configured address answers"
        place = None
    agreeing = polls + 1 if moving and moving == before else int(moving is not None)
    if agreeing == AGREEING:
        place = None if moving == url else moving
        said = (
            f"moved for good to {moving}: change its url in config.yaml" if place else "back at its configured address"
        )
        moving, agreeing = None, 0
    values: dict[str, Value] = {"moved_to": place, "moving_to": moving, "moving_polls": agreeing}
    if agreeing == 1 and found.digest is None:
        # The new address has only said "unchanged" so far. Asked without validators, it shows its listing.
        values |= {"etag": None, "last_modified": None}
    update(db, "feeds", feed_id, values | {"host": host_of(place or url)})
    return said


def failed(db: Database, feed: Feed, feed_id: int, now: datetime, status: str, error: AggregatorError) -> None:
    """A listing that could not be had: asked again ever more rarely, and never when it is gone.

    Polls that agreed on where it moves are not in a row any more.
    """
    failures = db.execute("SELECT failures FROM feeds WHERE id = ?", [feed_id]).fetchone()[0] + 1
    wanted = error.retry_at if isinstance(error, FetchError) else None
    due = now + timedelta(seconds=backoff(feed.every, failures, error))
    values: dict[str, Value] = {"status": status, "last_polled": iso(now), "failures": failures}
    values |= {"error_kind": error.kind, "error": str(error), "not_before": when(wanted)}
    values |= {"moving_to": None, "moving_polls": 0, "claimed_until": None}
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
        "UPDATE feeds SET next_due = max(coalesce(next_due, ''), :at), claimed_until = NULL WHERE name = :name",
        {"at": iso(until), "name": feed.name},
    )
