"""Revisions as they are indexed and compared: each text made once for both out of the stored body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.archive.lean import Database
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import Rules
from aggregator.text.tokens import folded


@dataclass(frozen=True, slots=True)
class Text:
    """A revision and its text, of a link alone the summary; ``folded`` is it as it is searched and compared.

    ``whole``: it is an article's text, not what a listing says of a link.
    """

    revision: int
    article: int
    title: str
    media: str
    text: str
    folded: str
    whole: bool


def read(db: Database, rules: Rules, where: str, values: Sequence[object]) -> list[Text]:
    """The revisions of which ``where`` is true."""
    columns = "id, article, title, media, body, summary, rule, reason"
    rows = db.execute(f"SELECT {columns} FROM revisions WHERE {where}", list(values)).fetchall()
    found = []
    for number, article, title, media, body, summary, rule, reason in rows:
        text = text_of(body, rule, rules) if body else summary or ""
        whole = bool(body) and reason is None
        found.append(Text(number, article, title, media or "", text, folded(text), whole))
    return found


def following(db: Database, rules: Rules, mark: int, limit: int) -> list[Text]:
    """The next revisions behind one, at most so many."""
    return read(db, rules, "id > ? ORDER BY id LIMIT ?", [mark, limit])
