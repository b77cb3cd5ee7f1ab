"""Salvage: every row of a damaged archive that can still be read, in a new one that goes on polling."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aggregator.archive import chain
from aggregator.archive.lean import Database
from aggregator.archive.lock import WriterLock
from aggregator.archive.opening import explained, open_damaged, open_writer
from aggregator.archive.revisions import revisions
from aggregator.archive.rows import DROPPED_BYTES, Value, insert, transaction, update
from aggregator.articles.compose import rendered
from aggregator.errors import ConfigError
from aggregator.text.urls import host_of

# Made again from the rest.
_DERIVED = frozenset(
    {"bands", "compared", "sessions", "calendars", "indexed", "work", "image_work", "hooks", "deliveries", "jobs"}
)
_BEYOND = 10_000  # rows looked for behind the last one that was found, where the end of a table cannot be read
_BATCH = 500
_ROUNDS = 4  # a row that goes may have others that point to it: entries, revisions, what hangs on those
_WITHOUT_NUMBERS = (
    ("keys", "article", "articles"),
    ("symbols", "article", "articles"),
    ("symbols", "revision", "revisions"),
)

Watch = Callable[[str, int, int], None]
Cells = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """What of a table could not be brought along: how many rows, and the first and last that are missing, if known."""

    table: str
    rows: int
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a salvage came to: the rows brought along per table, and what was lost."""

    rows: dict[str, int]
    lost: tuple[Lost, ...]


def salvage(path: Path, target: Path, watch: Watch) -> Salvaged:
    """Copy what can be read of the archive at ``path`` into a new one at ``target``, and make that one whole.

    Rows that others need and that are gone are made again with what is known. Listings are asked anew and without
    validators, so that the next poll fetches what was lost as far as they still have it. Digests hold up to the first
    loss; from there on the chain is a new one.

    Raises:
        ConfigError: there is something at ``target``.
        ArchiveError: the damaged file cannot be opened at all, or somebody is writing to it.
    """
    if target.exists():
        raise ConfigError("there is something already", where=str(target), hint="Name a new file")
    lock = WriterLock(path)
    lock.acquire()
    try:
        source = open_damaged(path)
        fresh = open_writer(target)
        try:
            with explained(target):
                return _salvage(source, fresh, watch)
        finally:
            fresh.close()
            source.close()
    finally:
        lock.release()


def _salvage(source: Database, fresh: Database, watch: Watch) -> Salvaged:
    fresh.execute("PRAGMA foreign_keys = OFF")
    rows: dict[str, int] = {}
    lost: list[Lost] = []
    tables = _tables(fresh)
    with transaction(fresh):
        for number, table in enumerate(tables):
            watch(table, number, len(tables))
            rows[table], gone = _bring(source, fresh, table)
            lost += gone
        _complete(fresh)
        chain.seal_all(fresh)
    fresh.execute("PRAGMA foreign_keys = ON")
    return Salvaged(rows, tuple(lost))


def _tables(db: Database) -> list[str]:
    """The tables that are stored and not derived."""
    rows = db.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
    return sorted(name for (name,) in rows if not name.startswith(("sqlite_", "_")) and name not in _DERIVED)


def _bring(source: Database, fresh: Database, table: str) -> tuple[int, list[Lost]]:
    """Copy a table's readable rows; how many, and what was lost of it."""
    known = _columns(source, table)
    shared = [name for name in _columns(fresh, table) if name in known]
    if not shared:
        return 0, []
    columns = ", ".join(f'"{name}"' for name in shared)
    add = f'INSERT OR IGNORE INTO "{table}" ({columns}) VALUES ({", ".join("?" * len(shared))})'
    by_number = "id" in shared or table in ("commits",)
    rows = _by_number(source, table, columns) if by_number else _by_key(source, table, columns)
    count = sum(_added(fresh, add, cells) for cells in rows)
    return count, list(_gaps(fresh, table) if by_number else _uncounted(source, table, count))


def _columns(db: Database, table: str) -> list[str]:
    return [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]


