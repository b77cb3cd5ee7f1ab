"""A new revision of an article, where what was read differs from the current one."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from aggregator.archive.lean import Database
from aggregator.archive.revisions import IMPORTED, current
from aggregator.archive.rows import Commit, Value, add_page, as_json, insert, names_as_json, update, when
from aggregator.archive.symbols import add_symbols
from aggregator.articles.differences import Reading, is_edit
from aggregator.errors import ArchiveError
from aggregator.model import Page, Pending, Settled

if TYPE_CHECKING:
    from aggregator.articles.verdict import Verdict


def revise(
    db: Database,
    stamp: Callable[[], Commit],
    task: Pending,
    done: Settled,
    parser: str,
    verdict: Verdict | None = None,
) -> tuple[int | None, bool]:
    """Add what was read as a revision if the source has edited the article, inside the caller's transaction.

    Returns the number of the page it was read from and whether there is a new revision. The bytes of a page that says
    nothing new are not kept once more; its number is then ``None``.
    """
    known = current(db, task.article)
    read = Reading(done.article, done.fingerprint)
    if known and known.cause == IMPORTED and known.fingerprint == done.fingerprint:
        # The page of a document that had none: what it says more of its fields is no edit, and the document stays.
        return add_page(db, stamp(), "article", done.page) if isinstance(done.page, Page) else done.page, False
    if known and not is_edit(Reading(known.content, known.fingerprint), read):
        return (None if isinstance(done.page, Page) else done.page), False
    page = add_page(db, stamp(), "article", done.page) if isinstance(done.page, Page) else done.page
    add_revision(db, stamp(), task, done, parser, page, verdict if known else None)
    return page, True


def add_revision(
    db: Database,
    stamp: Commit,
    task: Pending,
    done: Settled,
    parser: str,
    page: int | None,
    verdict: Verdict | None = None,
) -> None:
    """Add a revision and make it the current one, with its document; inside the caller's transaction."""
    article = done.article
    revision = insert(
        db,
        "revisions",
        {
            "article": task.article,
            "n": _next_number(db, task.article),
            "cause": done.cause,
            "page": page,
            "entry": task.sighting,
            "parser": parser,
            "rules": article.rules_version,
            "rule": article.rule,
            "commit": stamp.seq,
            "url": article.url,
            "title": article.title,
            "original_title": article.original_title,
            "published": when(article.published),
            "modified": when(article.modified),
            "author": article.author,
            "media": article.media,
            "editor": article.editor,
            "editor_code": article.editor_code,
            "keywords": names_as_json(article.keywords),
            "symbols": names_as_json(article.symbols),
            "cover": article.cover,
            "categories": as_json(task.categories),
            "reason": article.reason,
            "body": article.html,
            "summary": None if article.html else article.text or None,
            "fingerprint": done.fingerprint,
            "verdict": verdict.verdict if verdict else None,
            "evidence": as_json([asdict(one) for one in verdict.evidence]) if verdict else None,
            "placeholder": done.placeholder,
            "document_sha256": hashlib.sha256(done.document.encode()).hexdigest(),
        },
    )
    add_symbols(db, task.article, revision, article.symbols)
    home = db.execute("SELECT id FROM feeds WHERE name = ?", [task.feed]).fetchone()[0]
    current: dict[str, Value] = {
        "revision": revision,
        "title": article.title,
        "published": when(article.published),
        "media": article.media,
        "url": article.url,
        "reason": article.reason,
        "home_feed": home,
        "document": done.document,
        **_file(db, task.article, done.files),
    }
    update(db, "articles", task.article, current)


def file_key(file: str) -> str:
    """What two paths have in common that are one file where case or NFC are not told apart."""
    return unicodedata.normalize("NFC", file).casefold()


def _next_number(db: Database, article: int) -> int:
    row = db.execute("SELECT coalesce(max(n), 0) + 1 FROM revisions WHERE article = ?", [article]).fetchone()
    return int(row[0])


def _file(db: Database, article: int, candidates: Sequence[str]) -> dict[str, Value]:
    """The document's path, chosen at its first rendering and kept; unique also where case or NFC are not told apart."""
    kept = db.execute("SELECT file FROM articles WHERE id = ?", [article]).fetchone()[0]
    if kept:
        return {}
    for file in candidates:
        key = file_key(file)
        if not db.execute("SELECT 1 FROM articles WHERE file_key = ?", [key]).fetchone():
            return {"file": file, "file_key": key}
    raise ArchiveError("no free file name for its document", kind="damaged", where=candidates[-1])
