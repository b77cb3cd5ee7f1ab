"""A feed's health: what its last poll came to, when it is asked next, and where it has moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from aggregator.archive.lean import Database
from aggregator.archive.rows import Value, update, when
from aggregator.errors import AggregatorError, FetchError
from aggregator.intervals import Chance, Rate, after_failure, after_success, told_by
from aggregator.model import Discovery, Feed, FeedState, Validators
from aggregator.text.dates import iso, parse_iso
from aggregator.text.urls import host_of

AGREEING = 3  # polls in a row after which a permanent redirect is believed


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


def succeeded(
    db: Database,
    feed: Feed,
    feed_id: int,
    now: datetime,
    found: Discovery,
    arrived: int,
    chance: Chance,
    more: Mapping[str, Value],
) -> None:
    """A listing that was read, and so much in it is news to this feed; ``more`` is to be remembered of it as well.

    A bare "unchanged" (no digest) leaves the validators it does not repeat.
    """
    rate = _rate(db, feed_id, now, found, arrived)
    then = after_success(feed.every, feed.slowest, rate, found.floor, chance)
    due = now + timedelta(seconds=then.seconds)
    values: dict[str, Value] = {"status": found.status, "last_polled": iso(now), "last_success": iso(now), **more}
    values |= {"failures": 0, "error_kind": None, "error": None, "not_before": None}
    values |= {"claimed_until": None, "arrivals": rate.arrivals, "watched": rate.watched, "due_why": then.why}
    values |= {"next_due": iso(due), "ttl": found.ttl, "floor": found.floor}
    validators = {"etag": found.validators.etag, "last_modified": found.validators.last_modified}
    values |= {name: value for name, value in validators.items() if value or found.digest}
    if found.digest:
        values["digest"] = found.digest
    update(db, "feeds", feed_id, values)
    if found.newest:
        newest = iso(found.newest)
        db.execute("UPDATE feeds SET newest = ? WHERE id = ? AND coalesce(newest, '') < ?", [newest, feed_id, newest])


def _rate(db: Database, feed_id: int, now: datetime, found: Discovery, arrived: int) -> Rate:
    """How often a feed has news: since it was read last, and before; at first by its own dates."""
    columns = "arrivals, watched, last_success"
    arrivals, watched, last = db.execute(f"SELECT {columns} FROM feeds WHERE id = ?", [feed_id]).fetchone()
    if watched is None or last is None:
        return told_by((one.entry.published for one in found.entries), now)
    return Rate(arrivals, watched).after((now - parse_iso(last)).total_seconds(), arrived)


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


def failed(
    db: Database, feed: Feed, feed_id: int, now: datetime, status: str, error: AggregatorError, chance: Chance
) -> None:
    """A listing that could not be had: asked again ever more rarely, and never when it is gone.

    Polls that agreed on where it moves are not in a row any more.
    """
    failures = db.execute("SELECT failures FROM feeds WHERE id = ?", [feed_id]).fetchone()[0] + 1
    wanted = error.retry_at if isinstance(error, FetchError) else None
    due = now + timedelta(seconds=after_failure(feed.every, failures, error, chance).seconds)
    values: dict[str, Value] = {"status": status, "last_polled": iso(now), "failures": failures}
    values |= {"error_kind": error.kind, "error": str(error), "not_before": when(wanted)}
    values |= {"moving_to": None, "moving_polls": 0, "claimed_until": None}
    if status == "gone":
        values |= {"next_due": None, "due_why": None}
    else:
        values |= {
            "next_due": iso(max(due, wanted or due)),
            "due_why": "held" if wanted and wanted > due else "failing",
        }
    update(db, "feeds", feed_id, values)


def postpone(db: Database, feed: Feed, until: datetime) -> None:
    """Put a feed's next poll off to an instant, if it is due before."""
    db.execute(
        "UPDATE feeds SET due_why = iif(coalesce(next_due, '') < :at, 'held', due_why),"
        " next_due = max(coalesce(next_due, ''), :at), claimed_until = NULL WHERE name = :name",
        {"at": iso(until), "name": feed.name},
    )
