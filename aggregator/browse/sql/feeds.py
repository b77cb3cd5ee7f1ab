"""The articles of a feed that we publish: the versions we had last, of a feed, with words, of a stock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import built_in
from aggregator.browse.archives import Connection, Row, rows

_LISTS = ("categories", "keywords", "symbols")
# Where the walk begins, newest first; each is an order that an index has, and looks at so many rows at most.
_MATCHING = "SELECT rowid AS id FROM revisions_fts WHERE revisions_fts MATCH :match ORDER BY rowid DESC LIMIT 10000"
_NAMING = (
    "SELECT a.revision AS id FROM (SELECT article FROM symbols WHERE symbol = :symbol ORDER BY article DESC LIMIT 1000)"
    " JOIN articles a ON a.id = article ORDER BY id DESC"
)
_LISTED = (
    "SELECT a.revision AS id FROM (SELECT DISTINCT article FROM"
    " (SELECT article FROM entries WHERE feed = :feed ORDER BY id DESC LIMIT 1000))"
    " JOIN articles a ON a.id = article ORDER BY id DESC"
)
_ALL = "SELECT id FROM revisions ORDER BY id DESC LIMIT 10000"
_IN_FEED = "EXISTS (SELECT 1 FROM entries WHERE article = a.id AND feed = :feed)"
_NAMES = "EXISTS (SELECT 1 FROM symbols WHERE article = a.id AND symbol = :symbol)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a feed of ours shall hold. ``feed`` is the number of one, ``match`` an expression of FTS5."""

    feed: int | None = None
    match: str | None = None
    symbol: str | None = None


def feed_number(connection: Connection, name: str) -> int | None:
    """The number of a feed of the archive."""
    row = connection.execute("SELECT id FROM feeds WHERE name = ?", [name]).fetchone()
    return int(row[0]) if row else None


def newest(connection: Connection, asked: Asked, limit: int) -> list[int]:
    """The versions it holds, newest first; current ones that have a document."""
    source = _MATCHING if asked.match else _NAMING if asked.symbol else _LISTED if asked.feed else _ALL
    wanted = ["r.id = a.revision", "a.document NOT NULL", "r.reason IS NOT 'dropped'"]
    wanted += [_IN_FEED] * (asked.feed is not None) + [_NAMES] * (asked.symbol is not None)
    found = connection.execute(
        f"SELECT r.id FROM ({source}) one CROSS JOIN revisions r ON r.id = one.id"
        f" CROSS JOIN articles a ON a.id = r.article WHERE {' AND '.join(wanted)} LIMIT :limit",
        {"feed": asked.feed, "match": asked.match, "symbol": asked.symbol, "limit": limit},
    )
    return [number for (number,) in found]


def articles(connection: Connection, revisions: Sequence[int]) -> Iterator[Row]:
    """Versions with all that an Atom entry, a row of CSV or of JSON tells, in the order they are named."""
    found = rows(
        connection,
        "SELECT r.id AS revision, a.id, a.key, r.url, r.title, r.published, a.first_seen, c.at AS seen, r.media,"
        " r.author, f.name AS feed, r.categories, r.keywords, r.symbols, r.reason, r.rule, r.body, r.summary"
        " FROM json_each(:numbers) one CROSS JOIN revisions r ON r.id = one.value JOIN articles a ON a.id = r.article"
        ' JOIN commits c ON c.seq = r."commit" LEFT JOIN feeds f ON f.id = a.home_feed ORDER BY one.key',
        {"numbers": json.dumps(list(revisions))},
    )
    return (_told(row) for row in found)


def _told(row: Row) -> Row:
    text = text_of(row["body"], row["rule"], built_in()) if row["body"] else row["summary"] or ""
    return {**row, **{name: json.loads(str(row[name] or "[]")) for name in _LISTS}, "text": text}
