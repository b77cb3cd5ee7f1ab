"""The revisions of articles as values: every version that was ever settled, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aggregator.archive.lean import Database
from aggregator.model import Article
from aggregator.text.dates import parse_iso

IMPORTED = "imported"  # the cause of a revision that a document gave, and the feed such articles are filed at

_COLUMNS = (
    "r.id, a.id AS article_id, a.key, a.date, a.file, r.n, r.cause, r.page, r.entry, r.parser, r.rules, r.rule, r.url,"
    " r.title, r.original_title, r.published, r.modified, r.author, r.media, r.editor, r.editor_code, r.keywords,"
    " r.symbols, r.cover, r.categories, r.reason, r.body, r.summary, r.fingerprint, r.placeholder, r.document_sha256,"
    " c.seq, c.at"
)


def kept(revision: str) -> str:
    """The condition that a revision was not erased, as SQL; ``revision`` is how its table is called in a query."""
    gone = f"""SELECT 1 FROM tombstones WHERE "table" = 'revisions' AND "row" = {revision}.id"""
    return f"NOT EXISTS ({gone} AND cause = 'forgotten')"


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of an article, and where it comes from. ``seen`` is the instant of its commit, ``seq``.

    ``content.text`` is the listing's summary of a link-only article; of any other it is ``text_of`` the body.
    ``entry``, ``placeholder`` and ``document_sha256`` are ``None`` where an old archive does not know them.
    """

    id: int
    article: int
    key: str
    date: datetime  # the document's
    file: str | None
    n: int
    cause: str
    page: int | None
    entry: int | None
    parser: str
    content: Article
    categories: tuple[str, str, str]
    fingerprint: str
    placeholder: str | None
    document_sha256: str | None
    seq: int
    seen: datetime


def revisions(db: Database, article: int | None = None, until: int | None = None) -> Iterator[Revision]:
    """The revisions of an article, or of all, oldest first; with ``until`` those of commits up to that one.

    Those that were erased are left out.
    """
    wanted = [("r.article = :article", article), ("c.seq <= :until", until)]
    where = " AND ".join([kept("r"), *(condition for condition, value in wanted if value is not None)])
    rows = db.query(
        f'SELECT {_COLUMNS} FROM revisions r JOIN articles a ON a.id = r.article JOIN commits c ON c.seq = r."commit"'
        f" WHERE {where} ORDER BY r.id",
        {"article": article, "until": until},
    )
    return (_revision(row) for row in rows)


def current(db: Database, article: int) -> Revision | None:
    """The revision of an article that counts now; ``None`` before its first."""
    rows = db.query(
        f'SELECT {_COLUMNS} FROM articles a JOIN revisions r ON r.id = a.revision JOIN commits c ON c.seq = r."commit"'
        " WHERE a.id = ?",
        [article],
    )
    return next((_revision(row) for row in rows), None)


def _revision(row: dict[str, object]) -> Revision:
    c1, c2, c3 = json.loads(str(row["categories"]))
    return Revision(
        id=_number(row["id"]),
        article=_number(row["article_id"]),
        key=str(row["key"]),
        date=parse_iso(str(row["date"])),
        file=_text(row["file"]),
        n=_number(row["n"]),
        cause=str(row["cause"]),
        page=None if row["page"] is None else _number(row["page"]),
        entry=None if row["entry"] is None else _number(row["entry"]),
        parser=str(row["parser"]),
        content=_content(row),
        categories=(c1, c2, c3),
        fingerprint=str(row["fingerprint"]),
        placeholder=_text(row["placeholder"]),
        document_sha256=_text(row["document_sha256"]),
        seq=_number(row["seq"]),
        seen=parse_iso(str(row["at"])),
    )


def _content(row: dict[str, object]) -> Article:
    return Article(
        url=str(row["url"]),
        title=str(row["title"]),
        published=_instant(row["published"]),
        modified=_instant(row["modified"]),
        author=_text(row["author"]),
        media=_text(row["media"]),
        editor=_text(row["editor"]),
        editor_code=_text(row["editor_code"]),
        original_title=_text(row["original_title"]),
        keywords=_names(row["keywords"]),
        symbols=_names(row["symbols"]),
        cover=_text(row["cover"]),
        html=str(row["body"]),
        text=_text(row["summary"]) or "",
        reason=_text(row["reason"]),
        rule=_text(row["rule"]),
        rules_version=_text(row["rules"]),
    )


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _instant(value: object) -> datetime | None:
    return None if value is None else parse_iso(str(value))


def _names(value: object) -> tuple[str, ...]:
    return tuple(json.loads(str(value))) if value else ()
