"""What an archive knows of how its feeds were watched, as ``coverage`` judges it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from aggregator.archive.gaps import told_until
from aggregator.archive.lean import Database
from aggregator.coverage import MEMORY, Missing, Watched
from aggregator.text.dates import iso, parse_iso

GAPS = (
    "SELECT g.id, f.name AS feed, cause, g.since, g.until, state, reason, page, reached, entries FROM gaps g"
    " JOIN feeds f ON f.id = g.feed WHERE g.until > ? ORDER BY g.id"
)
_FAILED = "('blocked', 'not_a_feed', 'failed', 'gone')"
_HOUR = "substr({0}, 1, 13) || ':00:00Z'"


def watched(db: Database, names: Sequence[str], since: datetime) -> list[Watched]:
    """How these feeds, or else all that are polled, were watched since then, and some time before for comparison."""
    marks = ",".join("?" * len(names))
    which = f"name IN ({marks})" if names else "active AND enabled"
    feeds = db.execute(f"SELECT id, name, last_success FROM feeds WHERE {which} ORDER BY position", list(names))
    then = iso(since - MEMORY)
    missing, asked = _missing(db, then), _asked(db)
    return [
        _watched(db, number, name, last, then, missing.get(number, []), asked.get(number))
        for number, name, last in feeds.fetchall()
    ]


def _watched(
    db: Database, feed: int, name: str, last: str | None, then: str, missing: Sequence[Missing], asked: str | None
) -> Watched:
    polls, failed = _polls(db, feed, then)
    return Watched(
        name,
        _first(db, feed, asked),
        parse_iso(told_until(db, feed, last)) if last else None,
        tuple(missing),
        _counts(
            db,
            f"SELECT {_HOUR.format('coalesce(published, at)')}, count(DISTINCT article) FROM entries"
            ' JOIN commits ON seq = "commit" WHERE feed = :feed AND coalesce(published, at) >= :then GROUP BY 1',
            feed,
            then,
        ),
        polls,
        failed,
    )


def _first(db: Database, feed: int, asked: str | None) -> datetime | None:
    """Since when a feed is watched: its first listing that was read, or as far as its list was read back on demand."""
    row = db.execute(
        'SELECT at FROM polls JOIN commits ON seq = "commit" WHERE feed = ? AND error_kind IS NULL'
        " ORDER BY polls.id LIMIT 1",
        [feed],
    ).fetchone()
    return min(parse_iso(at) for at in (row[0], asked) if at) if row else None


def _asked(db: Database) -> dict[int, str]:
    """How far back the list of each feed was read on demand."""
    return dict(
        db.execute(
            "SELECT feed, min(since) FROM gaps WHERE cause = 'asked' AND state = 'filled' GROUP BY feed"
        ).fetchall()
    )


def _missing(db: Database, then: str) -> dict[int, list[Missing]]:
    """The times of each feed's gaps that are not filled and reach beyond ``then``, as far as they were not read back.

    What was only asked for is none: of it nothing is known to be missing. Of all feeds at once: gaps have no index by
    feed.
    """
    rows = db.execute(
        "SELECT feed, since, min(until, coalesce(reached, until)) FROM gaps WHERE state <> 'filled'"
        " AND cause = 'no overlap' AND since < coalesce(reached, until) AND until > ? ORDER BY id",
        [then],
    )
    found: dict[int, list[Missing]] = {}
    for feed, since, until in rows.fetchall():
        found.setdefault(feed, []).append(Missing(parse_iso(since), parse_iso(until)))
    return found


def _polls(db: Database, feed: int, then: str) -> tuple[dict[datetime, int], dict[datetime, int]]:
    """How many polls there were by the hour, and how many of them failed."""
    every = (
        f"SELECT {_HOUR.format('at')} AS hour, 1 AS polls, error_kind IS NOT NULL AS failed FROM polls"
        ' JOIN commits ON seq = "commit" WHERE feed = :feed AND at >= :then UNION ALL'
        f" SELECT hour, polls, status IN {_FAILED} FROM poll_hours WHERE feed = :feed AND hour >= :then"
    )
    polls = _counts(db, f"SELECT hour, sum(polls) FROM ({every}) GROUP BY hour", feed, then)
    failed = _counts(db, f"SELECT hour, sum(polls) FROM ({every}) WHERE failed GROUP BY hour", feed, then)
    return polls, failed


def _counts(db: Database, sql: str, feed: int, then: str) -> dict[datetime, int]:
    rows = db.execute(sql, {"feed": feed, "then": then}).fetchall()
    return {parse_iso(hour): count for hour, count in rows}
