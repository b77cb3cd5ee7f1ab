"""An OPML file's bytes -> its outlines. Files in the wild are mislabelled and seldom well-formed: what can be read is.

No part of a DTD reaches the parser: declared entities are refused, a bare DOCTYPE is left out. The rest is made sound
by the repairs that feeds get, and what is still wrong after them is read as far as it goes, with a remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from aggregator.errors import ParseError
from aggregator.opml.terms import NAMESPACE, declaration
from aggregator.sources.refusal import root_of
from aggregator.sources.repair import repaired
from aggregator.text.characters import one_line
from aggregator.text.charset import decode

MAX_BYTES = 8_000_000
MAX_OUTLINES = 10_000  # feeds and folders; a configuration holds no more
MAX_DEPTH = 64
_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?opml(?=[\s/>])", re.I)
_OUTLINE = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?outline(?=[\s/>])", re.I)
_ENTITY = re.compile(r"<!ENTITY", re.I)
_DECLARATION = re.compile(r"<\?xml\b[^<>]{0,500}\?>", re.I)
_HARMLESS = frozenset({"ERR_LT_IN_ATTRIBUTE", "NS_ERR_UNDEFINED_NAMESPACE"})  # nothing is lost by these
_FOLDER_WORDS = re.compile(r"text|title|type|iscomment|xmlns:.*", re.I)  # read, or without meaning by themselves


@dataclass(frozen=True, slots=True)
class Outline:
    """An outline that stands for a feed, or for nothing: one that has an address or holds no others.

    ``folders`` are the texts of the outlines around it, from the outside. ``attributes`` are as written, and each
    prefix in them is declared under ``xmlns:<prefix>``; ``own`` are the settings ``write`` adds, by their keys in
    config.yaml. ``commented`` says that it, or an outline around it, is marked as a comment.
    """

    line: int
    folders: tuple[str, ...]
    attributes: Mapping[str, str]
    own: Mapping[str, str]
    commented: bool = False

    def get(self, name: str) -> str:
        """The value of an attribute, "" without it. How the name is spelt in capitals does not matter."""
        exact = self.attributes.get(name)
        alike = (value for key, value in self.attributes.items() if key.lower() == name.lower())
        return exact if exact is not None else next(alike, "")


@dataclass(frozen=True, slots=True)
class Opml:
    """What a file holds. ``damage`` says where it cannot be read on, so that outlines may be missing."""

    outlines: tuple[Outline, ...]
    warnings: tuple[str, ...] = ()
    damage: str | None = None


def read(body: bytes) -> Opml:
    """The outlines of an OPML 1.0, 1.1 or 2.0 file, in its order.

    Raises ParseError of kind ``not_opml``, ``entities`` (it declares some) or ``too_large`` (bytes, outlines, depth).
    """
    if len(body) > MAX_BYTES:
        raise _too_large(f"more than {MAX_BYTES // 10**6} MB")
    decoded = decode(body)
    begin = _ROOT.search(decoded.text)
    if begin is None:
        raise _no_opml(decoded.text)
    if _ENTITY.search(decoded.text, 0, begin.start()):
        hint = "Export the list again, or delete its <!DOCTYPE …>"
        raise ParseError("it declares entities, which a list of feeds never needs", kind="entities", hint=hint)
    document = decoded.text[begin.start() :]
    if sum(1 for _ in _OUTLINE.finditer(document)) > MAX_OUTLINES:
        raise _too_large(f"more than {MAX_OUTLINES} outlines")
    lines_before = decoded.text.count("\n", 0, begin.start())
    root, damage = _tree(document, lines_before)
    folders: set[str] = set()
    outlines = tuple(_outlines(root, _Place(lines_before - 1), folders))
    warnings = [f"broken bytes in {decoded.encoding}: each became U+FFFD"] if decoded.damaged else []
    if folders:
        warnings.append(f"attributes of folders are not kept: {', '.join(sorted(folders))}")
    return Opml(outlines, tuple(warnings), damage)


def _too_large(what: str) -> ParseError:
    return ParseError(f"it is too large for a list of feeds: {what}", kind="too_large", hint="Split it")


def _no_opml(text: str) -> ParseError:
    root = root_of(text)
    found = f"its root element is <{root}>" if root else f"it begins with {one_line(text[:200])[:40]!r}"
    hint = "A feed's own address is added by: aggregator feeds add NAME URL"
    return ParseError(f"this is no OPML: {found}", kind="not_opml", hint=hint)


def _tree(document: str, lines_before: int) -> tuple[Any, str | None]:
    """The root element, and the first thing about the text after which something may be missing."""
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    # Of two files in one the second begins with a declaration, before which the repairs would drop everything.
    text = repaired(_DECLARATION.sub("", document))
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        raise _no_opml(document)
    # The repaired text has one line before the root, the declaration.
    damage = (
        f"line {e.line + lines_before - 1}: {e.message}" for e in parser.error_log if e.type_name not in _HARMLESS
    )
    return root, next(damage, None)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk stands: lines to add to the parser's, the folders around, how deep, inside a comment or not."""

    line: int
    folders: tuple[str, ...] = ()
    depth: int = 0
    commented: bool = False


def _outlines(parent: Any, place: _Place, folder_words: set[str]) -> Iterator[Outline]:
    """The outlines below an element. What folders say of themselves and is not kept goes to ``folder_words``."""
    if place.depth > MAX_DEPTH:
        raise _too_large(f"outlines nested more than {MAX_DEPTH} deep")
    for element in parent.iterchildren("*"):
        if re.split("[}:]", element.tag)[-1].lower() != "outline":
            yield from _outlines(element, _below(place, place.folders, place.commented), folder_words)
            continue
        one = _outline(element, place)
        if not len(element) or one.get("xmlUrl").strip():
            yield one
        else:
            folder_words.update(name for name in one.attributes if not _FOLDER_WORDS.fullmatch(name))
        name = one_line(one.get("text")) or one_line(one.get("title"))
        yield from _outlines(element, _below(place, (*place.folders, name), one.commented), folder_words)


def _below(place: _Place, folders: tuple[str, ...], commented: bool) -> _Place:
    return _Place(place.line, folders, place.depth + 1, commented)


def _outline(element: Any, place: _Place) -> Outline:
    own: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for name, value in element.attrib.items():
        space, _, local = name.removeprefix("{").rpartition("}")
        if space == NAMESPACE or name.startswith("aggregator:"):  # some programs lose the declaration
            own[local.removeprefix("aggregator:")] = value
        elif space or ":" in name:
            attributes |= _prefixed(element, space, local, value)
        else:
            attributes[name] = value
    one = Outline(element.sourceline + place.line, place.folders, attributes, own)
    commented = place.commented or one.get("isComment").strip().lower() == "true"
    return Outline(one.line, one.folders, attributes, own, commented)


def _prefixed(element: Any, space: str, local: str, value: str) -> Mapping[str, str]:
    """An attribute with a prefix, and the declaration of the prefix."""
    prefixes = (prefix for prefix, uri in element.nsmap.items() if prefix and uri == space)
    prefix, word = (next(prefixes, "xml"), local) if space else local.split(":", 1)
    if prefix == "aggregator":  # the prefix of our own, bound to something else
        prefix = "aggregator-"
    declared = {} if prefix == "xml" else {f"xmlns:{prefix}": declaration(prefix, space)}
    return {f"{prefix}:{word}": value, **declared}
