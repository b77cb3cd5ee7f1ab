"""Transactions, commits and single rows: what every change of the archive is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from aggregator.archive.chain import seal
from aggregator.archive.lean import Database
from aggregator.archive.packing import pack, unpack
from aggregator.errors import ArchiveError, masked
from aggregator.model import Clock, Page
from aggregator.text.dates import iso, parse_iso
from aggregator.text.urls import host_of

DROPPED_BYTES = "dropped"  # the codec of a page whose bytes are no longer kept, on purpose
_MOST_TEXTS = 20  # of one list of remarks

_JSON = json.JSONEncoder(ensure_ascii=False).encode

Value = str | int | float | bytes | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction's stamp: its number and its instant."""

    seq: int
    at: datetime


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """All or nothing. IMMEDIATE, so that a writer never finds half-way that another one was first.

    A commit that was made in it is sealed at its end.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        seal(db)
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def commit(db: Database, clock: Clock) -> Commit:
    """A new commit, stamped with the clock's instant but never before the last one's: clocks are set back at times."""
    row = db.execute("SELECT seq, at FROM commits ORDER BY seq DESC LIMIT 1").fetchone()
    seq, last = (row[0], datetime.fromisoformat(row[1])) if row else (0, datetime.min.replace(tzinfo=UTC))
    at = max(clock(), last)
    text = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    insert(db, "commits", {"seq": seq + 1, "at": text})
    return Commit(seq + 1, at)


class Stamp:
    """A transaction's commit, made when something first asks for it: where nothing happens, there is none.

    ``careful``: what cannot be stored is taken back by itself, and not the whole transaction with it. That costs a
    copy of every page that changes.
    """

    def __init__(self, db: Database, clock: Clock, *, careful: bool = True) -> None:
        self.careful = careful
        self._db = db
        self._clock = clock
        self._commit: Commit | None = None

    def __call__(self) -> Commit:
        """The commit."""
        self._commit = self._commit or commit(self._db, self._clock)
        return self._commit

    def take_back_to(self, before: Commit | None) -> None:
        """Forget a commit that was made in a savepoint which has been rolled back."""
        self._commit = before

    @property
    def made(self) -> Commit | None:
        """The commit, if there is one yet."""
        return self._commit


def insert(db: Database, table: str, values: Mapping[str, Value]) -> int:
    """Add a row; its rowid."""
    return db.execute(_insertion(table, tuple(values)), list(values.values())).lastrowid or 0


def insert_many(db: Database, table: str, rows: Sequence[Mapping[str, Value]]) -> range:
    """Add rows that have the same columns in the same order, in one statement; their rowids, if the table makes any."""
    if not rows:
        return range(0)
    db.conn.executemany(_insertion(table, tuple(rows[0])), [tuple(row.values()) for row in rows])
    (last,) = db.execute("SELECT last_insert_rowid()").fetchone()
    return range(last - len(rows) + 1, last + 1)


@lru_cache(maxsize=256)
def _insertion(table: str, names: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join("?" * len(names))})'


def update(db: Database, table: str, row: int, values: Mapping[str, Value]) -> None:
    """Change columns of the row with this rowid."""
    columns = ", ".join(f'"{name}" = ?' for name in values)
    db.execute(f'UPDATE "{table}" SET {columns} WHERE rowid = ?', [*values.values(), row])


def feed_id_of(db: Database, name: str) -> int:
    """The number of a feed.

    Raises:
        ArchiveError: the feed was never enrolled.
    """
    row = db.execute("SELECT id FROM feeds WHERE name = ?", [name]).fetchone()
    if row is None:
        raise ArchiveError(
            "the archive does not know this feed", kind="missing", where=name, hint="Run `aggregator status`"
        )
    return int(row[0])


def add_page(db: Database, stamp: Commit, kind: str, page: Page) -> int:
    """Keep an answer of the network: its bytes compressed, and all that is needed to read them again.

    A listing's address may hold secrets of the configuration, an article's is as the listing announced it to everyone.
    """
    shown = masked if kind == "listing" else str
    return insert(
        db,
        "pages",
        {
            "kind": kind,
            "url": shown(page.url),
            "via": names_as_json(page.via),
            "final_url": shown(page.final_url),
            "status": page.status,
            "headers": as_json(dict(page.headers)),
            "fetched_at": iso(page.fetched_at),
            "commit": stamp.seq,
            **_packed(page.body, _sha256(page.body), _dictionary(db, page.url) if kind == "article" else None),
        },
    )


def add_item(db: Database, stamp: Commit, url: str, raw: bytes) -> int:
    """Keep an entry's raw item; several feeds that list the very same item share one row."""
    (item,) = add_items(db, stamp, [(url, raw)])
    assert item is not None
    return item


