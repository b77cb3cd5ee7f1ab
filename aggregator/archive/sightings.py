"""What the listings said of an article: the entry that counts now, or counted when a revision was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aggregator.archive.lean import Database
from aggregator.model import Enclosure, Entry
from aggregator.text.dates import parse_iso

COLUMNS = (
    "e.id, e.guid, e.link, e.title, e.published, e.updated, e.intime, e.published_text, e.author, e.media, e.summary,"
    " e.content, e.full_text, e.categories, e.symbols, e.enclosures"
)
"""The columns that ``entry_of`` takes, as SQL."""

COUNTS = """counts(article, entry) AS (
    SELECT article, id FROM (
        SELECT task.article, said.id, row_number() OVER (
            PARTITION BY task.article
            ORDER BY f.source = 'import', said.updated DESC, f.name = task.home DESC, said.id DESC
        ) AS place
        FROM task CROSS JOIN entries said ON said.article = task.article JOIN feeds f ON f.id = said.feed
        WHERE :until IS NULL OR said."commit" <= :until
    ) WHERE place = 1
)"""
"""The entry that counts for each article of ``task(article, home)``, as a common table expression.

That is the latest edit, the home feed's words where several know it; what a listing says before what a document does.
"""


def latest(db: Database, article: int, home: str, until: int) -> Entry:
    """What the entry said that counted at a commit: of those that commits up to that one know."""
    return entry(db, latest_numbers(db, [(article, home)], until)[article])


def latest_numbers(db: Database, tasks: Sequence[tuple[int, str]], until: int | None = None) -> dict[int, int]:
    """The number of the entry that counts now, for each article; they come with the names of their homes."""
    given = "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:tasks)"
    found = f"WITH task(article, home) AS ({given}), {COUNTS} SELECT article, entry FROM counts"
    return dict(db.execute(found, {"tasks": json.dumps(tasks), "until": until}).fetchall())


def entry(db: Database, number: int) -> Entry:
    """The entry of that number."""
    return entry_of(db.execute(f"SELECT {COLUMNS} FROM entries e WHERE e.id = ?", [number]).fetchone())


def entry_of(row: Sequence[Any]) -> Entry:
    """The entry of a row of ``COLUMNS``."""
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
