"""Which articles name which symbol, since when the archive knows, and when that could first be traded on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from aggregator.archive.lean import Database
from aggregator.archive.questions import CALENDARS, at
from aggregator.archive.rows import transaction
from aggregator.markets import Session
from aggregator.model import Clock
from aggregator.text.dates import iso, parse_iso

_LEAD = timedelta(days=30)  # sessions are kept from so long before the archive's first commit on


def add_symbols(db: Database, named: Iterable[tuple[int, int, Sequence[str]]]) -> None:
    """Note which symbols articles name in new revisions; the first one to do so counts.

    Inside the caller's transaction.
    """
    db.conn.executemany(
        "INSERT OR IGNORE INTO symbols (symbol, article, revision) VALUES (?, ?, ?)",
        [(symbol, article, revision) for article, revision, symbols in named for symbol in symbols],
    )


def calendars_wanted(db: Database, clock: Clock, version: str) -> datetime | None:
    """From when on trading sessions are to be filled in, ``None`` while those that are there will do.

    They are filled where an article names a symbol: at first, then every 30 days and with each other version of the
    calendars.
    """
    if not db.execute("SELECT 1 FROM symbols LIMIT 1").fetchone():
        return None
    if db.execute(CALENDARS, at(clock()) | {"version": version}).fetchone():
        return None
    (first,) = db.execute("SELECT min(at) FROM commits").fetchone()
    return parse_iso(first) - _LEAD


def fill_sessions(db: Database, clock: Clock, version: str, sessions: Iterable[Session]) -> None:
    """Make these the known sessions."""
    with transaction(db):
        db.execute("DELETE FROM sessions")
        db.conn.executemany(
            "INSERT INTO sessions (exchange, opens, closes) VALUES (?, ?, ?)",
            ((one.exchange, iso(one.opens), iso(one.closes)) for one in sessions),
        )
        db.execute("DELETE FROM calendars")
        db.execute("INSERT INTO calendars (version, filled) VALUES (?, ?)", [version, iso(clock())])
