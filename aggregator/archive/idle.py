"""Whether there is anything to do: asked by a `fetch --due` from cron, of which most have nothing to do.

To open the archive for writing costs more than to see that there is no need to: the modules that write, and a look
through the file. So nothing is written here and little imported, and every doubt means that there is something to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from aggregator.archive.connecting import connect, log_size
from aggregator.archive.enrolled import enrolled, host_in_use
from aggregator.archive.lock import WriterLock
from aggregator.archive.questions import ARTICLES, CALENDARS, EARLY, FEEDS, IMAGES, LOOKS, at
from aggregator.errors import ArchiveError
from aggregator.model import Feed

NEWEST = "m031_words_are_split_at_blanks"
"""The last migration, whose name is here because the migrations themselves are too much to import."""

_MIGRATIONS = "SELECT count(*), max(name) FROM _sqlite_migrations WHERE migration_set = 'aggregator'"
_LEFT = (  # by a process that ended, and taken up by the next one
    "SELECT 1 FROM work WHERE claimed_until IS NOT NULL",
    "SELECT 1 FROM image_work WHERE claimed_until IS NOT NULL",
    "SELECT 1 FROM rechecks WHERE claimed_until IS NOT NULL",
    "SELECT 1 FROM feeds WHERE renaming_to IS NOT NULL",
)
_REFUSED = (
    "SELECT 1 FROM work WHERE error_kind = 'robots' AND state = 'failed'",
    "SELECT 1 FROM image_work WHERE error_kind = 'robots' AND state = 'failed'",
)
_UNREAD = "SELECT 1 FROM work WHERE error_kind IN ('wrong_page', 'extract_failed') AND rules <> ?"
_BEHIND = "SELECT 1 FROM revisions WHERE id > coalesce((SELECT revision FROM {} WHERE version = ?), 0)"


class Versions:
    """Of what revisions are made with, each looked up where it is asked for: that takes longer than asking.

    ``rules`` are those that read pages, ``calendars`` the trading days at hand, if there are any.
    """

    def __init__(self, rules: Callable[[], str], calendars: Callable[[], str | None]) -> None:
        self.rules = rules
        self.calendars = calendars


def is_idle(
    path: Path, feeds: Sequence[Feed], wanted: Sequence[str], now: datetime, versions: Versions, *, robots: bool
) -> bool:
    """Whether the archive, opened for these ``feeds`` and those of them polled that are ``wanted`` and due, would stay.

    ``robots``: whether robots.txt is honoured; if not, what it forbade is tried again.
    """
    lock = WriterLock(path)
    try:
        if not path.is_file() or log_size(path):
            return False
        lock.acquire()
    except (ArchiveError, OSError):
        return False  # whoever opens it says so
    try:
        with closing(connect(path, "rw")) as db:
            db.execute("PRAGMA query_only = ON")
            return _is_ours(db) and _is_enrolled(db, feeds) and not _waits(db, wanted, now, versions, robots=robots)
    except (sqlite3.Error, OSError):
        return False
    finally:
        lock.release()


def _is_ours(db: sqlite3.Connection) -> bool:
    """Whether an archive has all migrations, and no other."""
    return bool(db.execute(_MIGRATIONS).fetchone() == (int(NEWEST[1:4]), NEWEST))


def _is_enrolled(db: sqlite3.Connection, feeds: Sequence[Feed]) -> bool:
    """Whether the feeds are the archive's active ones, with all that is kept of them."""
    wanted = [enrolled(feed, place) for place, feed in enumerate(feeds)]
    names = [*(wanted[0] if wanted else {"name": ""}), "moved_to", "way", "way_url"]
    rows = db.execute(f"SELECT {', '.join(names)} FROM feeds WHERE active")
    found = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    if len(found) != len(feeds):
        return False
    for feed, values in zip(feeds, wanted, strict=True):
        row = found.get(feed.name)
        host = host_in_use(feed, row["url"], row["moved_to"], row["way"], row["way_url"]) if row else None
        if row is None or not host or any(row[name] != value for name, value in (values | {"host": host}).items()):
            return False
    return True


def _waits(db: sqlite3.Connection, wanted: Sequence[str], now: datetime, versions: Versions, *, robots: bool) -> bool:
    values = at(now, early=EARLY)
    if any(name in wanted for name, _ in db.execute(FEEDS, values)):
        return True
    questions = [*_LEFT, *(() if robots else _REFUSED)]
    if any(_some(db, question) for question in questions):
        return True
    if any(_some(db, question, values) for question in (ARTICLES, LOOKS, f"SELECT 1 {IMAGES}")):
        return True
    return _is_behind(db) or _is_outdated(db, now, versions)


def _is_behind(db: sqlite3.Connection) -> bool:
    """Whether revisions are still to be indexed or compared with others."""
    from aggregator.identity.similarity import VERSION as COMPARED
    from aggregator.text.tokens import VERSION as INDEXED

    return _some(db, _BEHIND.format("indexed"), [INDEXED]) or _some(db, _BEHIND.format("compared"), [COMPARED])


def _is_outdated(db: sqlite3.Connection, now: datetime, versions: Versions) -> bool:
    """Whether other rules could read what these could not, or the trading days are to be filled in."""
    if _some(db, _UNREAD, [""]) and _some(db, _UNREAD, [versions.rules()]):
        return True
    if not _some(db, "SELECT 1 FROM symbols") or (version := versions.calendars()) is None:
        return False
    return not _some(db, CALENDARS, at(now) | {"version": version})


def _some(db: sqlite3.Connection, question: str, values: object = ()) -> bool:
    return db.execute(f"{question} LIMIT 1", values).fetchone() is not None  # type: ignore[arg-type]
