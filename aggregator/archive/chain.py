"""The chain over commits: each one's digest covers the digest before it, its number and instant, and what it added.

Whoever keeps one digest (``head``) can later tell that nothing was added, taken away, changed or put in another order
up to there. A row counts as the sha256 of its columns; those that are NULL are left out, so that a column which a later
migration adds changes no digest, as long as it stays NULL in the rows of before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from aggregator.archive.lean import Database

Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class Covered:
    """A table whose rows are facts. ``columns`` are the ones that never change, as SQL; none named, all but some."""

    table: str
    columns: tuple[str, ...] = ()
    but: frozenset[str] = frozenset()


# What is covered, in the order in which it is told; a further table goes to the end, before it has any row.
COVERED = (
    Covered("polls"),
    # An article's key changes with the name of its feed, where that is a part of it; its entries have the guid.
    Covered("articles", ("id", "iif(key GLOB 'guid:*', NULL, key) AS key", "date", "first_seen", '"commit"')),
    Covered("revisions"),
    Covered("entries"),
    # A page is its sha256: how its bytes are packed, and whether they are still kept, is another matter.
    Covered("pages", but=frozenset({"codec", "dictionary", "bytes"})),
    Covered("readings"),
    Covered("events"),
    Covered("tombstones"),
    Covered("links"),
    Covered("images", but=frozenset({"bytes"})),
    Covered("image_links"),
    Covered("image_fetches"),
    # Whether a gap was filled is told later.
    Covered("gaps", ("id", "feed", "cause", "since", "until", '"commit"')),
)
# Whether a table has grown is asked of all in one statement: a transaction adds to a few of them.
_NEWEST = "SELECT " + ", ".join(f'(SELECT "commit" FROM "{one.table}" ORDER BY id DESC LIMIT 1)' for one in COVERED)
_SPELL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: a commit's number, its instant as it is stored, and its digest."""

    seq: int
    at: str
    digest: str


@dataclass(frozen=True, slots=True)
class Link:
    """A commit as it was sealed, and the ``found`` digest of what the tables hold of it now. ``rows`` are its rows."""

    head: Head
    found: str
    rows: tuple[str, ...]


def seal(db: Database) -> None:
    """Give the last commit its digest, if it has none: what a transaction that made one does at its end."""
    last = db.execute("SELECT seq, at, digest FROM commits ORDER BY seq DESC LIMIT 2").fetchall()
    if not last or last[0][2] is not None:
        return
    seq, at, _ = last[0]
    before = last[1][2] if len(last) > 1 else ""
    newest = db.execute(_NEWEST).fetchone()
    grown = [covered for covered, commit in zip(COVERED, newest, strict=True) if commit == seq]
    leaves = [leaf for covered in grown for leaf in _newest(db, covered, seq)]
    db.execute("UPDATE commits SET digest = ? WHERE seq = ?", [_digest(before, seq, at, leaves), seq])


def seal_all(db: Database) -> None:
    """Give every commit the digest of what is there now: in an archive from before the chain, or after a loss."""
    before = ""

    def sealed() -> Iterator[tuple[str, int]]:
        nonlocal before
        for seq, at, _, rows in _commits(db):
            before = _digest(before, seq, at, [leaf for _, leaf in rows])
            yield before, seq

    db.conn.executemany("UPDATE commits SET digest = ? WHERE seq = ?", sealed())


def links(db: Database) -> Iterator[Link]:
    """Every commit in order, its digest made again from the one stored with the commit before it."""
    before = ""
    for seq, at, digest, rows in _commits(db):
        found = _digest(before, seq, at, [leaf for _, leaf in rows])
        before = digest or ""
        yield Link(Head(seq, at, before), found, tuple(name for name, _ in rows))


def head(db: Database) -> Head | None:
    """The last commit, ``None`` in an archive without one."""
    return _head(db, "ORDER BY seq DESC LIMIT 1", [])


def contains(db: Database, digest: str) -> Head | None:
    """The commit with a digest that somebody kept."""
    return _head(db, "WHERE digest = ?", [digest])


def leaf(db: Database, table: str, row: int) -> str:
    """What a row counts as in its commit's digest."""
    covered = next(one for one in COVERED if one.table == table)
    cursor = db.execute(f'SELECT {_select(db, covered)} FROM "{table}" WHERE id = ?', [row])
    names = [column[0] for column in cursor.description]
    return _leaf(table, dict(zip(names, cursor.fetchone(), strict=True)))


def _head(db: Database, which: str, values: list[str]) -> Head | None:
    row = db.execute(f"SELECT seq, at, digest FROM commits {which}", values).fetchone()
    return Head(*row) if row else None


def _newest(db: Database, covered: Covered, seq: int) -> list[str]:
    """What a commit that has just been made added to a table: the rows at its end."""
    cursor = db.execute(f'SELECT {_select(db, covered)} FROM "{covered.table}" ORDER BY id DESC')
    names = [column[0] for column in cursor.description]
    commit = names.index("commit")
    found = []
    for row in cursor:
        if row[commit] != seq:
            break
        found.append(_leaf(covered.table, dict(zip(names, row, strict=True))))
    return found[::-1]


def _commits(db: Database) -> Iterator[tuple[int, str, str | None, list[tuple[str, str]]]]:
    """Every commit with the names and leaves of its rows. A row of no commit is told as the next one's.

    Each table is read once and in order, so that no more is held than one commit.
    """
    tables = [_Tail(db, covered) for covered in COVERED if covered.table in db.table_names()]
    for seq, at, digest in db.execute("SELECT seq, at, digest FROM commits ORDER BY seq"):
        yield seq, at, digest, [row for table in tables for row in table.upto(seq)]


class _Tail:
    """The rows of a table that were not told yet."""

    def __init__(self, db: Database, covered: Covered) -> None:
        self._table = covered.table
        kept = f'SELECT {_select(db, covered)} FROM "{covered.table}"'
        self._rows = db.query(
            f'SELECT t.*, b.leaf AS "leaf of old" FROM ({kept}) t'
            ' LEFT JOIN tombstones b ON b."table" = ? AND b."row" = t.id ORDER BY t.id',
            [covered.table],
        )
        self._next = next(self._rows, None)

    def upto(self, seq: int) -> Iterator[tuple[str, str]]:
        """The next rows, as far as they are of this commit or one before."""
        while self._next is not None and int(str(self._next["commit"])) <= seq:
            old = self._next.pop("leaf of old")
            yield f"{self._table} {self._next['id']}", str(old) if old else _leaf(self._table, self._next)
            self._next = next(self._rows, None)


def _select(db: Database, covered: Covered) -> str:
    if not covered.but:
        return ", ".join(covered.columns) or "*"
    names = [row[1] for row in db.execute(f'PRAGMA table_info("{covered.table}")')]
    return ", ".join(f'"{name}"' for name in names if name not in covered.but)


def _leaf(table: str, values: Values) -> str:
    return _sha256([table, {name: value for name, value in values.items() if value is not None}])


def _digest(before: str, seq: int, at: str, leaves: list[str]) -> str:
    return _sha256([before, seq, at, leaves])


def _sha256(value: object) -> str:
    """The hash of a value's one spelling in JSON: UTF-8, keys sorted, no blanks."""
    return hashlib.sha256(_SPELL(value).encode()).hexdigest()
