"""Where a feed may have missed something, as rows: noted with the poll that shows it, closed when the list is read."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.archive.lean import Database
from aggregator.archive.rows import Commit, Stamp, Value, feed_id_of, insert, transaction, when
from aggregator.model import Announced, Clock, Feed
from aggregator.text.dates import iso, parse_iso
from aggregator.windows import PATIENCE, Cause, End, Gap, Seen, overlaps

_CHUNK = 500  # values in one IN (…)


@dataclass(frozen=True, slots=True)
class Before:
    """What was there before a listing: the articles by key, those this feed had ``announced``, those forgotten."""

    known: Mapping[str, int]
    announced: Collection[int]
    forgotten: Container[int]


def reaches_back(
    db: Database, feed_id: int, listed: Sequence[Announced], renumbered: Container[int], before: Before
) -> bool:
    """Whether a listing holds an entry that proves that nothing fell between it and the feed's last one.

    ``renumbered`` are the places of entries that only have new ids. Of a forgotten article nobody knows whether the
    feed has had it since, which proves nothing.
    """
    placed = [
        (next((before.known[key] for key in one.keys if key in before.known), None), place, one.entry.published)
        for place, one in enumerate(listed)
    ]
    seen = {
        place: Seen(article in before.announced or place in renumbered, at)
        for article, place, at in placed
        if article in before.announced or article not in before.forgotten
    }
    if not overlaps(list(seen.values())):
        return False
    if all(one.known for one in seen.values()):
        return True
    first = _first_dates(db, feed_id, [article for article, _, _ in placed if article in before.announced])
    for article, place, at in placed:
        if at and article in first:  # a date that moves with every edit tells nothing of where the entry stood
            seen[place] = Seen(True, min(at, first[article]))
    return overlaps(list(seen.values()))


def _first_dates(db: Database, feed_id: int, articles: Sequence[int | None]) -> dict[int | None, datetime]:
    """The earliest times of publication that a feed told of such articles."""
    found: dict[int | None, datetime] = {}
    for start in range(0, len(articles), _CHUNK):
        some = articles[start : start + _CHUNK]
        rows = db.execute(
            "SELECT article, min(published) FROM entries WHERE feed = ? AND published IS NOT NULL"
            f" AND article IN ({','.join('?' * len(some))}) GROUP BY article",
            [feed_id, *some],
        )
        found |= {article: parse_iso(at) for article, at in rows.fetchall()}
    return found


def told_until(db: Database, feed_id: int, last: str) -> str:
    """Until when a feed's listings told all, ``last`` being when one was read: one without entries tells nothing.

    Only polls with something new, or of another outcome, have a row; of the others no more than the hour is known.
    """
    row = db.execute(
        "SELECT status FROM polls WHERE feed = ? AND error_kind IS NULL ORDER BY id DESC LIMIT 1", [feed_id]
    ).fetchone()
    if row is None or row[0] != "empty":
        return last
    (full,) = db.execute(
        'SELECT max(at) FROM (SELECT at FROM polls JOIN commits ON seq = "commit" WHERE feed = :feed'
        " AND error_kind IS NULL AND status <> 'empty' UNION ALL SELECT hour FROM poll_hours WHERE feed = :feed"
        " AND status IN ('ok', 'unchanged', 'stale', 'degraded'))",
        {"feed": feed_id},
    ).fetchone()
    return min(last, full) if full else last


def open_gaps(db: Database, feed: Feed) -> list[Gap]:
    """The gaps of a feed that are still to be read back, newest first: a list begins with the newest."""
    rows = db.execute(
        "SELECT g.id, cause, since, until, page, reached FROM gaps g JOIN feeds f ON f.id = g.feed"
        " WHERE f.name = ? AND g.state = 'open' ORDER BY g.id DESC",
        [feed.name],
    )
    return [
        Gap(number, cause, parse_iso(since), parse_iso(until), page, parse_iso(reached) if reached else None)
        for number, cause, since, until, page, reached in rows
    ]


def any_open(db: Database, feed_id: int) -> bool:
    """Whether a feed has a gap that is still to be read back."""
    return db.execute("SELECT 1 FROM gaps WHERE feed = ? AND state = 'open'", [feed_id]).fetchone() is not None


def ask(db: Database, clock: Clock, feed: Feed, since: datetime) -> None:
    """Have a feed's list read back to a time of publication, whether anything is known to be missing or not."""
    with transaction(db):
        add(db, Stamp(db, clock)(), feed_id_of(db, feed.name), "asked", iso(since))


def add(db: Database, stamp: Commit, feed_id: int, cause: Cause, since: str) -> None:
    """Note that something may be missing between ``since`` and now."""
    values: dict[str, Value] = {"feed": feed_id, "cause": cause, "since": since, "until": iso(stamp.at)}
    insert(db, "gaps", values | {"state": "open", "page": 1, "entries": 0, "commit": stamp.seq})


def note_missing_overlap(db: Database, stamp: Commit, feed_id: int, since: str) -> None:
    """Note that a listing does not reach back to the one before it, which told all up to ``since``.

    Of a feed that had nothing in it before, nothing can be missing. In the caller's transaction.
    """
    earlier = 'SELECT 1 FROM entries WHERE feed = ? AND "commit" < ? LIMIT 1'
    if db.execute(earlier, [feed_id, stamp.seq]).fetchone():
        add(db, stamp, feed_id, "no overlap", since)


def stay_open(db: Database, clock: Clock, gap: Gap, reason: str) -> None:
    """Note why a gap could not be read back further; that is tried again at the feed's next polls, for four weeks."""
    if clock() - gap.until > PATIENCE:
        close_alone(db, clock, gap, End("lost", reason))
        return
    with transaction(db):
        db.execute("UPDATE gaps SET reason = ? WHERE id = ? AND state = 'open'", [reason, gap.id])


def begin_anew(db: Database, feed_id: int) -> None:
    """Read open gaps back from the first page on: the list is another one. In the caller's transaction."""
    db.execute("UPDATE gaps SET page = 1 WHERE feed = ? AND state = 'open'", [feed_id])


def advance(db: Database, gap: Gap, page: int, at: datetime | None, new: int) -> None:
    """Note that one more page was read for a gap, down to ``at``. In the caller's transaction."""
    db.execute(
        "UPDATE gaps SET page = :page, reached = min(coalesce(reached, :at), coalesce(:at, reached)),"
        " entries = entries + :new, reason = NULL WHERE id = :id",
        {"page": page, "at": when(at), "new": new, "id": gap.id},
    )


def close(db: Database, stamp: Stamp, gap: Gap, end: End) -> None:
    """Note that a gap was read back, or cannot be, and why. In the caller's transaction.

    What was read back for one gap closes those of the same feed that lie within, also if they were given up before.
    """
    db.execute(
        "UPDATE gaps SET state = ?, reason = ?, closed = ?, reached = iif(?, NULL, reached) WHERE id = ?",
        [end.state, end.reason, stamp().seq, end.deceives, gap.id],
    )
    if end.state == "filled":
        db.execute(
            "UPDATE gaps SET state = 'filled', reason = ?, closed = ? WHERE state <> 'filled' AND since >= ?"
            " AND until <= ? AND feed = (SELECT feed FROM gaps WHERE id = ?)",
            [f"read back with gap {gap.id}", stamp().seq, iso(gap.since), iso(gap.until), gap.id],
        )


def close_alone(db: Database, clock: Clock, gap: Gap, end: End) -> None:
    """``close`` in a transaction of its own."""
    with transaction(db):
        close(db, Stamp(db, clock), gap, end)
