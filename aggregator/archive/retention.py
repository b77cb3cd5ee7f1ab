"""Retention: after a time a feed's raw pages are dropped, and after a longer one its articles' texts. Off by default.

An article is its home feed's. Hashes stay, and a row whose text goes leaves a tombstone, so that the chain holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.archive import index
from aggregator.archive.forgetting import bury
from aggregator.archive.lean import Database
from aggregator.archive.rows import DROPPED_BYTES, Value, commit, transaction, update
from aggregator.model import Clock
from aggregator.text.dates import iso

_CAUSE = "retention"
# The pages an article of a feed was read from, and its items, as long as nothing is still to be read from them.
_PAGES = """
SELECT p.id, p.size FROM pages p JOIN commits c ON c.seq = p."commit"
WHERE p.bytes NOT NULL AND c.at < :before AND p.id IN (
    SELECT page FROM entries JOIN articles a ON a.id = article WHERE a.home_feed = :feed
    UNION SELECT page FROM revisions JOIN articles a ON a.id = article WHERE a.home_feed = :feed
    UNION SELECT page FROM readings JOIN articles a ON a.id = article WHERE a.home_feed = :feed)
AND p.id NOT IN (SELECT page FROM readings JOIN work USING (article) WHERE page NOT NULL)
AND p.id NOT IN (SELECT page FROM entries JOIN articles a ON a.id = article
    WHERE page NOT NULL AND a.home_feed IS NOT :feed)
"""
# Articles nothing was heard of since.
_TEXTS = """
SELECT a.id, length(CAST(a.document AS BLOB)) FROM articles a JOIN revisions r ON r.id = a.revision
JOIN commits c ON c.seq = r."commit" WHERE a.home_feed = :feed AND a.document NOT NULL AND c.at < :before
AND NOT EXISTS (SELECT 1 FROM work WHERE article = a.id)
AND NOT EXISTS (SELECT 1 FROM entries e JOIN commits d ON d.seq = e."commit" WHERE e.article = a.id AND d.at >= :before)
"""
_STILL_PAGES = """
SELECT id, size FROM pages WHERE id IN (SELECT value FROM json_each(?)) AND bytes NOT NULL
AND id NOT IN (SELECT page FROM readings JOIN work USING (article) WHERE page NOT NULL)
"""
_PORTION = 50
_Sized = tuple[int, int]  # the number of a page or an article, and its bytes
_BLANK: dict[str, dict[str, Value]] = {
    "revisions": {"body": "", "summary": None, "placeholder": None},
    "entries": {"summary": None, "content": None},
}


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many seconds a feed's pages and texts are kept; ``None``: for ever."""

    pages: int | None = None
    texts: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What retention drops of a feed: the numbers of pages and of articles, and how many bytes of each."""

    feed: str
    pages: tuple[int, ...]
    page_bytes: int
    texts: tuple[int, ...]
    text_bytes: int

    def portions(self) -> Iterator[Due]:
        """It in parts that are dropped in a short transaction each; their bytes are not known yet."""
        for n in range(0, len(self.pages), _PORTION):
            yield Due(self.feed, self.pages[n : n + _PORTION], 0, (), 0)
        for n in range(0, len(self.texts), _PORTION):
            yield Due(self.feed, (), 0, self.texts[n : n + _PORTION], 0)


def due(db: Database, now: datetime, kept: Mapping[str, Keep], removed: Keep) -> list[Due]:
    """What is to be dropped now, by feed; feeds that are no longer configured are kept as ``removed`` says."""
    found = []
    for feed, name in db.execute("SELECT id, name FROM feeds ORDER BY position, id").fetchall():
        keep = kept.get(name, removed)
        pages = _older(db, _PAGES, feed, now, keep.pages)
        texts = _older(db, _TEXTS, feed, now, keep.texts)
        if pages or texts:
            found.append(_due(name, pages, texts))
    return found


def _due(feed: str, pages: Sequence[_Sized], texts: Sequence[_Sized]) -> Due:
    page_bytes, text_bytes = (sum(size for _, size in some) for some in (pages, texts))
    return Due(feed, tuple(n for n, _ in pages), page_bytes, tuple(n for n, _ in texts), text_bytes)


def drop(db: Database, clock: Clock, kept: Mapping[str, Keep], removed: Keep, some: Due) -> Due:
    """Drop some of what was due, as far as it still is; what it was. The index is then to be merged."""
    with transaction(db):
        pages, texts = _still(db, clock(), kept.get(some.feed, removed), some)
        for page, _ in pages:
            update(db, "pages", page, {"bytes": None, "codec": DROPPED_BYTES})
        if texts:
            stamp = commit(db, clock)
            index.erase(db, _versions(db, [article for article, _ in texts]), body_only=True)
        for article, _ in texts:
            for table, blank in _BLANK.items():
                for (row,) in db.execute(f"SELECT id FROM {table} WHERE article = ?", [article]).fetchall():
                    bury(db, stamp, table, row, _CAUSE)
                    update(db, table, row, blank)
            update(db, "articles", article, {"document": None})
        return _due(some.feed, pages, texts)


def joined(parts: Sequence[Due]) -> Due:
    """The parts of one feed's together."""
    pages, texts = (tuple(n for part in parts for n in getattr(part, name)) for name in ("pages", "texts"))
    return Due(parts[0].feed, pages, sum(p.page_bytes for p in parts), texts, sum(p.text_bytes for p in parts))


def _still(db: Database, now: datetime, keep: Keep, some: Due) -> tuple[list[_Sized], list[_Sized]]:
    """Those of the pages and texts that were due which still are: meanwhile others wrote."""
    pages = db.execute(_STILL_PAGES, [json.dumps(some.pages)]).fetchall()
    (feed,) = db.execute("SELECT id FROM feeds WHERE name = ?", [some.feed]).fetchone()
    which = f"{_TEXTS} AND a.id IN (SELECT value FROM json_each(:only))"
    return pages, _older(db, which, feed, now, keep.texts, some.texts)


def _versions(db: Database, articles: Sequence[int]) -> list[int]:
    which = "SELECT id FROM revisions WHERE article IN (SELECT value FROM json_each(?))"
    return [row[0] for row in db.execute(which, [json.dumps(articles)])]


def _older(
    db: Database, sql: str, feed: int, now: datetime, seconds: int | None, only: Sequence[int] = ()
) -> list[_Sized]:
    if seconds is None:
        return []
    values = {"feed": feed, "before": iso(now - timedelta(seconds=seconds)), "only": json.dumps(only)}
    return db.execute(sql, values).fetchall()
