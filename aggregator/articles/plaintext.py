"""The text of an article for search, fingerprint, similarity and reading: its body without what is not the article.

Derived from the stored body alone, so that it can be derived again when the rules change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.rules import Pattern, Rules
from aggregator.text.html import plain, too_heavy

_EDGE = 4  # lines at either end that may be fields
_ONLY_BREAKS = re.compile(r"[（(【\[\s|>]*[）)】\]\s|>]*")


def text_of(html: str, rule: str | None, rules: Rules) -> str:
    """The plain text, one block a line, of a body as ``Article.html`` holds it; ``rule`` is ``Article.rule``.

    Without styles, QR blocks, quotations of prices, players, advertisements of the house, and the lines that are
    fields: editor, 原标题, 来源, 专题. Never raises.
    """
    text = plain(kept(html, rule, rules))
    lines = [line for line in text.split("\n") if line]
    if promotions := [pattern for part, pattern in rules.promotions if part in text]:
        lines = [rest for line in lines if (rest := _without_promotion(line, promotions))]
    lines = _trimmed(lines, rules.leading)
    return "\n".join(_trimmed(lines[::-1], rules.trailing)[::-1])


def kept(html: str, rule: str | None, rules: Rules) -> str:
    """The body without the elements that are no part of the article (docs/sina.md, section 5)."""
    row = rules.named(rule)
    selectors = rules.remove + (row.remove if row else ())
    if ("=" not in html and not _selected(html, selectors)) or too_heavy(html):
        return html
    return without(html, selectors)


def without(html: str, selectors: Sequence[str]) -> str:
    """The markup without the elements that any of the selectors finds in its tree."""
    tree = LexborHTMLParser(f"<!DOCTYPE html><body>{html}")
    for selector in selectors:
        for node in tree.css(selector):
            node.decompose()
    return (tree.body.inner_html if tree.body is not None else "") or ""


def _selected(html: str, selectors: tuple[str, ...]) -> bool:
    """Whether any selector may find something in markup that has no attributes; ``True`` where that is not sure."""
    return any(name is None or f"<{name}" in html for name in _names(selectors))


@cache
def _names(selectors: tuple[str, ...]) -> frozenset[str | None]:
    """The elements that selectors find without an attribute, ``None`` for any element."""
    bare = [part.lower() for selector in selectors for part in selector.split(",") if not re.search(r"[.#\[]", part)]
    sure = re.compile(r"[a-z][a-z0-9]*")
    odd = any(re.search(r"[:*|()\\]", re.sub(r"\[[^\]]*\]", "[]", selector)) for selector in selectors)
    return frozenset({None} if odd else {word for part in bare for word in sure.findall(part)})


def _without_promotion(line: str, promotions: Sequence[Pattern]) -> str:
    rest = line
    for pattern in promotions:
        rest = pattern.sub("", rest)
    return "" if rest != line and _ONLY_BREAKS.fullmatch(rest) else rest.strip(" \u3000")


def _trimmed(lines: list[str], field: Pattern) -> list[str]:
    """The lines without those among the first few that are fields as a whole."""
    return [line for line in lines[:_EDGE] if not field.fullmatch(line)] + lines[_EDGE:]
