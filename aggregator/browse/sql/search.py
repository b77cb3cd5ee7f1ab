"""What the search page asks. However many hits there are, the newest ``MOST`` are looked at and no others."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aggregator.browse.archives import Connection, Row, rows
from aggregator.browse.sql.news import LINE, LINE_FROM

MOST = 10_000
_RANK = "bm25(revisions_fts, 5.0, 1.0, 2.0)"  # a word of the title counts five times; the lower the better
_THEN = '(SELECT id FROM revisions WHERE article = a.id AND "commit" <= :until ORDER BY n DESC LIMIT 1)'
_AGO = 'AND revisions_fts.rowid <= (SELECT max(id) FROM revisions WHERE "commit" <= :until)'
_MATCHED = (
    "SELECT revisions_fts.rowid AS id, {score} AS score FROM revisions_fts WHERE revisions_fts MATCH :match {ago}"
    " ORDER BY revisions_fts.rowid DESC LIMIT :most"
)
_OF_SYMBOL = (
    "SELECT a.revision AS id, 0 AS score FROM (SELECT article FROM symbols WHERE symbol = :symbol"
    " ORDER BY article DESC LIMIT :most) s JOIN articles a ON a.id = s.article WHERE a.revision IS NOT NULL"
)
_NEWEST = "SELECT id, 0 AS score FROM revisions ORDER BY id DESC LIMIT :most"


def hits(
    connection: Connection, match: str | None, symbol: str | None, until: int | None, *, ranked: bool
) -> list[Row]:
    """The newest versions that have the words, with what they are sorted and counted by, newest to us first.

    Without words those of a symbol, or all. ``until`` is a commit: the versions of then.
    """
    ago = "" if until is None else _AGO
    which = "r.id = a.revision" if until is None else f"r.id = {_THEN}"
    found = _OF_SYMBOL if symbol else _NEWEST
    if match is not None:
        found = _MATCHED.format(score=_RANK if ranked else 0, ago=ago)
    return rows(
        connection,
        f"WITH found AS MATERIALIZED ({found}) SELECT r.id, found.score, f.name AS feed, r.media, r.categories,"
        " r.symbols, coalesce(r.published, a.first_seen) AS at"
        " FROM found CROSS JOIN revisions r ON r.id = found.id CROSS JOIN articles a ON a.id = r.article"
        f" LEFT JOIN feeds f ON f.id = a.home_feed WHERE {which} ORDER BY r.id DESC",
        {"match": match, "symbol": symbol, "until": until, "most": MOST},
    )


def symbols(connection: Connection, codes: Sequence[str]) -> list[str]:
    """Those of some codes that articles are tagged with."""
    found = connection.execute(
        "SELECT DISTINCT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM symbols WHERE symbol = value)",
        [json.dumps(list(codes))],
    )
    return [symbol for (symbol,) in found]


def shown(connection: Connection, numbers: Sequence[int]) -> list[Row]:
    """What a page of hits shows of these versions, in their order."""
    source = LINE_FROM.replace("r.id = a.revision", "r.article = a.id")
    found = rows(
        connection,
        f"SELECT r.id AS revision, r.body, r.summary, r.rule, r.id = a.revision AS current, {LINE} FROM {source}"
        " WHERE r.id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(numbers))],
    )
    by_number = {row["revision"]: row for row in found}
    return [by_number[number] for number in numbers if number in by_number]
