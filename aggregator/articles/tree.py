"""A page as a tree, parsed once, and what is read from it by selector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from aggregator.errors import ParseError
from aggregator.text.characters import one_line
from aggregator.text.urls import host_of, is_sina
from aggregator.text.weight import excess


def grow(text: str, where: str) -> LexborHTMLParser:
    """The tree of a page. Raises ``ParseError`` (``extract_failed``) for one too heavy to build a tree of."""
    too_much = excess(text)
    if too_much:
        raise ParseError(
            f"the page is too heavy to read: {too_much}",
            kind="extract_failed",
            where=where,
            hint="Its bytes are kept; no real article looks like this",
        )
    return LexborHTMLParser(text)


def metas(tree: LexborHTMLParser) -> dict[str, str]:
    """The contents of ``<meta>`` by lower-case ``name``, ``property`` or ``itemprop``; the first of a name counts."""
    found: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        name = attributes.get("name") or attributes.get("property") or attributes.get("itemprop") or ""
        content = one_line(attributes.get("content") or "")
        if name:
            found.setdefault(name.strip().lower(), content)
    return found


def words(node: LexborNode) -> str:
    """The text of a node in one line."""
    return one_line(node.text(deep=True))


def texts(tree: LexborHTMLParser, selectors: Iterable[str]) -> Iterator[str]:
    """The texts that are not empty of what the selectors match, the first selector's first."""
    for selector in selectors:
        for node in tree.css(selector):
            text = words(node)
            if text:
                yield text


def first_text(tree: LexborHTMLParser, selectors: Iterable[str]) -> str:
    """The first of ``texts``, "" when there is none."""
    return next(texts(tree, selectors), "")


def secure(url: str) -> str:
    """The https form of an address of Sina's, as their pages ask for (``upgrade-insecure-requests``); others as is."""
    return "https" + url[4:] if url.lower().startswith("http:") and is_sina(host_of(url)) else url
