"""What an article's page says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Article:
    """The thing itself, normalised: what an article's page (or an entry's own full text) says.

    ``html`` is the body for the document, cleaned; ``text`` its plain text without boilerplate. A link-only article has
    ``reason`` ("video", "blog", "topic", "not_found", "gone") and no body.
    """

    url: str
    title: str
    published: datetime | None = None
    modified: datetime | None = None
    author: str | None = None
    media: str | None = None
    editor: str | None = None
    editor_code: str | None = None
    original_title: str | None = None
    keywords: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    cover: str | None = None
    html: str = ""
    text: str = ""
    reason: str | None = None
    rule: str | None = None  # name of the row in articles.rules that matched
    rules_version: str | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page showed of its template: whether the rule's own selectors found each field, the text's ``length`` in
    characters, the codec read with, the kind of attribute ``quotes``, and hashes of the ``lines`` at the text's edges.
    """

    rule: str | None
    title: bool
    time: bool
    media: bool
    editor: bool
    length: int
    charset: str
    quotes: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How reading one page ended: "ok" with its signs, or "wrong_page", "extract_failed" without any."""

    outcome: str
    signs: Signs | None = None
