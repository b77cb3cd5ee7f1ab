"""Markup that is nested as it is written, read without a tree: most articles are paragraphs, pictures and links.

Building a tree takes 2 ms a text, and most of what a poll costs. Of markup in which every element is ended in its
turn, stands where the HTML standard lets it stand, and is spelt without an error, any parser builds the tree that is
written. Whatever is not surely so is ``None`` here, and for a parser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html.entities import html5
from itertools import pairwise

from aggregator.text.characters import begins_reference, printable

VOID = frozenset("br col hr img source wbr".split())
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_BLOCKS = _HEADINGS | frozenset(
    """address article aside blockquote center dd details div dl dt fieldset figcaption figure footer header hr li main
    nav ol p section summary table ul""".split()
)
_FORMATTING = frozenset("a b big code em font i s small strike strong tt u".split())
_INLINE = frozenset(
    """abbr acronym bdi bdo br cite data del dfn img ins kbd label mark picture q samp source span style sub sup
    time var wbr""".split()
)
# Elements that stand in no others than these, and the parts of tables, in which nothing else stands.
_PLACES = {"li": ("ul", "ol"), "dt": ("dl",), "dd": ("dl",), "caption": ("table",), "colgroup": ("table",)}
_PLACES |= {"col": ("colgroup",), "thead": ("table",), "tbody": ("table",), "tfoot": ("table",)}
_PLACES |= {"tr": ("thead", "tbody", "tfoot"), "td": ("tr",), "th": ("tr",)}
_PARTS = frozenset("table colgroup thead tbody tfoot tr".split())
_KNOWN = _BLOCKS | _FORMATTING | _INLINE | _PLACES.keys()
_MOST_TAGS, _MOST_OPEN, _MOST_FORMATTING = 4_000, 60, 8
_MOST_ATTRIBUTES = 30

_TAG = re.compile(r"<([^<>]*)>")
_VALUE = r"\"[^\"\n]*+\"|'[^'\n]*+'|[^\s\"'=`]++"
# What stands in a tag or a comment. No part gives back what it took.
_INSIDE = re.compile(
    rf"(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*+)(?P<attributes>(?:[ \t\n]++[a-zA-Z][\w:.-]*+(?:=(?:{_VALUE}))?+)*+)"
    r"[ \t\n]*+(?P<empty>/?)|!--(?P<comment>(?:[^-]++(?:-[^-]++)*+)?)--",
    re.ASCII,
)
_ATTRIBUTE = re.compile(rf"\s([a-zA-Z][\w:.-]*+)(?:=({_VALUE}))?+", re.ASCII)
# A reference, or an ampersand with what is surely no name of one behind it, and an end to it.
_AMPERSAND = re.compile(
    r"&(?:(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]*+);|([a-zA-Z0-9]*+)(?=[^a-zA-Z0-9#;]))?"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """The start of an element, its attributes in their order, or its end; without a name it is a comment.

    ``inner`` is what a comment or a style consists of, which is no text.
    """

    name: str
    attributes: Mapping[str, str]
    ends: bool = False
    inner: str = ""


@dataclass(frozen=True, slots=True)
class Markup:
    """Texts, with references undone where there are any, and the tags between one and the next."""

    texts: list[str]
    tags: list[Tag]
    references: bool


def read(html: str) -> Markup | None:
    """What printable markup consists of; ``None`` where only a parser can tell. Linear time."""
    count = html.count("<")
    if max(count, html.count("&")) > _MOST_TAGS or "\r" in html or "\0" in html or "\f" in html:
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
    if opened or not len(texts) - 1 == len(tags) == count:
        return None
    markup, names = Markup(texts, tags, references), {tag.name for tag in tags}
    if ("style" in names and not _styles_hold(markup, pieces[::2])) or ("table" in names and not _tables_hold(markup)):
        return None
    return markup


def _tag(inside: str) -> Tag | None:
    """What stands in a tag, or in a comment; ``None`` for elements not known here, and for other spellings."""
    found = _INSIDE.fullmatch(inside)
    if found is None:
        return None
    end, name, given, empty, comment = found.groups()
    if name is None:
        return Tag("", {}, inner=comment)
    name, attributes = name.lower(), _attributes(given)
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
        return name not in _PLACES
    last = opened[-1]
    if len(opened) > _MOST_OPEN or (last in _PARTS and last not in _PLACES.get(name, ())):
        return False
    if name in _PLACES and last not in _PLACES[name]:
        return False
    if name in _FORMATTING:
        formatting = [one for one in opened if one in _FORMATTING]
        return len(formatting) < _MOST_FORMATTING and not (name == "a" and "a" in formatting)
    if name in _BLOCKS and "p" in opened:
        return False
    return not (name in _HEADINGS and _HEADINGS.intersection(opened))


def _styles_hold(markup: Markup, written: list[str]) -> bool:
    """Whether nothing stands in styles that would be a reference in a text; they are moved to their tags."""
    for at, (tag, following) in enumerate(pairwise(markup.tags), 1):
        if tag.name == "style" and not tag.ends:
            if not following.ends or "&" in written[at]:
                return False
            markup.tags[at - 1] = replace(tag, inner=written[at])
            markup.texts[at] = ""
    return True


def _tables_hold(markup: Markup) -> bool:
    """Whether there is no text between the parts of tables: a parser would put it before them."""
    opened: list[str] = []
    for tag, text in zip(markup.tags, markup.texts[1:], strict=True):
        if tag.ends:
            opened.pop()
        elif tag.name and tag.name not in VOID:
            opened.append(tag.name)
        if opened and opened[-1] in _PARTS and text.strip(" \t\n"):
            return False
    return True


def _characters(text: str) -> str | None:
    """A text without its references; ``None`` with one that is not told here."""
    if "&" not in text:
        return text
    pieces: list[str] = []
    last = 0
    for found in _AMPERSAND.finditer(text):
        character = _character(*found.groups())
        if character is None:
            return None
        pieces += (text[last : found.start()], character)
        last = found.end()
    return "".join((*pieces, text[last:]))


def _character(reference: str | None, letters: str | None) -> str | None:
    """What a reference means, or an ampersand with letters behind it that are none; ``None`` where that is not sure."""
    if reference is None:
        return None if letters is None or begins_reference(letters) else f"&{letters}"
    if not reference.startswith("#"):
        return html5.get(f"{reference};")
    number = int(reference[2:], 16) if reference[1] in "xX" else int(reference[1:])
    return chr(number) if number < 0x110000 and chr(number) == printable(chr(number)) else None


def _attributes(given: str) -> dict[str, str] | None:
    """The attributes of a tag; ``None`` where one is there twice, or there are very many."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(given):
        text = _characters(value[1:-1] if value[:1] in ("'", '"') else value)
        if text is None or name.lower() in found:
            return None
        found[name.lower()] = text
    return found if len(found) <= _MOST_ATTRIBUTES else None


# Most tags have no attributes: these are read once.
_SPELLINGS = (spelling for name in _KNOWN for spelling in (name, f"/{name}", f"{name}/", f"{name} /"))
_BARE = {spelling: tag for spelling in _SPELLINGS if (tag := _tag(spelling))}
