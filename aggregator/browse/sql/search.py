"""What the search page asks. However many hits there are, the newest ``MOST`` are looked at and no others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aggregator.browse.archives import Connection, Row, rows
from aggregator.browse.sql.news import LINE, LINE_FROM

MOST = 10_000
_RANK = "bm25(revisions_fts, 5.0, 1.0, 2.0)"  # a word of the title counts five times; the lower the better
_MATCHED = (
    "FROM revisions_fts WHERE revisions_fts MATCH :match AND revisions_fts.rowid <= :last"
    " ORDER BY revisions_fts.rowid DESC LIMIT :most"
)
_FINE = "1e15"  # a rank is between 0 and -50, and of words that most texts have 1e-6
# By an index that has the numbers and little else, in their order: commits come one after another as versions do.
_NEWEST = 'SELECT id FROM revisions WHERE id <= :last ORDER BY "commit" DESC, id DESC LIMIT :most'
_OF_SYMBOL = "SELECT revision AS id FROM symbols WHERE symbol = :symbol ORDER BY article DESC LIMIT :most"
_MILLISECONDS = "cast(round((julianday(at) - 2440587.5) * 86400000) AS INTEGER)"  # since 1970
_ALL = 2**62  # versions


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of versions, newest to us first, and their ranks, the lower the better: with commas between them.

    One text costs a tenth of as many rows. ``followed``: not these are wanted, but the last ones of their articles.
    """

    numbers: str
    ranks: str | None = None
    followed: bool = False


NOTHING = Found("")


def matching(connection: Connection, match: str | None, symbol: str | None, last: int | None) -> Found:
    """The newest versions that have the words.

    Without words the first ones of their articles that named a symbol, or all. ``last`` is the newest that is wanted.
    """
    found = f"SELECT rowid {_MATCHED}" if match is not None else _OF_SYMBOL if symbol else _NEWEST
    values = {"match": match, "symbol": symbol, "last": _ALL if last is None else last, "most": MOST}
    told = connection.execute(f"WITH found(id) AS ({found}) SELECT group_concat(id) FROM found", values).fetchone()
    return Found(told[0] or "", followed=match is None and symbol is not None)


def ranked(connection: Connection, match: str, last: int | None) -> Found:
    """The newest versions that have the words, with their ranks."""
    found = f"SELECT rowid, cast({_RANK} * {_FINE} AS INTEGER) {_MATCHED}"
    numbers, ranks = connection.execute(
        f"WITH found(id, rank) AS ({found}) SELECT group_concat(id), group_concat(rank) FROM found",
        {"match": match, "last": _ALL if last is None else last, "most": MOST},
    ).fetchone()
    return Found(numbers or "", ranks or "")


def last_of(connection: Connection, until: int) -> int:
    """The newest version there was at a commit."""
    found = connection.execute('SELECT max(id) FROM revisions WHERE "commit" <= ?', [until]).fetchone()
    return int(found[0] or 0)


def state(connection: Connection) -> tuple[int, int]:
    """The newest version, and the last tombstone."""
    found = connection.execute(
        "SELECT coalesce((SELECT max(id) FROM revisions), 0), coalesce((SELECT max(rowid) FROM tombstones), 0)"
    ).fetchone()
    return found[0], found[1]


def superseded(connection: Connection, newest: int) -> list[int]:
    """The versions up to one whose articles have got another one since."""
    found = connection.execute(
        "SELECT earlier.id FROM revisions r CROSS JOIN revisions earlier ON earlier.article = r.article"
        " WHERE r.id > :newest AND earlier.id <= :newest",
        {"newest": newest},
    )
    return [number for (number,) in found]


def traits(connection: Connection, numbers: Sequence[int]) -> list[Sequence[Any]]:
    """What versions are sorted and counted by: see ``traits.Traits``."""
    found: list[Sequence[Any]] = connection.execute(
        f"SELECT id, current, following, at, coalesce({_MILLISECONDS}, 0), home_feed, media, categories, symbols"
        " FROM (SELECT r.id, coalesce(r.id = a.revision, 0) AS current, coalesce((SELECT id FROM revisions"
        " WHERE article = r.article AND n > r.n ORDER BY n LIMIT 1), 0) AS following,"
        " coalesce(r.published, a.first_seen) AS at, coalesce(a.home_feed, 0) AS home_feed, r.media, r.categories,"
        " r.symbols FROM json_each(?) one CROSS JOIN revisions r ON r.id = one.value"
        " CROSS JOIN articles a ON a.id = r.article)",
        [json.dumps(list(numbers))],
    ).fetchall()
    return found


def feeds(connection: Connection) -> dict[int, str]:
    """The feeds' names by their numbers."""
    return dict(connection.execute("SELECT id, name FROM feeds"))


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
