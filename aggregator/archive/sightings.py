"""What the listings said of an article: the entry that counts now, or counted when a revision was made."""

from __future__ import annotations

import json
from datetime import datetime

from aggregator.archive.lean import Database
from aggregator.model import Enclosure, Entry
from aggregator.text.dates import parse_iso

_COLUMNS = (
    "e.id, guid, link, title, published, updated, intime, published_text, author, media, summary, content,"
    " e.full_text, e.categories, symbols, enclosures"
)
_LATEST = (
    'FROM entries e JOIN feeds f ON f.id = e.feed WHERE article = :article AND (:until IS NULL OR e."commit" <= :until)'
    " ORDER BY f.source = 'import', updated DESC, f.name = :home DESC, e.id DESC LIMIT 1"
)


def latest(db: Database, article: int, home: str, until: int | None = None) -> tuple[int, Entry]:
    """The number of the entry that counts, and what it says: the latest edit, the home feed's words where several
    know it; what a listing says before what a document does. With ``until`` of those that commits up to that one know.
    """
    rows = db.query(f"SELECT {_COLUMNS} {_LATEST}", {"article": article, "until": until, "home": home})
    row = next(iter(rows))
    return row["id"], _entry(row)


def latest_number(db: Database, article: int, home: str) -> int:
    """The number alone of the entry that counts now."""
    values = {"article": article, "until": None, "home": home}
    return int(db.execute(f"SELECT e.id {_LATEST}", values).fetchone()[0])


def entry(db: Database, number: int) -> Entry:
    """The entry of that number."""
    return _entry(next(iter(db.query(f"SELECT {_COLUMNS} FROM entries e WHERE e.id = ?", [number]))))


def _entry(row: dict[str, str]) -> Entry:
    return Entry(
        id=row["guid"],
        link=row["link"],
        title=row["title"],
        published=_instant(row["published"]),
        updated=_instant(row["updated"]),
        indexed=_instant(row["intime"]),
        published_text=row["published_text"],
        author=row["author"],
        media=row["media"],
        summary=row["summary"],
        original=row["content"],
        full_text=bool(row["full_text"]),
        categories=tuple(json.loads(row["categories"] or "[]")),
        symbols=tuple(json.loads(row["symbols"] or "[]")),
        enclosures=tuple(Enclosure(**one) for one in json.loads(row["enclosures"] or "[]")),
    )


def _instant(text: str | None) -> datetime | None:
    return parse_iso(text) if text else None
