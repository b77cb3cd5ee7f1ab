"""How a page was read, step by step: for people who mend a rule and want to see what each selector finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.extract import extract
from aggregator.articles.proof import Witness, evidence
from aggregator.articles.rules import Rule, Rules
from aggregator.articles.tree import grow, texts
from aggregator.errors import ParseError
from aggregator.model import Article, Page
from aggregator.text.charset import declared_in, decode
from aggregator.text.html import plain
from aggregator.text.urls import host_of

_SHOWN = 80  # characters of a value
_FIELDS = ("title", "time", "media", "editor", "keywords", "remove")
_ARTICLE = "title published modified author media editor editor_code original_title keywords symbols cover rule".split()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing tried. ``part`` is a row's name with a key ("sina-2014.body"), "identity", or a field of the article;
    ``by`` the selector; ``found`` what it gave, "" for nothing.
    """

    part: str
    by: str
    found: str


def explain(page: Page, *, zone: str | None, title: str, rules: Rules) -> tuple[list[Step], ParseError | None]:
    """Every step on the way from a page to its article, and the error it ends in, if it ends in one."""
    source = decode(page.body, header=page.headers.get("content-type"), declared=declared_in(page.body)).text
    try:
        tree = grow(source, page.url)
    except ParseError as error:
        return [], error
    steps = [Step("identity", by, value[:_SHOWN]) for by, value in evidence(_witness(tree, page, title, rules))]
    for row in rules.rows_for(host_of(page.url), host_of(page.final_url)):
        steps += _tried(tree, row)
    try:
        article = extract(page, zone=zone, title=title, rules=rules)
    except ParseError as error:
        return steps, error
    return steps + list(_fields(article)), None


def _witness(tree: LexborHTMLParser, page: Page, title: str, rules: Rules) -> Witness:
    return Witness(tree, page.url, page.final_url, title, rules)


def _tried(tree: LexborHTMLParser, row: Rule) -> Iterator[Step]:
    """What each selector of a row finds; of a row whose mark is not there, only that."""
    if row.mark:
        marked = tree.css_first(row.mark) is not None
        yield Step(f"{row.name}.mark", row.mark, "is there" if marked else "")
        if not marked:
            return
    for selector in row.body:
        node = tree.css_first(selector)
        length = len(plain(node.inner_html or "")) if node is not None else 0
        yield Step(f"{row.name}.body", selector, f"{length} characters" if node is not None else "")
    for key in _FIELDS:
        for selector in getattr(row, key):
            yield Step(f"{row.name}.{key}", selector, next(texts(tree, [selector]), "")[:_SHOWN])


def _fields(article: Article) -> Iterator[Step]:
    for name in _ARTICLE:
        value = getattr(article, name)
        yield Step(name, "", ", ".join(value) if isinstance(value, tuple) else str(value or "")[:_SHOWN])
    yield Step("body", "", f"{len(article.html)} characters of HTML")
    yield Step("text", "", f"{len(article.text)} characters")