def _added(db: Database, sql: str, cells: Cells) -> int:
    """Add a row, unless what was read is nonsense."""
    try:
        return int(db.conn.execute(sql, cells).rowcount)
    except sqlite3.IntegrityError:
        return 0


def _by_number(source: Database, table: str, columns: str) -> Iterator[Cells]:
    """The rows in their order; around a damaged page one by one."""
    read = f'SELECT rowid, {columns} FROM "{table}" WHERE rowid > ? ORDER BY rowid LIMIT {_BATCH}'
    one = f'SELECT rowid, {columns} FROM "{table}" WHERE rowid = ?'
    last, end = 0, None
    while True:
        found, whole = _some(source, read, last)
        for number, *cells in found:
            last = int(str(number))
            yield tuple(cells)
        if whole and not found:
            return
        if whole:
            continue
        end = end or _end(source, table, last)
        while (last := last + 1) <= end:
            found, _ = _some(source, one, last)
            if found:
                yield tuple(found[0][1:])
                break
        if last > end:
            return


def _some(source: Database, sql: str, number: int) -> tuple[list[Cells], bool]:
    """What a statement gives before it fails, and whether it did not."""
    found: list[Cells] = []
    try:
        for row in source.execute(sql, [number]):
            found.append(row)
    except sqlite3.DatabaseError:
        return found, False
    return found, True


def _end(source: Database, table: str, last: int) -> int:
    """The highest number of a table, or as far as is worth looking."""
    found, _ = _some(source, f'SELECT max(rowid) FROM "{table}" WHERE rowid > ?', last)
    return int(str(found[0][0])) if found and found[0][0] else last + _BEYOND


def _by_key(source: Database, table: str, columns: str) -> Iterator[Cells]:
    """The rows of a table without numbers: from its beginning, and where that fails from its end."""
    found, whole = _some(source, f'SELECT {columns} FROM "{table}" LIMIT -1 OFFSET ?', 0)
    yield from found
    if whole:
        return
    first = _columns(source, table)[0]
    yield from _some(source, f'SELECT {columns} FROM "{table}" ORDER BY "{first}" DESC LIMIT -1 OFFSET ?', 0)[0]


def _gaps(fresh: Database, table: str) -> Iterator[Lost]:
    """Rows are never deleted: what is missing among the numbers was lost."""
    steps = f'SELECT rowid AS n, lag(rowid, 1, 0) OVER (ORDER BY rowid) AS before FROM "{table}"'
    found = fresh.execute(f"SELECT before + 1, n - 1 FROM ({steps}) WHERE n > before + 1")
    for first, last in found.fetchall():
        yield Lost(table, last - first + 1, first, last)


def _uncounted(source: Database, table: str, count: int) -> Iterator[Lost]:
    found, whole = _some(source, f'SELECT count(*) FROM "{table}" LIMIT ? ', 1)
    if whole and found and int(str(found[0][0])) > count:
        yield Lost(table, int(str(found[0][0])) - count)


def _complete(db: Database) -> None:
    """Make again what others need: commits, feeds, articles; take back what points to nothing; let the rest wait."""
    _remake_commits(db)
    _remake_feeds(db)
    _remake_articles(db)
    _cut_loose(db)
    lost = "dictionary NOT NULL AND bytes NOT NULL AND dictionary NOT IN (SELECT id FROM dictionaries)"
    db.execute(f"UPDATE pages SET bytes = NULL, codec = ? WHERE {lost}", [DROPPED_BYTES])
    now = db.execute("SELECT max(at) FROM commits").fetchone()[0] or ""
    unsettled = "SELECT id, url FROM articles WHERE revision IS NULL AND coalesce(reason, '') NOT IN (?, ?)"
    for article, url in db.execute(unsettled, ["dropped", "forgotten"]).fetchall():
        _fall_back(db, article)
        insert(db, "work", {"article": article, "host": host_of(url or ""), "state": "pending", "next_try": now})
    db.execute("UPDATE feeds SET etag = NULL, last_modified = NULL, digest = NULL, next_due = NULL, renaming_to = NULL")


