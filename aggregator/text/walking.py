"""The tree of markup that only a parser can read, walked along the allow-list.

Apart from ``text.html``, so that who reads plain markup does not load BeautifulSoup: 0.2 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import NavigableString, PreformattedString
from selectolax.lexbor import LexborHTMLParser

from aggregator.text.attributes import attributes
from aggregator.text.characters import escape_text, printable
from aggregator.text.html import ALLOWED, BLOCKS, VOID, Policy, harmless, style, too_heavy

DROPPED = (
    "script iframe embed noscript template svg math frameset frame noframes noembed xmp plaintext "
    "textarea select base meta link title input button dialog portal canvas param bgsound"
).split()
# What these hold is no markup; one without an end, or empty as XML writes it, would swallow all that follows.
# The last three are walls to a parser (HTML standard, 13.2.4.2) and nothing to a reader: taken out of a finished tree,
# they would leave one that no parser builds of its text.
_RAW = re.compile(r"<(/?)(iframe|noembed|noframes|textarea|title|xmp|object|applet|marquee)\b([^<>]*)>", re.I)
_WALLS = frozenset({"object", "applet", "marquee"})
_ROOT = "aggregator-root"


def walked(html: str, base: str | None, policy: Policy) -> str | None:
    """What the policy lets pass of markup; ``None`` when it is too heavy for a tree."""
    soup = tree(html)
    if soup is None:
        return None
    root = soup.find(_ROOT)
    return "".join(_serialise(root, base, policy)) if isinstance(root, Tag) else ""


def words(html: str) -> str | None:
    """The text of markup with a line break where a block begins or ends; ``None`` when it is too heavy for a tree."""
    soup = tree(html)
    if soup is None:
        return None
    return "".join("\n" if text is None else text.replace("\n", " ") for text in _texts(soup))


def tree(html: str) -> BeautifulSoup | None:
    """The fragment as a tree whose single top element holds all; ``None`` when it is too heavy."""
    if too_heavy(html):
        return None
    parsed = LexborHTMLParser(f"<!DOCTYPE html><body>{_ended(printable(html))}")
    parsed.strip_tags(DROPPED)
    inner = printable((parsed.body.inner_html if parsed.body is not None else "") or "")  # "&#1;" is a control only now
    # BeautifulSoup collapses white space outside of the elements named here; the root makes that "nowhere".
    return BeautifulSoup(
        f"<{_ROOT}>{inner}</{_ROOT}>",
        "html.parser",
        preserve_whitespace_tags={_ROOT},
        multi_valued_attributes=None,
    )


def _ended(html: str) -> str:
    """Without tags of walls, and without starts of raw text whose end does not come: what follows is read as markup."""
    ends = {found[2].lower(): found.start() for found in _RAW.finditer(html) if found[1]}

    def kept(found: re.Match[str]) -> str:
        name = found[2].lower()
        ended = found[1] or (ends.get(name, -1) > found.start() and not found[3].endswith("/"))
        return found[0] if ended and name not in _WALLS else ""

    return _RAW.sub(kept, html)


def _serialise(root: Tag, base: str | None, policy: Policy) -> Iterator[str]:
    """The pieces of the cleaned fragment, in order, without recursion."""
    stack: list[Iterator[object] | str] = [iter(root.contents)]
    while stack:
        top = stack[-1]
        if isinstance(top, str):
            yield top
            stack.pop()
            continue
        node = next(top, None)
        if node is None:
            stack.pop()
        elif isinstance(node, Tag):
            yield from _open(node, base, policy, stack)
        elif isinstance(node, NavigableString):
            yield _string(node, policy)


def _open(tag: Tag, base: str | None, policy: Policy, stack: list[Iterator[object] | str]) -> Iterator[str]:
    """The start of an element, with its children and end put on the stack."""
    name = tag.name.lower()
    if name == "style":
        yield style("".join(map(str, tag.contents)), policy)
        return
    if name in VOID and name not in ALLOWED:
        return
    if name not in ALLOWED:
        stack.append(iter(tag.contents))
        return
    yield f"<{name}{attributes(name, tag.attrs, base, images=policy.images, layout=policy.layout)}>"
    if name not in VOID:
        stack.append(f"</{name}>")
        stack.append(iter(tag.contents))


def _string(node: NavigableString, policy: Policy) -> str:
    if isinstance(node, Comment):
        return f"<!--{node}-->" if policy.comments and harmless(node) else ""
    if isinstance(node, PreformattedString):  # doctype, processing instruction, CDATA
        return ""
    return escape_text(str(node))


def _texts(soup: BeautifulSoup) -> Iterable[str | None]:
    """The strings of a tree in order, with ``None`` where a block begins or ends."""
    stack: list[Iterator[object] | None] = [iter(soup.contents)]
    while stack:
        top = stack[-1]
        node = next(top, None) if top is not None else None
        if top is None:
            yield None
            stack.pop()
        elif node is None:
            stack.pop()
        elif isinstance(node, Tag):
            if node.name == "style":
                continue
            if node.name in BLOCKS:
                yield None
                stack.append(None)
            stack.append(iter(node.contents))
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            yield str(node)
