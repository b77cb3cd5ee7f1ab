"""The daemon's own jobs: when each ran last, and what came of it. So a weekly one is done where no day lasts a week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aggregator.archive.lean import Database
from aggregator.model import Clock
from aggregator.text.dates import iso, parse_iso

STATES = "SELECT name, began, ended, seconds, said, failures, error_kind, error FROM jobs ORDER BY name"


@dataclass(frozen=True, slots=True)
class Ran:
    """When a job last began, when it last came to its end without an error, and how often it has failed since."""

    began: datetime
    ended: datetime | None
    failures: int


def runs(db: Database) -> dict[str, Ran]:
    """The jobs that ever began, by name."""
    rows = db.execute("SELECT name, began, ended, failures FROM jobs").fetchall()
    return {name: Ran(parse_iso(began), parse_iso(ended) if ended else None, n) for name, began, ended, n in rows}


def begin(db: Database, clock: Clock, name: str) -> None:
    """Note that a job begins; what came of the last time stays until it ends."""
    db.execute(
        "INSERT INTO jobs (name, began) VALUES (?, ?) ON CONFLICT DO UPDATE SET began = excluded.began",
        [name, iso(clock())],
    )


def end(db: Database, clock: Clock, name: str, said: str, seconds: float) -> None:
    """Note that a job came to its end, and what it did."""
    _know(db, clock, name)
    done = "ended = ?, said = ?, seconds = ?, failures = 0, error_kind = NULL, error = NULL"
    db.execute(f"UPDATE jobs SET {done} WHERE name = ?", [iso(clock()), said, round(seconds, 3), name])


def fail(db: Database, clock: Clock, name: str, kind: str, error: str) -> None:
    """Note why a job came to nothing."""
    _know(db, clock, name)
    failed = "failures = failures + 1, error_kind = ?, error = ?"
    db.execute(f"UPDATE jobs SET {failed} WHERE name = ?", [kind, error, name])


def _know(db: Database, clock: Clock, name: str) -> None:
    """Have a row for a job that comes too often for each beginning to be noted."""
    db.execute("INSERT INTO jobs (name, began) VALUES (?, ?) ON CONFLICT DO NOTHING", [name, iso(clock())])
