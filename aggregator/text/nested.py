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
_TAG = re.compile(r"<([^<>]*)>")
# What stands in a tag or a comment, in one spelling. No part gives back what it took.
_INSIDE = re.compile(
    r"(?P<end>/?)(?P<name>[a-z][a-z0-9]*+)(?P<attributes>(?: [a-z][a-z0-9-]*+=\"[^\"\n]*+\")*+) ?(?P<empty>/?)"
    r"|!--(?P<comment>[^&-]*+)--"
)
_ATTRIBUTE = re.compile(r" ([a-z][a-z0-9-]*)=\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Tag:
    """The start of an element, its attributes in their order, or its end; without a name it is a comment."""

    name: str
    attributes: Mapping[str, str]
    ends: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Markup:
    """Texts, with references undone where there are any, and the tags between one and the next."""

    texts: list[str]
    tags: list[Tag]
    references: bool


def read(html: str) -> Markup | None:
    """What printable markup consists of; ``None`` where only a parser can tell. Linear time."""
    count = html.count("<")
    if count > _MOST_TAGS or "\r" in html or "\0" in html or "\f" in html:
        return None
    pieces = _TAG.split(html)
    tags: list[Tag] = []
    opened: list[str] = []
    for inside in pieces[1::2]:
        tag = _BARE.get(inside) or _tag(inside)
        if tag is None or not _stands(tag, opened):
            return None
        tags.append(tag)
    texts = pieces[::2]
    if references := "&" in html:
        texts = [text for piece in texts if (text := _characters(piece)) is not None]
    # Fewer texts: a reference is not known. Fewer tags: one has no end.
    return Markup(texts, tags, references) if len(texts) - 1 == len(tags) == count and not opened else None


def _tag(inside: str) -> Tag | None:
    """What stands in a tag, or in a comment; ``None`` for elements not known here, and for other spellings."""
    found = _INSIDE.fullmatch(inside)
    if found is None:
        return None
    end, name, given, empty, comment = found.groups()
    if name is None:
        return Tag("", {}, comment=comment)
    attributes = _attributes(given)
    if attributes is None or name not in _KNOWN or (empty and name not in VOID) or (end and (given or empty)):
        return None
    return Tag(name, attributes, bool(end))


def _stands(tag: Tag, opened: list[str]) -> bool:
    """Whether a tag may stand inside of these elements, of which it begins or ends the last."""
    name = tag.name
    if tag.ends:
        return bool(opened) and opened.pop() == name
    if name and not _may_begin(name, opened):
        return False
    if name and name not in VOID:
        opened.append(name)
    return True


def _may_begin(name: str, opened: list[str]) -> bool:
    """Whether an element begun inside of these stays inside of them, and none of them is begun again."""
    if not opened:
        return name != "li"
    if len(opened) > _MOST_OPEN:
        return False
    if name in _FORMATTING:
        formatting = [one for one in opened if one in _FORMATTING]
        return len(formatting) < _MOST_FORMATTING and not (name == "a" and "a" in formatting)
    if name in _BLOCKS and "p" in opened:
        return False
    if name == "li":
        return opened[-1] in ("ul", "ol")
    return not (name in _HEADINGS and _HEADINGS.intersection(opened))


def _characters(text: str) -> str | None:
    """A text without its references; ``None`` with one that is not told here."""
    if "&" not in text:
        return text
    if "&" in _REFERENCE.sub("", text):
        return None
    return _REFERENCE.sub(lambda reference: _REFERENCES[reference[0]], text)


def _attributes(given: str) -> dict[str, str] | None:
    """The attributes of a tag; ``None`` where one is there twice, or there are very many."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(given):
        text = _characters(value)
        if text is None or name in found:
            return None
        found[name] = text
    return found if len(found) <= _MOST_ATTRIBUTES else None


# Most tags have no attributes: these are read once.
_SPELLINGS = (spelling for name in _KNOWN for spelling in (name, f"/{name}", f"{name}/", f"{name} /"))
_BARE = {spelling: tag for spelling in _SPELLINGS if (tag := _tag(spelling))}
