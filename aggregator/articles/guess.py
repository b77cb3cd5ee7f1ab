"""The main text of a page no rule knows, as trafilatura sees it, with the links and pictures that stand in it.

Asked to keep links, formatting or pictures, trafilatura weighs a page otherwise and lets in captions, bylines and whole
columns: on 14 pages of the scrapinghub benchmark pictures alone take F1 from 0.946 to 0.939. So the text is what it
finds without them; a richer look at the page counts as far as it says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from aggregator.articles.tree import words
from aggregator.text.characters import escape_attribute, escape_text
from aggregator.text.html import plain

_RICH = {"include_links": True, "include_formatting": True}
# trafilatura's elements as HTML; what is not here goes by its tags alone.
_NAMES = {
    **{"p": "p", "item": "li", "quote": "blockquote", "table": "table", "row": "tr", "cell": "td"},
    **{"lb": "br", "ref": "a", "graphic": "img", "del": "del"},
}
_RENDITIONS = {"#i": "em", "#b": "strong", "#u": "u", "#t": "code", "#sub": "sub", "#sup": "sup"}
_ATTRIBUTES = {"target": "href", "src": "src", "alt": "alt", "title": "title"}
_VOID = frozenset({"br", "img"})
_INLINE = frozenset("-text a b code del em i q s span strong sub sup u".split())


def guessed(source: str, url: str) -> str:
    """The inner HTML of what is probably the article on a page, "" when there seems to be none; not cleaned."""
    text = _seen(source, url)
    rich = _seen(source, url, include_images=True, **_RICH)
    if not text or _words(text) == _words(rich):
        return rich
    linked = _seen(source, url, **_RICH)
    return _illustrated(linked if _words(linked) == _words(text) else text, rich)


def _seen(source: str, url: str, **options: Any) -> str:
    """The article as HTML, without the comments on it; "" when none is found."""
    import trafilatura  # a fifth of a second that most commands and most pages do without

    found: Any = trafilatura.bare_extraction(source, url=url, **options)
    return "".join(_html(found.body)) if found is not None else ""


def _words(html: str) -> list[str]:
    return re.findall(r"\w+", plain(html))


def _html(body: Any) -> Iterator[str]:
    """trafilatura's tree as HTML, without recursion."""
    stack: list[Any] = [iter(body)]
    yield escape_text(body.text or "")
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            yield top
            continue
        element = next(top, None)
        if element is None:
            continue
        name = _name(element)
        start = f"<{name}{_attributes(element)}>" if name else ""
        yield start + escape_text(element.text or "")
        end = f"</{name}>" if name and name not in _VOID else ""
        stack += [top, end + escape_text(element.tail or ""), iter(element)]


def _name(element: Any) -> str:
    if element.tag == "head":
        return re.sub(r"[^h1-6]", "", element.get("rend") or "") or "h3"
    if element.tag == "list":
        return "ol" if element.get("rend") == "ol" else "ul"
    if element.tag == "hi":
        return _RENDITIONS.get(element.get("rend"), "em")
    if element.tag == "code":  # trafilatura's word for both
        whole = "".join(element.itertext())
        return "pre" if "\n" in whole or element.find(".//lb") is not None else "code"
    return _NAMES.get(element.tag, "")


def _attributes(element: Any) -> str:
    given = ((_ATTRIBUTES[name], value) for name, value in element.attrib.items() if name in _ATTRIBUTES)
    return "".join(f' {name}="{escape_attribute(value)}"' for name, value in given)


def _illustrated(text: str, rich: str) -> str:
    """The blocks of ``text`` with those pictures of ``rich`` that stand between two paragraphs of it."""
    blocks = _blocks(text)
    place = {_paragraph(leaf): at for at in reversed(range(len(blocks))) for leaf in _leaves(blocks[at])}
    leaves = [leaf for block in _blocks(rich) for leaf in _leaves(block)]
    pictures: dict[int, list[str]] = {}
    for at, leaf in enumerate(leaves):
        if leaf.tag != "img":
            continue
        before, after = _neighbour(leaves[at::-1], place), _neighbour(leaves[at:], place)
        if before in place and after in place:
            pictures.setdefault(place[before], []).append(leaf.html or "")
    return "".join((block.html or "") + "".join(pictures.get(at, ())) for at, block in enumerate(blocks))


def _blocks(html: str) -> list[LexborNode]:
    body = LexborHTMLParser(f"<!DOCTYPE html><body>{html}").body
    return list(body.iter(include_text=True)) if body is not None else []


def _leaves(block: LexborNode) -> Iterator[LexborNode]:
    """The texts that say anything, and the pictures, in order."""
    for node in block.traverse(include_text=True):
        if node.tag == "img" or (node.tag == "-text" and words(node)):
            yield node


def _neighbour(leaves: Sequence[LexborNode], place: Mapping[str, int]) -> str:
    """The nearest paragraph, "" when there is none; a caption of a picture is none unless the text has it."""
    for leaf in leaves:
        paragraph = _paragraph(leaf) if leaf.tag != "img" else ""
        if paragraph and (paragraph in place or _around(leaf).css_first("img") is None):
            return paragraph
    return ""


def _paragraph(leaf: LexborNode) -> str:
    return words(_around(leaf))


def _around(leaf: LexborNode) -> LexborNode:
    """The element a text is a paragraph of."""
    node = leaf
    while node.tag in _INLINE and node.parent is not None:
        node = node.parent
    return node