def _fall_back(db: Database, article: int) -> None:
    """Let the newest version that is left be an article's current one, if its document can be made again."""
    left = list(revisions(db, article))
    values: dict[str, Value] = {"revision": None, "document": None}
    if left and left[-1].file and left[-1].placeholder is not None:
        one = left[-1]
        document = rendered(one.content, one.key, one.categories, one.date, one.placeholder or "")
        values = {"revision": one.id, "document": document}
    update(db, "articles", article, values)


def _referring(db: Database, parent: str) -> Iterator[tuple[str, str]]:
    """Tables and columns that point to a table."""
    for table in db.table_names():
        for key in db.execute(f'PRAGMA foreign_key_list("{table}")').fetchall():
            if key[2] == parent:
                yield table, key[3]


def _missing(db: Database, parent: str, number: str) -> list[int]:
    """The rows of a table that others point to and that are not there."""
    pointing = " UNION ".join(
        f'SELECT "{column}" AS n FROM "{table}" WHERE "{column}" NOT NULL' for table, column in _referring(db, parent)
    )
    rows = db.execute(f'SELECT n FROM ({pointing}) WHERE n NOT IN (SELECT {number} FROM "{parent}") ORDER BY n')
    return [row[0] for row in rows]


def _remake_commits(db: Database) -> None:
    """A commit that was lost happened with the one before it, as far as anyone knows."""
    for seq in _missing(db, "commits", "seq"):
        before = "SELECT coalesce((SELECT max(at) FROM commits WHERE seq < ?), (SELECT min(at) FROM commits), '')"
        (at,) = db.execute(before, [seq]).fetchone()
        insert(db, "commits", {"seq": seq, "at": at})


def _remake_feeds(db: Database) -> None:
    for number in _missing(db, "feeds", "id"):
        lost: dict[str, Value] = {"id": number, "name": f"lost-{number}", "source": "feed", "url": "", "host": ""}
        insert(db, "feeds", lost | {"categories": '["-", "-", "-"]', "position": 999_999, "active": 0, "every": 300})


def _remake_articles(db: Database) -> None:
    """An article is what its first sighting said; its key the strongest that is left of it."""
    for number in _missing(db, "articles", "id"):
        row = db.execute(
            'SELECT e.title, e.link, e.published, coalesce(e.intime, e.published, c.at), c.at, e."commit", e.feed'
            ' FROM entries e JOIN commits c ON c.seq = e."commit" WHERE e.article = ? ORDER BY e.id LIMIT 1',
            [number],
        ).fetchone()
        keys = db.execute("SELECT key FROM keys WHERE article = ? ORDER BY key GLOB 'sina:*' DESC, key DESC", [number])
        key = next((key for (key,) in keys), None) or (row and row[1] and f"url:{row[1]}")
        if row is None or key is None:
            continue
        title, link, published, date, seen, seq, feed = row
        values: dict[str, Value] = {"id": number, "key": key, "title": title, "url": link, "published": published}
        values |= {"date": date, "first_seen": seen, "commit": seq, "home_feed": feed}
        insert(db, "articles", values)


def _cut_loose(db: Database) -> None:
    """Take back what points to rows that are gone: the pointer where it may be empty, else the row."""
    for _ in range(_ROUNDS):
        for table, row, _parent, number in db.execute("PRAGMA foreign_key_check").fetchall():
            if row is not None:
                _cut(db, table, row, number)
        for table, column, parent in _WITHOUT_NUMBERS:
            db.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM {parent})")


def _cut(db: Database, table: str, row: int, number: int) -> None:
    column = next(key[3] for key in db.execute(f'PRAGMA foreign_key_list("{table}")') if key[0] == number)
    needed = next(one[3] for one in db.execute(f'PRAGMA table_info("{table}")') if one[1] == column)
    if needed:
        db.execute(f'DELETE FROM "{table}" WHERE rowid = ?', [row])
    else:
        db.execute(f'UPDATE "{table}" SET "{column}" = NULL WHERE rowid = ?', [row])
