"""Forgetting an article: its texts and bytes are erased, its keys stay, so that it is not fetched again.

Each row whose text goes leaves a tombstone with the leaf it counted as, so that the chain over commits still holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.archive import index
from aggregator.archive.chain import leaf
from aggregator.archive.images import ONLY_OF
from aggregator.archive.lean import Database
from aggregator.archive.rows import DROPPED_BYTES, Commit, Value, commit, insert, transaction, update
from aggregator.errors import ArchiveError
from aggregator.model import Clock

FORGOTTEN = "forgotten"  # the cause of its tombstones, and an article's reason


@dataclass(frozen=True, slots=True)
class Erasable:
    """A table with texts of articles: which rows are of one article (:article) alone, and the columns that stay.

    All others are blanked, also those that a later version adds.
    """

    table: str
    rows: str
    stay: frozenset[str]


def _stay(names: str) -> frozenset[str]:
    return frozenset(f"id commit {names}".split())


# Pages of the article; not one that another article was read from, nor a listing. Pages of failed attempts are known by
# their address only.
_PAGES = """
SELECT id FROM pages WHERE kind <> 'listing' AND (
    id IN (SELECT page FROM entries WHERE article = :article)
    OR id IN (SELECT page FROM revisions WHERE article = :article)
    OR id IN (SELECT page FROM readings WHERE article = :article)
    OR url IN (SELECT link FROM entries WHERE article = :article)
    OR url IN (SELECT url FROM revisions WHERE article = :article))
