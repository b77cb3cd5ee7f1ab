"""Answers to a search: which versions have the words, and what is known of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from aggregator.archive.lean import Database
from aggregator.archive.rows import when
from aggregator.errors import ConfigError

Order = Literal["rank", "recent", "time", "seen"]

_RANK = "bm25(revisions_fts, 5.0, 1.0, 2.0)"  # a word of the title counts five times; the lower the better
_TIME = "coalesce(r.published, a.first_seen)"
_AGE = f"max(0, julianday(:now) - julianday({_TIME}))"  # days
# What each order goes by, and which way; the index itself is in the order of "seen", so that its first hits cost the
# same however many there are.
_ORDERS: dict[Order, tuple[str, str]] = {
    "rank": (_RANK, "ASC"),
    "recent": (f"{_RANK} / (1 + {_AGE} / 30)", "ASC"),  # a month halves what a hit is worth
    "time": (_TIME, "DESC"),
    "seen": ("revisions_fts.rowid", "DESC"),
}
_THEN = '(SELECT id FROM revisions WHERE article = a.id AND "commit" <= :until ORDER BY n DESC LIMIT 1)'
_SEEN_IN = (
    "EXISTS (SELECT 1 FROM entries WHERE article = a.id AND feed IN (SELECT value FROM json_each(:feeds))"
    ' AND (:until IS NULL OR "commit" <= :until))'
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for. Of several feeds, categories, media or symbols any one will do.

    ``match`` is ``text.query.match_of`` a query. ``since`` is the first instant and ``before`` the first one no longer
    wanted, of publication or else of our first sight. ``until`` is a commit: what was known then, in the version of
    then. ``every``: older versions, too. ``now`` is what ``recent`` counts from.
    """

    match: str
    feeds: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    since: datetime | None = None
    before: datetime | None = None
    until: int | None = None
    every: bool = False
    order: Order = "rank"
    now: datetime | None = None
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A version that was found. Instants are as stored; ``feed`` is the article's home; ``seen`` is of this version.

    ``rank`` is bm25, the lower the better, where hits are in its order.
    """

    revision: int
    key: str
    n: int
    current: bool
    title: str
    url: str
    published: str | None
    first_seen: str
    seen: str
    media: str | None
    feed: str | None
    categories: tuple[str, ...]
    symbols: tuple[str, ...]
    reason: str | None
    rule: str | None
    body: str
    summary: str | None
    rank: float | None


def search(db: Database, wanted: Wanted) -> Iterator[Hit]:
    """The hits in their order, ``limit`` of them after the first ``offset``.

    Raises:
        ConfigError: the archive knows no feed of such a name.
    """
    score, way = _ORDERS[wanted.order]
    ranked = wanted.order in ("rank", "recent")
    # By the rowid alone FTS5 needs not sort, and ends with the last hit that is shown.
    order = "revisions_fts.rowid DESC" if wanted.order == "seen" else f"score {way}, revisions_fts.rowid DESC"
    # Found and put in order without the texts, which only the hits shown are read for.
    rows = db.query(
        f"WITH found(id, score) AS MATERIALIZED (SELECT revisions_fts.rowid, {score} AS score FROM revisions_fts"
        " CROSS JOIN revisions r ON r.id = revisions_fts.rowid CROSS JOIN articles a ON a.id = r.article"
        f" WHERE revisions_fts MATCH :match AND {' AND '.join([*_ago(wanted), *conditions(wanted)])}"
        f" ORDER BY {order} LIMIT :limit OFFSET :offset)"
        " SELECT r.id AS revision, a.key, r.n, a.revision = r.id AS current, r.title, r.url, r.published, a.first_seen,"
        " c.at AS seen, r.media, f.name AS feed, r.categories, r.symbols, r.reason, r.rule, r.body, r.summary,"
        f" {'score' if ranked else 'NULL'} AS rank"
        " FROM found JOIN revisions r USING (id) JOIN articles a ON a.id = r.article"
        ' JOIN commits c ON c.seq = r."commit" LEFT JOIN feeds f ON f.id = a.home_feed'
        f" ORDER BY score {way}, r.id DESC",
        values(db, wanted),
    )
    return (Hit(**_as_held(row)) for row in rows)


def _ago(wanted: Wanted) -> Iterator[str]:
    """How far into the index is looked."""
    if wanted.until is not None:
        yield 'revisions_fts.rowid <= (SELECT max(id) FROM revisions WHERE "commit" <= :until)'


def conditions(wanted: Wanted) -> Iterator[str]:
    """What is wanted beside the words, as SQL over a revision ``r`` and its article ``a``, with ``values``."""
    if not wanted.every:
        yield "r.id = a.revision" if wanted.until is None else f"r.id = {_THEN}"
    if wanted.since:
        yield f"{_TIME} >= :since"
    if wanted.before:
        yield f"{_TIME} < :before"
    if wanted.feeds:
        yield _SEEN_IN
    if wanted.media:
        yield "r.media IN (SELECT value FROM json_each(:media))"
    for name in ("categories", "symbols"):
        if getattr(wanted, name):
            has = (
                "SELECT 1 FROM json_each(r.{0}) one JOIN json_each(:{0}) asked ON lower(one.value) = lower(asked.value)"
            )
            yield f"EXISTS ({has.format(name)})"
    yield "true"


def values(db: Database, wanted: Wanted) -> dict[str, object]:
    """What the parameters of ``conditions`` stand for.

    Raises:
        ConfigError: the archive knows no feed of such a name.
    """
    instants = {"since": wanted.since, "before": wanted.before, "now": wanted.now}
    lists = {"categories": wanted.categories, "media": wanted.media, "symbols": wanted.symbols}
    return {
        "match": wanted.match,
        "until": wanted.until,
        "limit": wanted.limit,
        "offset": wanted.offset,
        "feeds": json.dumps([_feed(db, name) for name in wanted.feeds]),
        **{name: when(at) for name, at in instants.items()},
        **{name: json.dumps(values) for name, values in lists.items()},
    }


def _feed(db: Database, name: str) -> int:
    row = db.execute("SELECT id FROM feeds WHERE name = ?", [name]).fetchone()
    if row is None:
        raise ConfigError("the archive knows no such feed", where=name, hint="`aggregator status` shows those it knows")
    return int(row[0])


def _as_held(row: dict[str, object]) -> dict[str, Any]:
    lists = {name: tuple(json.loads(str(row[name] or "[]"))) for name in ("categories", "symbols")}
    return {**row, **lists, "current": bool(row["current"])}
