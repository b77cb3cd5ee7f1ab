"""Where a feed may have missed something, as rows: noted with the poll that shows it, closed when the list is read."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime

from aggregator.archive.lean import Database
from aggregator.archive.rows import Commit, Stamp, Value, feed_id_of, insert, transaction, when
from aggregator.model import Announced, Clock, Feed
from aggregator.text.dates import iso, parse_iso
from aggregator.windows import PATIENCE, Cause, End, Gap, Seen, overlaps


def reaches_back(
    listed: Sequence[Announced], renumbered: Container[int], known: Mapping[str, int], announced: Container[int]
) -> bool:
    """Whether a listing holds an entry that proves that nothing fell between it and the feed's last one.

    ``renumbered`` are the places of entries that only have new ids; ``known`` the articles by key, ``announced`` those
    that this feed has announced before.
    """

    def seen(place: int, one: Announced) -> Seen:
        article = next((known[key] for key in one.keys if key in known), None)
        return Seen(place in renumbered or (article is not None and article in announced), one.entry.published)

    return overlaps([seen(place, one) for place, one in enumerate(listed)])


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
