"""Verify: whether an archive still holds what it was given. Reads one snapshot, also while a writer goes on.

What holds proves the order and the bytes of all that was stored, up to a digest that somebody kept. It does not prove
that a source ever said so.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard

from aggregator.archive import chain, index
from aggregator.archive.chain import Head
from aggregator.archive.lean import Database
from aggregator.archive.opening import explained, open_reader
from aggregator.archive.revisions import Revision, revisions
from aggregator.archive.rows import DROPPED_BYTES, PACKED, page_bytes
from aggregator.articles.compose import rendered
from aggregator.errors import ArchiveError, ParseError

_MOST = 1000  # findings that are told one by one
_DERIVED = "Make the index again: aggregator reindex"
_SALVAGE = "Restore a backup, or copy what can be read: aggregator salvage NEWFILE"
_CHANGED = "Compare with a backup; something other than this program wrote to the archive, or the disk is failing"

Watch = Callable[[str, int, int], None]


def _nobody(step: str, done: int, total: int) -> None:
    """Watch nothing."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that is not as it was stored: in which table and row (``None``: no single one), and what to do next."""

    table: str
    row: int | None
    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification came to. ``counts`` says how much of what was looked at; ``since`` is the kept commit."""

    head: Head | None
    since: Head | None
    counts: dict[str, int]
    damages: tuple[Damage, ...]


def verify(path: Path, parser: str, against: str | None = None, watch: Watch = _nobody) -> Verified:
    """Look at all there is of an archive. ``parser`` is the version documents are made again with.

    ``against`` is a digest that somebody kept. ``watch`` is told the step, how much of it is done, and of how much.

    Raises:
        ArchiveError: it is no archive, or of another version; one that is too damaged to be opened is a finding.
    """
    try:
        return _verify(path, parser, against, watch)
    except ArchiveError as error:
        if error.kind != "damaged":
            raise
        return Verified(None, None, {}, (Damage("file", None, f"cannot be opened: {error.message}", _SALVAGE),))


def _verify(path: Path, parser: str, against: str | None, watch: Watch) -> Verified:
    db = open_reader(path)
    counts: dict[str, int] = {}
    try:
        with explained(path):
            db.execute("BEGIN")
            head = chain.head(db)
        steps = {
            "file": _file(db),
            "documents": _documents(db, parser, counts),
            "pages": _pages(db, counts),
            "images": _images(db, counts),
            "commits": _chain(db, counts),
            "head": _kept(db, against),
            "index": _index(db),
        }
        damages = [damage for name, step in steps.items() for damage in _watched(db, name, step, watch)]
        since = chain.contains(db, against) if against else None
    finally:
        db.close()
    return Verified(head, since, counts, tuple(damages[:_MOST]))


def kept_head(path: Path) -> Head | None:
    """The last commit of an archive, to be kept somewhere else; nothing is looked at.

    Raises:
        ArchiveError: the archive cannot be opened.
    """
    db = open_reader(path)
    try:
        with explained(path):
            return chain.head(db)
    finally:
        db.close()


_TOTALS = {"documents": "revisions", "pages": "pages", "images": "images", "commits": "commits"}


def _watched(db: Database, name: str, step: Iterator[Damage | None], watch: Watch) -> list[Damage]:
    """The damages of one step, which gives ``None`` for what is as it should be. What cannot be read ends the step."""
    found: list[Damage] = []
    total = 0
    try:
        total = int(db.execute(f"SELECT count(*) FROM {_TOTALS[name]}").fetchone()[0]) if name in _TOTALS else 1
        watch(name, 0, total)
        for done, damage in enumerate(step, 1):
            found += [damage] if damage else []
            watch(name, done, total)
    except sqlite3.DatabaseError as error:
        found.append(Damage(_TOTALS.get(name, "file"), None, f"cannot be read to its end: {error}", _SALVAGE))
    return found


def _file(db: Database) -> Iterator[Damage | None]:
    for (text,) in db.execute("PRAGMA integrity_check"):
        if text != "ok":
            yield Damage("file", None, str(text), _SALVAGE)
    for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
        yield Damage(table, row, f"points to a row of {parent} that is not there", _CHANGED)


def _documents(db: Database, parser: str, counts: dict[str, int]) -> Iterator[Damage | None]:
    """Every document is made again, and the one an article shows is its current revision's."""
    counts |= {"documents": 0, "older renderer": 0}
    for one in revisions(db):
        yield _made_again(one, parser, counts)
    shown = db.execute(
        "SELECT a.id, a.document, r.document_sha256 FROM articles a LEFT JOIN revisions r ON r.id = a.revision"
        " WHERE a.document IS NOT NULL"
    )
    for article, document, digest in shown:
        if digest != hashlib.sha256(document.encode()).hexdigest():
            yield Damage("articles", article, "its document is not that of its current revision", _CHANGED)