AND id NOT IN (SELECT page FROM entries WHERE article <> :article AND page NOT NULL)
AND id NOT IN (SELECT page FROM revisions WHERE article <> :article AND page NOT NULL)
AND id NOT IN (SELECT page FROM readings WHERE article <> :article AND page NOT NULL)
"""
_LINKS = (
    "SELECT url FROM image_links WHERE article = :article EXCEPT SELECT url FROM image_links WHERE article <> :article"
)
# What is erased with an article; further tables of texts or bytes are further rows here.
ERASABLE = (
    Erasable("pages", _PAGES, _stay("kind status fetched_at sha256 codec size")),
    Erasable("entries", "SELECT id FROM entries WHERE article = :article", _stay("feed article guid full_text page")),
    Erasable(
        "revisions",
        "SELECT id FROM revisions WHERE article = :article",
        _stay("article n cause page entry parser rules rule categories"),
    ),
    Erasable("readings", "SELECT id FROM readings WHERE article = :article", _stay("article host page outcome")),
    Erasable("images", ONLY_OF, _stay("sha256 type size")),
    Erasable(
        "image_fetches", f"SELECT id FROM image_fetches WHERE url IN ({_LINKS})", _stay("status fetched_at image")
    ),
    Erasable("image_links", "SELECT id FROM image_links WHERE article = :article", _stay("article")),
)
# What was only derived from the texts, and the work that would fetch them again.
_DERIVED = (
    "DELETE FROM symbols WHERE article = :article",
    "DELETE FROM bands WHERE revision IN (SELECT id FROM revisions WHERE article = :article)",
    "DELETE FROM work WHERE article = :article",
    "DELETE FROM rechecks WHERE article = :article",
    f"DELETE FROM image_work WHERE url IN ({_LINKS})",
)
_MUTABLE = ("title", "published", "media", "url", "updated", "revision", "file", "file_key", "document")


@dataclass(frozen=True, slots=True)
class Plan:
    """What forgetting an article erases: how many rows of each table, and the bytes of its pages and images.

    ``shared`` are pages that other articles need, which stay; ``file`` and ``document`` what may have been exported.
    ``forgotten`` says when it was erased, if it was.
    """

    article: int
    key: str
    title: str | None
    rows: dict[str, int]
    bytes: int
    shared: int
    file: str | None
    document: str | None
    forgotten: str | None


def plan(db: Database, article: int) -> Plan:
    """What ``forget`` would erase of an article."""
    own = {"article": article}
    key, title, file, document = db.execute(
        "SELECT key, title, file, document FROM articles WHERE id = :article", own
    ).fetchone()
    rows = {one.table: len(_rows(db, one, article)) for one in ERASABLE}
    size = db.execute(
        f"SELECT total(size) FROM (SELECT size FROM pages WHERE bytes NOT NULL AND id IN ({_PAGES})"
        f" UNION ALL SELECT size FROM images WHERE bytes NOT NULL AND id IN ({ONLY_OF}))",
        own,
    )
    shared = db.execute(
        "SELECT count(*) FROM (SELECT page FROM entries WHERE article = :article UNION SELECT page FROM revisions"
        f" WHERE article = :article) WHERE page NOT NULL AND page NOT IN ({_PAGES})",
        own,
    )
    return Plan(
        article,
        key,
        title,
        rows,
        int(size.fetchone()[0]),
        int(shared.fetchone()[0]),
        file,
        document,
        forgotten_at(db, article),
    )


def forget(db: Database, clock: Clock, article: int) -> None:
    """Erase an article, so that no byte of it is left in the archive's files. Doing it again only sweeps once more.

    Raises:
        ArchiveError: kind ``locked``: it is erased, but a reader keeps the log from being emptied of what was before.
    """
    db.execute("PRAGMA secure_delete = ON")
    if forgotten_at(db, article) is None:
        with transaction(db):
            _erase(db, commit(db, clock), article)
    # Earlier writes left old versions behind in free space: that goes when the file is built anew.
    db.execute("VACUUM")
    if not _emptied_log(db):
        hint = "End what reads it (browse, sqlite3, verify), then run the same command again"
        message = "the article is erased, but a reader still needs the log in which its old text stands"
        raise ArchiveError(message, kind="locked", where="archive", hint=hint)


def _emptied_log(db: Database) -> bool:
    """Fold the log into the file and empty it; ``False`` where a reader needs it for longer than a second."""
    (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute("PRAGMA busy_timeout = 1000")
    (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    db.execute(f"PRAGMA busy_timeout = {patience}")
    return not busy


def forgotten(db: Database) -> frozenset[int]:
    """The articles that were forgotten."""
    return frozenset(row[0] for row in db.execute('SELECT "row" FROM tombstones WHERE "table" = \'articles\''))


def forgotten_at(db: Database, article: int) -> str | None:
    """When an article was forgotten, as it is stored."""
    row = db.execute(
        'SELECT c.at FROM tombstones b JOIN commits c ON c.seq = b."commit"'
        ' WHERE b."table" = \'articles\' AND b."row" = ?',
        [article],
    ).fetchone()
    return row[0] if row else None


def bury(db: Database, stamp: Commit, table: str, row: int, cause: str) -> None:
    """Leave a tombstone for a row that is about to lose its text, once."""
    values: dict[str, Value] = {"table": table, "row": row, "cause": cause, "commit": stamp.seq}
    if not db.execute('SELECT 1 FROM tombstones WHERE "table" = ? AND "row" = ?', [table, row]).fetchone():
        insert(db, "tombstones", values | {"leaf": leaf(db, table, row)})


def _erase(db: Database, stamp: Commit, article: int) -> None:
    found = {one: _rows(db, one, article) for one in ERASABLE}
    for sql in _DERIVED:
        db.execute(sql, {"article": article})
    for one, rows in found.items():
        for row in rows:
            bury(db, stamp, one.table, row, FORGOTTEN)
        if one.table == "revisions":
            index.erase(db, rows)
            index.merge(db)
        for row in rows:
            update(db, one.table, row, _blank(db, one, row))
    bury(db, stamp, "articles", article, FORGOTTEN)
    update(db, "articles", article, dict.fromkeys(_MUTABLE) | {"reason": FORGOTTEN})


def _rows(db: Database, one: Erasable, article: int) -> list[int]:
    return [row[0] for row in db.execute(one.rows, {"article": article})]


def _blank(db: Database, one: Erasable, row: int) -> dict[str, Value]:
    """The columns that go, with what stands in their place."""
    gone: dict[str, Value] = {
        name: "" if required else None
        for _, name, _, required, *_ in db.execute(f'PRAGMA table_info("{one.table}")')
        if name not in one.stay
    }
    if one.table == "pages":
        gone["codec"] = DROPPED_BYTES
    if one.table == "image_links":  # an article has each address once
        gone["url"] = f"erased:{row}"
    return gone
