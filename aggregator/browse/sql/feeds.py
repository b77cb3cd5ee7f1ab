"""Articles for other programs: the versions we had last, of a feed, with words, of a stock, of some days."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import built_in
from aggregator.browse.archives import Connection, Row, rows

MOST = 10_000  # rows that are looked at, whatever the archive's size
_NEAR = 1_000  # of the newest, that are looked at first
_LISTS = ("categories", "keywords", "symbols")
_TIME = "coalesce(a.published, a.first_seen)"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which articles are wanted; ``None`` is no matter.

    ``match`` is an expression of FTS5, ``symbols`` a JSON array of stocks of which any will do, ``feed`` the number of
    one that announced them, ``since`` the first instant of publication and ``until`` the first no longer wanted,
    ``before`` a version behind which the answer goes on.
    """

    match: str | None = None
    symbol: str | None = None
    symbols: str | None = None
    feed: int | None = None
    since: str | None = None
    until: str | None = None
    media: str | None = None
    category: str | None = None
    before: int | None = None


# Where the walk begins: the first of these that is asked for. Each is bounded, and newest first; without a limit of its
# own a part of a query has no order.
_SOURCES = {
    "match": "SELECT rowid AS id FROM revisions_fts WHERE revisions_fts MATCH :match"
    " AND (:before IS NULL OR rowid < :before) ORDER BY rowid DESC LIMIT :most",
    "symbol": "SELECT a.revision AS id FROM (SELECT article FROM symbols WHERE symbol = :symbol"
    " ORDER BY article DESC LIMIT :most) JOIN articles a ON a.id = article ORDER BY id DESC LIMIT :most",
    "symbols": "SELECT a.revision AS id FROM (SELECT DISTINCT s.article FROM json_each(:symbols) one"
    " CROSS JOIN symbols s ON s.symbol = one.value ORDER BY s.article DESC LIMIT :most)"
    " JOIN articles a ON a.id = article ORDER BY id DESC LIMIT :most",
    "feed": "SELECT a.revision AS id FROM (SELECT DISTINCT article FROM (SELECT article FROM entries"
    " WHERE feed = :feed ORDER BY id DESC LIMIT :most)) JOIN articles a ON a.id = article ORDER BY id DESC LIMIT :most",
    "since": "SELECT revision AS id FROM (SELECT revision FROM articles WHERE published >= :since"
    " ORDER BY published LIMIT :most) ORDER BY id DESC LIMIT :most",
    "until": "SELECT revision AS id FROM (SELECT revision FROM articles WHERE published < :until"
    " ORDER BY published DESC LIMIT :most) ORDER BY id DESC LIMIT :most",
    "": "SELECT id FROM revisions WHERE :before IS NULL OR id < :before ORDER BY id DESC LIMIT :most",
}
_CONDITIONS = {
    "symbol": "EXISTS (SELECT 1 FROM symbols WHERE article = a.id AND symbol = :symbol)",
    "symbols": "EXISTS (SELECT 1 FROM symbols WHERE article = a.id"
    " AND symbol IN (SELECT value FROM json_each(:symbols)))",
    "feed": "EXISTS (SELECT 1 FROM entries WHERE article = a.id AND feed = :feed)",
    "since": f"{_TIME} >= :since",
    "until": f"{_TIME} < :until",
    "media": "r.media = :media",
    "category": "EXISTS (SELECT 1 FROM json_each(r.categories) WHERE value = :category)",
    "before": "r.id < :before",
}


def feed_number(connection: Connection, names: Sequence[str]) -> tuple[int, str] | None:
    """Number and name of the first feed of these names that the archive knows."""
    found = "SELECT f.id, f.name FROM json_each(?) one JOIN feeds f ON f.name = one.value ORDER BY one.key LIMIT 1"
    row = connection.execute(found, [json.dumps(list(names))]).fetchone()
    return (int(row[0]), str(row[1])) if row else None


def newest(connection: Connection, asked: Asked, limit: int) -> list[int]:
    """The versions wanted, newest first; current ones that have a document."""
    source = next(name for name in _SOURCES if not name or getattr(asked, name) is not None)
    if source not in ("", "match"):
        # Most often enough of the newest of all are wanted; else all that the source has is put in order.
        found = _walked(connection, asked, "", _NEAR, limit)
        if len(found) == limit:
            return found
    return _walked(connection, asked, source, MOST, limit)


def _walked(connection: Connection, asked: Asked, source: str, most: int, limit: int) -> list[int]:
    """The first versions wanted among so many of a source."""
    said = {name: value for name, value in asdict(asked).items() if value is not None}
    wanted = ["r.id = a.revision", "a.document NOT NULL", "r.reason IS NOT 'dropped'"]
    wanted += [condition for name, condition in _CONDITIONS.items() if name in said]
    found = connection.execute(
        f"SELECT r.id FROM ({_SOURCES[source]}) one CROSS JOIN revisions r ON r.id = one.id"
        f" CROSS JOIN articles a ON a.id = r.article WHERE {' AND '.join(wanted)} LIMIT :limit",
        {**asdict(asked), "most": most, "limit": limit},
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
    return {**row, **{name: json.loads(row[name] or "[]") for name in _LISTS}, "text": text}
