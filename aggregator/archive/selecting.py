"""Articles and pages chosen for other programs, as many as there are, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator

from aggregator.archive.lean import Database
from aggregator.archive.rows import stored_page
from aggregator.archive.searching import Wanted, conditions, values
from aggregator.model import Page

Row = dict[str, object]

# Without the index's help: what is chosen is walked through as a whole, and `limit` is of the walk.
_CHOSEN = "FROM revisions r JOIN articles a ON a.id = r.article AND a.document NOT NULL WHERE {where}"
_FOUND = "r.id IN (SELECT rowid FROM revisions_fts WHERE revisions_fts MATCH :match)"
_LISTS = ("categories", "keywords", "symbols")


def articles(db: Database, wanted: Wanted) -> Iterator[Row]:
    """The articles that are wanted, as they were seen: from the oldest on, or in the order "seen" from the newest.

    Without ``match`` every one. ``offset`` and the other orders are not for this.

    Raises:
        ConfigError: the archive knows no feed of such a name.
    """
    way = "DESC" if wanted.order == "seen" else "ASC"
    rows = db.query(
        f"WITH chosen AS (SELECT r.id {_where(wanted)} ORDER BY r.id {way} LIMIT :limit)"
        " SELECT a.key, r.url, r.title, r.published, a.first_seen, c.at AS seen, r.media, r.author, f.name AS feed,"
        " r.categories, r.keywords, r.symbols, r.reason, r.rule, r.body, r.summary"
        " FROM chosen JOIN revisions r USING (id) JOIN articles a ON a.id = r.article"
        ' JOIN commits c ON c.seq = r."commit"'
        f" LEFT JOIN feeds f ON f.id = a.home_feed ORDER BY r.id {way}",
        values(db, wanted),
    )
    return ({**row, **{name: json.loads(str(row[name] or "[]")) for name in _LISTS}} for row in rows)


def pages(db: Database, wanted: Wanted) -> Iterator[Page]:
    """The pages the wanted articles were read from, in the order they came; those whose bytes are still kept.

    Raises:
        ConfigError: the archive knows no feed of such a name.
    """
    numbers = db.execute(
        f"SELECT id FROM pages WHERE kind = 'article' AND bytes NOT NULL AND id IN (SELECT r.page {_where(wanted)})"
        " ORDER BY id LIMIT :limit",
        values(db, wanted),
    ).fetchall()
    return (stored_page(db, number) for (number,) in numbers)


def _where(wanted: Wanted) -> str:
    return _CHOSEN.format(where=" AND ".join([*conditions(wanted), *([_FOUND] if wanted.match else [])]))
