"""One row that cannot be stored is set apart, and the others beside it are stored: no poll is lost for an entry."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

from aggregator.archive.lean import Database
from aggregator.archive.rows import Commit, Stamp, Value, add_item, insert
from aggregator.errors import ParseError
from aggregator.model import Entry

T = TypeVar("T")

# What a value can be that SQLite does not take: half a surrogate pair, an instant or number out of range, a text or
# row beyond its limits, a constraint. A full disk, a lock and damage are the archive's trouble, not the row's.
UNSTORABLE = (ValueError, OverflowError, sqlite3.DataError, sqlite3.IntegrityError)
_TOLD = 3  # remarks of one poll


def attempt(db: Database, stamp: Stamp, work: Callable[[Commit], T]) -> T | Exception:
    """What ``work`` returns; or, with nothing of it stored, not even a commit, why it cannot be.

    Inside the caller's transaction. Where that is not ``careful`` the error is raised.
    """
    if not stamp.careful:
        return work(stamp())
    db.execute("SAVEPOINT one")
    made = stamp.made
    done: T | Exception
    try:
        done = work(stamp())
    except UNSTORABLE as error:
        db.execute("ROLLBACK TO one")
        stamp.take_back_to(made)
        done = error
    db.execute("RELEASE one")
    return done


def storable(text: str) -> bool:
    """Whether SQLite takes a text: half a surrogate pair it does not."""
    return text.isascii() or text.encode("utf-8", "ignore").decode() == text


def unstorable(where: str, error: Exception) -> ParseError:
    """The failure, kind ``unstorable``, that this error of SQLite's is for an article."""
    said, hint = plain(str(error)), "It is tried again later; report this as a bug"
    return ParseError(f"it cannot be stored: {said}", kind="unstorable", where=plain(where), hint=hint)


def set_apart(
    db: Database, stamp: Callable[[], Commit], feed: int, refused: Sequence[tuple[Entry, Exception]]
) -> str | None:
    """Note entries of a feed that cannot be stored, each as an event ``unstorable`` with its item; a word for people.

    Once: of an entry that was set apart before nothing is noted. Inside the caller's transaction.
    """
    if not refused:
        return None
    (name,) = db.execute("SELECT name FROM feeds WHERE id = ?", [feed]).fetchone()
    told = [_set_apart(db, stamp, f"the list of {name}", entry, error) for entry, error in refused]
    return "; ".join([one for one in told if one][:_TOLD]) or None


def _set_apart(db: Database, stamp: Callable[[], Commit], place: str, entry: Entry, error: Exception) -> str | None:
    subject = plain(entry.id or entry.link or entry.title)
    known = "SELECT 1 FROM events WHERE kind = 'unstorable' AND subject = ? AND place = ?"
    if db.execute(known, [subject, place]).fetchone():
        return None
    item = add_item(db, stamp(), subject, entry.raw) if entry.raw else None
    message = f"an entry cannot be stored: {plain(str(error))}"
    values: dict[str, Value] = {"kind": "unstorable", "place": place, "subject": subject, "message": message}
    values["page"] = item
    insert(db, "events", values | {"commit": stamp().seq})
    return f"{subject}: {message}"


def plain(text: str) -> str:
    """A text that can be stored, for people: cut, and what is no character escaped."""
    return text[:500].encode("utf-8", "backslashreplace").decode("utf-8")