def _made_again(one: Revision, parser: str, counts: dict[str, int]) -> Damage | None:
    """Whether a revision's document can be made again. Another version of this program may make another one of it."""
    if one.placeholder is None:  # from before this was kept, or erased
        return None
    counts["documents"] += 1
    if _digest_of(one) == one.document_sha256:
        return None
    if one.parser != parser:
        counts["older renderer"] += 1
        return None
    return Damage("revisions", one.id, f"its document comes out different ({one.key})", _CHANGED)


def _digest_of(one: Revision) -> str | None:
    try:
        text = rendered(one.content, one.key, one.categories, one.date, one.placeholder or "")
    except ParseError:
        return None
    return hashlib.sha256(text.encode()).hexdigest()


def _pages(db: Database, counts: dict[str, int]) -> Iterator[Damage | None]:
    """Every page's bytes, one at a time, against their sha256."""
    for number, packed, digest in db.execute("SELECT id, bytes, sha256 FROM dictionaries"):
        if not _is_whole(digest, "zstd", packed, None):
            yield Damage("dictionaries", number, "pages that are packed with it cannot be read", _SALVAGE)
    counts |= {"pages": 0, "pages without bytes": 0}
    for number, digest, codec, packed, dictionary in db.execute(f"SELECT id, sha256, {PACKED} FROM pages ORDER BY id"):
        if codec == DROPPED_BYTES and packed is None:
            counts["pages without bytes"] += 1
            yield None
            continue
        counts["pages"] += 1
        whole = _is_whole(digest, codec, packed, dictionary)
        yield None if whole else Damage("pages", number, "other bytes than came", _CHANGED)


def _images(db: Database, counts: dict[str, int]) -> Iterator[Damage | None]:
    """Every image's bytes against their sha256; of one that was erased there is a tombstone."""
    counts["images"] = 0
    rows = db.execute(
        'SELECT id, bytes, sha256, EXISTS (SELECT 1 FROM tombstones WHERE "table" = \'images\' AND "row" = i.id)'
        " FROM images i ORDER BY id"
    )
    for number, body, digest, erased in rows:
        counts["images"] += body is not None
        whole = erased if body is None else hashlib.sha256(body).hexdigest() == digest
        yield None if whole else Damage("images", number, "other bytes than came", _CHANGED)


def _is_whole(digest: str, codec: str, packed: bytes | None, dictionary: bytes | None) -> bool:
    try:
        return packed is not None and hashlib.sha256(page_bytes(codec, packed, dictionary)).hexdigest() == digest
    except zstandard.ZstdError:
        return False


def _chain(db: Database, counts: dict[str, int]) -> Iterator[Damage | None]:
    """Every commit's digest is made again from what the tables hold."""
    counts |= {"commits": 0, "erased rows": int(db.execute("SELECT count(*) FROM tombstones").fetchone()[0])}
    last = 0
    for link in chain.links(db):
        counts["commits"] += 1
        seq = link.head.seq
        if seq != last + 1:
            yield Damage("commits", seq, f"the {seq - last - 1} commits before it are gone", _CHANGED)
        last = seq
        if link.found == link.head.digest:
            yield None
            continue
        holds = ", ".join(link.rows[:20]) or "nothing"
        yield Damage("commits", seq, f"what it added is not what was sealed; it holds {holds}", _CHANGED)


def _index(db: Database) -> Iterator[Damage | None]:
    """The index for search; it is derived, so whatever is wrong with it costs only time."""
    try:
        for number, what in index.damages(db):
            yield Damage("revisions_fts", number, what, _DERIVED)
    except sqlite3.DatabaseError as error:
        yield Damage("revisions_fts", None, f"cannot be read to its end: {error}", _DERIVED)


def _kept(db: Database, against: str | None) -> Iterator[Damage | None]:
    if against and chain.contains(db, against) is None:
        what = f"no commit has the digest {against}: this is another archive, an older copy, or its past was rewritten"
        yield Damage("commits", None, what, "Compare it with the backup that belongs to that digest")
