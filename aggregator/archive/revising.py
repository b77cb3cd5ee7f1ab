"""A new revision of an article, where what was read differs from the current one."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aggregator.archive.lean import Database
from aggregator.archive.revisions import IMPORTED, current
from aggregator.archive.rows import Commit, Value, add_page, as_json, insert_many, names_as_json, when
from aggregator.archive.symbols import add_symbols
from aggregator.articles.differences import Reading, is_edit
from aggregator.errors import ArchiveError
from aggregator.model import Article, Page, Pending, Settled

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
        return kept_page(db, stamp, done), False
    if known and not is_edit(Reading(known.content, known.fingerprint), read):
        return (None if isinstance(done.page, Page) else done.page), False
    page = kept_page(db, stamp, done)
    add_revisions(db, stamp(), [New(task, done, page, verdict if known else None)], parser)
    return page, True


def kept_page(db: Database, stamp: Callable[[], Commit], done: Settled) -> int | None:
    """The number of the page an article was read from, which is kept if it came just now."""
    return add_page(db, stamp(), "article", done.page) if isinstance(done.page, Page) else done.page


@dataclass(frozen=True, slots=True)
class New:
    """A revision to be added: what was read of a task's article, out of which page, and the verdict on an edit."""

    task: Pending
    done: Settled
    page: int | None
    verdict: Verdict | None = None


def add_revisions(db: Database, stamp: Commit, ones: Sequence[New], parser: str) -> None:
    """Add revisions, each of another article, and make them the current ones, with their documents.

    Inside the caller's transaction.
    """
    articles = [one.task.article for one in ones]
    numbers = dict(db.execute(_NUMBERS, [json.dumps(articles)]).fetchall())
    rows = [_revision(stamp, one, parser, numbers.get(one.task.article, 0) + 1) for one in ones]
    added = list(zip(ones, insert_many(db, "revisions", rows), strict=True))
    add_symbols(db, [(one.task.article, number, one.done.article.symbols) for one, number in added])
    homes = dict(db.execute("SELECT name, id FROM feeds").fetchall())
    shown = {article: (file, told) for article, file, *told in db.execute(_SHOWN, [json.dumps(articles)])}
    unnamed = {one.task.article: one.done.files for one in ones if shown[one.task.article][0] is None}
    db.conn.executemany(_NAME, [(*named, article) for article, named in _files(db, unnamed).items()])
    told = [(_told(one.done.article), one.task.article) for one in ones]
    db.conn.executemany(_TELL, [(*values, article) for values, article in told if values != shown[article][1]])
    current = [(number, homes[one.task.feed], one.done.document, one.task.article) for one, number in added]
    db.conn.executemany(_MAKE_CURRENT, current)


_OF = "WHERE {} IN (SELECT value FROM json_each(?))"
_NUMBERS = f"SELECT article, max(n) FROM revisions {_OF.format('article')} GROUP BY article"
_SHOWN = f"SELECT id, file, title, published, media, url, reason FROM articles {_OF.format('id')}"
_NAME = "UPDATE articles SET file = ?, file_key = ? WHERE id = ?"
_TELL = "UPDATE articles SET title = ?, published = ?, media = ?, url = ?, reason = ? WHERE id = ?"
_MAKE_CURRENT = "UPDATE articles SET revision = ?, home_feed = ?, document = ? WHERE id = ?"


def _revision(stamp: Commit, one: New, parser: str, number: int) -> dict[str, Value]:
    task, done, article, verdict = one.task, one.done, one.done.article, one.verdict
    return {
        "article": task.article,
        "n": number,
        "cause": done.cause,
        "page": one.page,
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
    }


def _told(article: Article) -> list[Value]:
    """What the archive's list of articles says of one."""
    return [article.title, when(article.published), article.media, article.url, article.reason]


def file_key(file: str) -> str:
    """What two paths have in common that are one file where case or NFC are not told apart."""
    return unicodedata.normalize("NFC", file).casefold()


def _files(db: Database, candidates: Mapping[int, Sequence[str]]) -> dict[int, tuple[str, str]]:
    """Each document's path and its key, chosen at its first rendering and kept; unique also where case or NFC are not
    told apart."""
    keys = {file: file_key(file) for files in candidates.values() for file in files}
    wanted = [json.dumps(list(set(keys.values())))]
    taken = {key for (key,) in db.execute(f"SELECT file_key FROM articles {_OF.format('file_key')}", wanted)}
    found = {}
    for article, files in candidates.items():
        file = next((one for one in files if keys[one] not in taken), None)
        if file is None:
            raise ArchiveError("no free file name for its document", kind="damaged", where=files[-1])
        taken.add(keys[file])
        found[article] = file, keys[file]
    return found
