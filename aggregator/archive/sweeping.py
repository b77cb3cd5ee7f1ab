"""Until when each list was looked through for what joins it late, and whether it is time to do so again."""

from __future__ import annotations

from datetime import datetime

from aggregator.archive.lean import Database
from aggregator.archive.rows import Value, transaction, when
from aggregator.model import Clock, Discovery, Feed
from aggregator.text.dates import iso, parse_iso
from aggregator.windows import reach, sweep


def swept_by(now: datetime, found: Discovery, swept: str | None, reached: str | None) -> dict[str, Value]:
    """What a poll changes of a feed's ``swept`` and ``reach``: its listing may reach back far enough by itself."""
    dates = [one.entry.published for one in found.entries if one.entry.published]
    ends = when(reach(dates)) if found.entries else reached
    return {"swept": iso(sweep(now, _read(swept), _read(ends)).at), "reach": ends}


def goal(db: Database, clock: Clock, feed: Feed) -> datetime | None:
    """How far back a feed's list is to be read now for what joined it late; ``None``: it is not time for that."""
    row = db.execute("SELECT swept, reach FROM feeds WHERE name = ?", [feed.name]).fetchone()
    return sweep(clock(), _read(row[0]), _read(row[1])).goal if row else None


def is_due(now: datetime, values: dict[str, Value]) -> bool:
    """Whether a list is to be looked through, going by what ``swept_by`` gave."""
    swept, reached = (values[name] for name in ("swept", "reach"))
    return sweep(now, _read(str(swept)), _read(str(reached) if reached else None)).goal is not None


def swept(db: Database, clock: Clock, feed: Feed) -> None:
    """Note that a list was looked through."""
    with transaction(db):
        db.execute("UPDATE feeds SET swept = ? WHERE name = ?", [iso(clock()), feed.name])


def _read(text: str | None) -> datetime | None:
    return parse_iso(text) if text else None
