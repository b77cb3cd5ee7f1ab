"""Documents that other programs wrote, taken in as articles: their bytes stay, and are what an export writes again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aggregator.archive.lean import Database
from aggregator.archive.revising import New, add_revisions, file_key
from aggregator.archive.revisions import IMPORTED
from aggregator.archive.rows import Commit, Value, add_item, commit, feed_id_of, insert, transaction, when
from aggregator.articles.document import safe_title
from aggregator.articles.imported import Imported
from aggregator.model import Announced, Article, Clock, Entry, Pending, Settled
from aggregator.text.dates import iso

Result = Literal["imported", "attached", "known"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A document to take in: its path below the folder it comes from, its bytes, and what was read in them."""

    path: str
    data: bytes
    document: Imported
    article: Article
    categories: tuple[str, str, str]
    fingerprint: str

    @property
    def key(self) -> str:
        """What it is known by: the same bytes are the same document."""
        return f"document:sha256:{hashlib.sha256(self.data).hexdigest()}"


def take_in(db: Database, clock: Clock, ones: Sequence[Taken], parser: str) -> list[Result]:
    """Store documents that are not known yet, in one transaction; what became of each.

    ``attached`` is one that says what an archived article says: title, date and text are equal. It becomes a further
    sighting of that article, whose versions stay as they are.
    """
    with transaction(db):
        home = feed_id_of(db, IMPORTED)
        stamp: Commit | None = None
        results: list[Result] = []
        for one in ones:
            if _is_known(db, one):
                results.append("known")
                continue
            stamp = stamp or commit(db, clock)
            results.append(_take_in(db, stamp, home, one, parser))
        return results


def what_would_be(db: Database, ones: Sequence[Taken]) -> list[Result]:
    """What ``take_in`` would do with each, if it did it now; nothing is stored."""
    return ["known" if _is_known(db, one) else "attached" if _equal(db, one) else "imported" for one in ones]


def has_imported(db: Database) -> bool:
    """Whether documents were ever taken in: else there is nothing that an entry could be ``matching``."""
    return db.execute("SELECT 1 FROM feeds WHERE name = ?", [IMPORTED]).fetchone() is not None


def matching(db: Database, one: Announced) -> int | None:
    """The imported article that an entry of a live listing announces: title and date to the second are equal.

    Only one that nothing but a document has told of yet; ``None`` also where several are equal.
    """
    if one.date is None:
        return None
    rows = db.execute(
        "SELECT a.id, r.title FROM articles a JOIN revisions r ON r.id = a.revision WHERE a.date = ? AND r.cause = ?"
        " AND NOT EXISTS (SELECT 1 FROM keys WHERE article = a.id AND key NOT GLOB 'document:*')",
        [iso(one.date), IMPORTED],
    ).fetchall()
    found = [article for article, title in rows if safe_title(title) == safe_title(one.entry.title)]
    return found[0] if len(found) == 1 else None


def _is_known(db: Database, one: Taken) -> bool:
    """Whether these bytes were taken in, or are the archive's own document that an export wrote."""
    if db.execute("SELECT 1 FROM keys WHERE key = ?", [one.key]).fetchone():
        return True
    row = db.execute("SELECT document FROM articles WHERE file_key = ?", [file_key(one.path)]).fetchone()
    return row is not None and row[0] == one.document.text


def _equal(db: Database, one: Taken) -> int | None:
    """The article of a feed that says the same as a document. Two equal documents are two files, and both stay."""
    date = one.document.date
    rows = db.execute(
        "SELECT a.id, r.title FROM articles a JOIN revisions r ON r.id = a.revision"
        " WHERE a.date = ? AND r.fingerprint = ? AND r.cause <> ?",
        [iso(date) if date else None, one.fingerprint, IMPORTED],
    ).fetchall()
    return next((article for article, title in rows if safe_title(title) == safe_title(one.document.title)), None)


def _take_in(db: Database, stamp: Commit, home: int, one: Taken, parser: str) -> Result:
    equal = _equal(db, one)
    article = equal if equal is not None else _add_article(db, stamp, one)
    insert(db, "keys", {"key": one.key, "article": article, "commit": stamp.seq})
    page = add_item(db, stamp, one.path, one.data)
    said: dict[str, Value] = {"guid": one.path, "title": one.document.title, "author": one.document.author}
    said |= {"published": when(one.document.date), "published_text": one.document.date_text}
    place: dict[str, Value] = {"feed": home, "article": article, "page": page, "commit": stamp.seq}
    sighting = insert(db, "entries", place | said)
    if equal is not None:
        return "attached"
    told = Entry(one.path, None, one.document.title)
    date = one.document.date or stamp.at
    task = Pending(article, one.key, told, IMPORTED, one.categories, date, sighting=sighting)
    done = Settled(
        article=one.article,
        document=one.document.text,
        placeholder=None,
        files=_files(one),
        fingerprint=one.fingerprint,
        page=page,
        cause=IMPORTED,
    )
    add_revisions(db, stamp, [New(task, done, page)], parser)
    return "imported"


def _add_article(db: Database, stamp: Commit, one: Taken) -> int:
    date = one.document.date
    return insert(
        db,
        "articles",
        {
            "key": one.key,
            "title": one.document.title,
            "published": when(date),
            "date": iso(date or stamp.at),
            "first_seen": iso(stamp.at),
            "commit": stamp.seq,
        },
    )


def _files(one: Taken) -> tuple[str, ...]:
    """Where it is exported to: where it came from, unless another article has that place."""
    stem = one.path.removesuffix(".md")
    digest = one.key.rpartition(":")[2]
    return (one.path, f"{stem}-{digest[:8]}.md", f"{digest}.md")
