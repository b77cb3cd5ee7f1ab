"""Markup that is nested as it is written, read without a tree: most articles are paragraphs, pictures and links.

Building a tree takes 2 ms a text, and most of what a poll costs. Of markup in which every element is ended in its
turn, stands where the HTML standard lets it stand, and is spelt in one way only, any parser builds the tree that is
written. Whatever is not surely so is ``None`` here, and for a parser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

VOID = frozenset({"br", "hr", "img", "wbr"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | frozenset("p div ul ol li blockquote center section article figure figcaption hr".split())
_FORMATTING = frozenset("a b big code em i small strong u".split())
_INLINE = _FORMATTING | frozenset("span sub sup cite br img wbr".split())
_KNOWN = _BLOCKS | _INLINE
_MOST_TAGS, _MOST_OPEN, _MOST_FORMATTING = 4_000, 60, 8
_MOST_ATTRIBUTES = 30

_REFERENCES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&nbsp;": "\xa0", "&#39;": "'"}
_REFERENCE = re.compile("|".join(_REFERENCES))
# A tag or comment in one spelling; what follows the last one is text. No part gives back what it took.
_TOKEN = re.compile(
    r"(?P<text>[^<]*+)(?:<(?P<end>/?)(?P<name>[a-z][a-z0-9]*)(?P<attributes>(?: [a-z][a-z0-9-]*=\"[^\"<>\n]*+\")*+) ?"
    r"(?P<empty>/?)>|<!--(?P<comment>[^<>&-]*+)-->)"
)
_ATTRIBUTE = re.compile(r" ([a-z][a-z0-9-]*)=\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Start:
    """The start of an element; its attributes in their order."""

    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class End:
    """The end of an element that is not void."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """Characters, with references undone."""

    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment."""

    text: str


Node = Start | End | Text | Comment


def nodes(html: str) -> list[Node] | None:
    """What printable markup consists of, in its order; ``None`` where only a parser can tell. Linear time."""
    if "\r" in html or "\0" in html or "\f" in html or html.count("<") > _MOST_TAGS:
        return None
    found: list[Node] = []
    opened: list[str] = []
    at = 0
    while token := _TOKEN.match(html, at):
        if not _added(found, opened, token):
            return None
        at = token.end()
    rest = _characters(html[at:])
    if rest is None or opened or "<" in html[at:]:
        return None
    if rest:
        found.append(Text(rest))
    return found


def _added(found: list[Node], opened: list[str], token: re.Match[str]) -> bool:
    """Add what a token holds; whether that can be done."""
    before, end, name, given, empty, comment = token.groups()
    text = _characters(before)
    if text is None:
        return False
    if text:
        found.append(Text(text))
    if name is None:
        found.append(Comment(comment))
        return True
    if end:
        found.append(End(name))
        return not given and not empty and bool(opened) and opened.pop() == name
    attributes = _attributes(given)
    if attributes is None or not _may_stand(name, opened) or (empty and name not in VOID):
        return False
    found.append(Start(name, attributes))
    if name not in VOID:
        opened.append(name)
    return True


def _may_stand(name: str, opened: list[str]) -> bool:
    """Whether an element begun inside of these stays inside of them, and none of them is begun again."""
    if name not in _KNOWN or len(opened) > _MOST_OPEN:
        return False
    if name in _FORMATTING:
        formatting = [one for one in opened if one in _FORMATTING]
        return len(formatting) < _MOST_FORMATTING and not (name == "a" and "a" in formatting)
    if name in _BLOCKS and "p" in opened:
        return False
    if name == "li":
        return bool(opened) and opened[-1] in ("ul", "ol")
    return not (name in _HEADINGS and _HEADINGS.intersection(opened))


def _characters(text: str) -> str | None:
    """A text without its references; ``None`` with one that is not told here."""
    if "&" not in text:
        return text
    if _REFERENCE.sub("", text).count("&"):
        return None
    return _REFERENCE.sub(lambda reference: _REFERENCES[reference[0]], text)


def _attributes(given: str) -> dict[str, str] | None:
    """The attributes of a tag; ``None`` where one is there twice, or there are very many."""
    if not given:
        return {}
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(given):
        text = _characters(value)
        if text is None or name in found:
            return None
        found[name] = text
    return found if len(found) <= _MOST_ATTRIBUTES else None