def add_items(db: Database, stamp: Commit, items: Sequence[tuple[str, bytes | None]]) -> list[int | None]:
    """Keep raw items with their addresses; of each its number, ``None`` where there is none to keep."""
    digests = [_sha256(raw) if raw else None for _, raw in items]
    known = _known_items(db, [digest for digest in digests if digest])
    fresh: dict[str, dict[str, Value]] = {}
    for digest, (url, raw) in zip(digests, items, strict=True):
        if raw and digest and digest not in known and digest not in fresh:
            fresh[digest] = {"kind": "item", "url": url, "commit": stamp.seq, **_packed(raw, digest)}
    known |= zip(fresh, insert_many(db, "pages", list(fresh.values())), strict=True)
    return [known[digest] if digest else None for digest in digests]


def _known_items(db: Database, digests: Sequence[str]) -> dict[str, int]:
    """The numbers of items that are kept already, by their digest."""
    known = "SELECT sha256, min(id) FROM pages WHERE sha256 IN (SELECT value FROM json_each(?)) AND kind = 'item'"
    return dict(db.execute(f"{known} AND bytes NOT NULL GROUP BY sha256", [json.dumps(digests)]).fetchall())


PACKED = "codec, bytes, (SELECT d.bytes FROM dictionaries d WHERE d.id = pages.dictionary)"
"""The columns of ``pages`` that ``page_bytes`` takes."""


def page_bytes(codec: str, packed: bytes, dictionary: bytes | None) -> bytes:
    """The bytes of a page as they came, out of the columns ``PACKED``."""
    return unpack(packed, dictionary) if codec == "zstd" else packed


def _dictionary(db: Database, url: str) -> tuple[int, bytes] | None:
    """The number and the bytes of what the pages of an address's host have in common, if that is known."""
    newest = "SELECT id, bytes, size FROM dictionaries WHERE host = ? ORDER BY id DESC LIMIT 1"
    row = db.execute(newest, [host_of(url)]).fetchone()
    return row[:2] if row and row[2] else None


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _packed(body: bytes, digest: str, dictionary: tuple[int, bytes] | None = None) -> dict[str, Value]:
    number, common = dictionary or (None, None)
    return {
        **{"sha256": digest, "codec": "zstd", "dictionary": number, "size": len(body)},
        "bytes": pack(body, common),
    }


def item_bytes(db: Database, number: int) -> bytes:
    """The bytes of an item, or of a document that was taken in, as they came."""
    return page_bytes(*db.execute(f"SELECT {PACKED} FROM pages WHERE id = ?", [number]).fetchone())


def stored_page(db: Database, number: int) -> Page:
    """An answer of the network as it was kept."""
    columns = f"url, final_url, status, headers, fetched_at, {PACKED}"
    row = db.execute(f"SELECT {columns} FROM pages WHERE id = ?", [number]).fetchone()
    url, final_url, status, headers, fetched_at, *packed = row
    return Page(url, final_url, status, json.loads(headers), page_bytes(*packed), parse_iso(fetched_at))


def count_poll(db: Database, feed: int, at: datetime, status: str) -> None:
    """Count a poll at which nothing happened, per feed and hour: a row a poll would be millions a year."""
    hour = iso(at.replace(minute=0, second=0, microsecond=0))
    db.execute(
        "INSERT INTO poll_hours (feed, hour, status, polls) VALUES (?, ?, ?, 1)"
        " ON CONFLICT DO UPDATE SET polls = polls + 1",
        [feed, hour, status],
    )


def when(at: datetime | None) -> str | None:
    """An instant as it is stored."""
    return iso(at) if at else None


def as_json(value: object) -> str:
    """A list or mapping as it is stored: readable in Datasette, where facets understand it."""
    return _JSON(value)


def bounded_as_json(texts: Sequence[str]) -> str | None:
    """The first texts of a list that may be long, and how many more there are; none is NULL."""
    more = [f"… and {len(texts) - _MOST_TEXTS} more"] if len(texts) > _MOST_TEXTS else []
    return as_json([*texts[:_MOST_TEXTS], *more]) if texts else None


def names_as_json(names: Iterable[str]) -> str | None:
    """A list of names as it is stored; none is NULL."""
    listed = list(names)
    return as_json(listed) if listed else None
