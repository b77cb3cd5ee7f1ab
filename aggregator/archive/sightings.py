"""What the listings said of an article: the entry that counts now, or counted when a revision was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aggregator.archive.lean import Database
from aggregator.model import Enclosure, Entry
from aggregator.text.dates import parse_iso

_COLUMNS = (
    "id, guid, link, title, published, updated, intime, published_text, author, media, summary, content, full_text,"
    " categories, symbols, enclosures"
)
# The latest edit, the home feed's words where several know it; what a listing says before what a document does.
_LATEST = """
    WITH task(article, home) AS (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:tasks))
    SELECT article, id FROM (
        SELECT task.article, e.id, row_number() OVER (
            PARTITION BY task.article ORDER BY f.source = 'import', updated DESC, f.name = task.home DESC, e.id DESC
        ) AS place
        FROM task CROSS JOIN entries e ON e.article = task.article JOIN feeds f ON f.id = e.feed
        WHERE :until IS NULL OR e."commit" <= :until
    ) WHERE place = 1
"""


def latest(db: Database, article: int, home: str, until: int) -> Entry:
    """What the entry said that counted at a commit: of those that commits up to that one know."""
    return entry(db, latest_numbers(db, [(article, home)], until)[article])


def latest_numbers(db: Database, tasks: Sequence[tuple[int, str]], until: int | None = None) -> dict[int, int]:
    """The number of the entry that counts, for each article; they come with the names of their homes.

    With ``until`` the one that counted at that commit.
    """
    return dict(db.execute(_LATEST, {"tasks": json.dumps(tasks), "until": until}).fetchall())


def entry(db: Database, number: int) -> Entry:
    """The entry of that number."""
    return entries(db, [number])[number]


def entries(db: Database, numbers: Sequence[int]) -> dict[int, Entry]:
    """The entries of these numbers."""
    wanted = f"SELECT {_COLUMNS} FROM entries WHERE id IN (SELECT value FROM json_each(?))"
    return {row[0]: _entry(row) for row in db.execute(wanted, [json.dumps(numbers)])}


def _entry(row: Sequence[Any]) -> Entry:
    _, guid, link, title, published, updated, intime, published_text, author, media, summary, content, *more = row
    full_text, categories, symbols, enclosures = more
    return Entry(
        id=guid,
        link=link,
        title=title,
        published=_instant(published),
        updated=_instant(updated),
        indexed=_instant(intime),
        published_text=published_text,
        author=author,
        media=media,
        summary=summary,
        original=content,
        full_text=bool(full_text),
        categories=_names(categories),
        symbols=_names(symbols),
        enclosures=tuple(Enclosure(**one) for one in json.loads(enclosures)) if enclosures else (),
    )


def _instant(text: str | None) -> datetime | None:
    return parse_iso(text) if text else None


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()
