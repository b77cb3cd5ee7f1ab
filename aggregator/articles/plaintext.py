"""The text of an article for search, fingerprint, similarity and reading: its body without what is not the article.

Derived from the stored body alone, so that it can be derived again when the rules change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.rules import Pattern, Rules
from aggregator.text.html import plain, plain_of_simple, too_heavy

_EDGE = 4  # lines at either end that may be fields
_BRACKETS = re.compile(r"\[[^\]]*\]")
# Of a class or an id, or of a part of either, a parser takes the case into account.
_CLASS_OR_ID = re.compile(r"\[(?:class|id)[*^$~|]?=[\"']?([\w-]+)[\"']?\]")
_ONLY_BREAKS = re.compile(r"[（(【\[\s|>]*[）)】\]\s|>]*")


def text_of(html: str, rule: str | None, rules: Rules) -> str:
    """The plain text, one block a line, of a body as ``Article.html`` holds it; ``rule`` is ``Article.rule``.

    Without styles, QR blocks, quotations of prices, players, advertisements of the house, and the lines that are
    fields: editor, 原标题, 来源, 专题. Never raises.
    """
    selectors = _selectors(rule, rules)
    text = None if _concern(selectors, html) else plain_of_simple(html)
    if text is None:
        text = plain(kept(html, rule, rules))
    lines = [line for line in text.split("\n") if line]
    if promotions := [pattern for part, pattern in rules.promotions if part in text]:
        lines = [rest for line in lines if (rest := _without_promotion(line, promotions))]
    lines = _trimmed(lines, rules.leading)
    return "\n".join(_trimmed(lines[::-1], rules.trailing)[::-1])


def kept(html: str, rule: str | None, rules: Rules) -> str:
    """The body without the elements that are no part of the article (docs/sina.md, section 5)."""
    selectors = _selectors(rule, rules)
    if ("=" not in html and not _concern(selectors, html)) or too_heavy(html):
        return html
    return without(html, selectors)


def _selectors(rule: str | None, rules: Rules) -> tuple[str, ...]:
    row = rules.named(rule)
    return rules.remove + (row.remove if row else ())


def without(html: str, selectors: Sequence[str]) -> str:
    """The markup without the elements that any of the selectors finds in its tree."""
    tree = LexborHTMLParser(f"<!DOCTYPE html><body>{html}")
    for selector in selectors:
        for node in tree.css(selector):
            node.decompose()
    return (tree.body.inner_html if tree.body is not None else "") or ""


def _concern(selectors: tuple[str, ...], html: str) -> bool:
    """Whether any selector may find something in markup that we wrote; ``True`` where that is not sure."""
    return any(mark in html for mark in _marks(selectors, attributes="=" in html))


@cache
def _marks(selectors: tuple[str, ...], *, attributes: bool) -> frozenset[str]:
    """What stands in markup, with or without attributes, in which selectors find anything; "" where that is not sure.

    Of a selector it is a class, an id, or else the start of an element.
    """
    if any(re.search(r"[:*|()\\]", _BRACKETS.sub("[]", selector)) for selector in selectors):
        return frozenset({""})
    parts = [part for selector in selectors for part in selector.split(",")]
    given = [part for part in parts if re.search(r"[.#\[]", part)]
    names = [name for part in parts if part not in given for name in re.findall(r"[a-z][a-z0-9]*", part.lower())]
    return frozenset((*(f"<{name}" for name in names), *(map(_given, given) if attributes else ())))


def _given(part: str) -> str:
    """The class or id that what a selector finds has, or what any attribute with a value has."""
    found = re.search(r"[.#]([\w-]+)", _BRACKETS.sub("", part)) or _CLASS_OR_ID.search(part)
    return found[1] if found else "="


def _without_promotion(line: str, promotions: Sequence[Pattern]) -> str:
    rest = line
    for pattern in promotions:
        rest = pattern.sub("", rest)
    return "" if rest != line and _ONLY_BREAKS.fullmatch(rest) else rest.strip(" \u3000")


def _trimmed(lines: list[str], field: Pattern) -> list[str]:
    """The lines without those among the first few that are fields as a whole."""
    return [line for line in lines[:_EDGE] if not field.fullmatch(line)] + lines[_EDGE:]
