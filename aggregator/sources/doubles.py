"""What a feed says twice, in its own words and in a module's: the module's is left out before feedparser sees it.

feedparser takes whatever comes second for something else: an iTunes summary, or the caption of a picture, behind a
description becomes the item's content; before one it becomes the summary; the owner of a podcast is written over its
editor. In feeds of podcasts and pictures that is the rule, not the exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aggregator.sources.outline import Outline

# What is said, and by which elements it is said again; prefixes are the usual ones.
_SAID: tuple[tuple[str, str], ...] = (
    ("description|summary", "media:description|itunes:summary|dc:description"),
    ("author|managingEditor", "dc:creator|dc:author|itunes:author|itunes:owner"),
    ("dc:creator|dc:author", "itunes:author|itunes:owner"),
    ("itunes:author", "itunes:owner"),
)


def single(text: str, seen: Outline) -> str:
    """The feed's text in which every item, and the feed around them, says each thing once. Linear time."""
    pairs = [pair for pair in _SAID if all(_has(names, text) for names in pair)]
    return "".join(_once(piece, pairs) for piece in _pieces(text, seen)) if pairs else text


def _has(names: str, text: str) -> bool:
    return any(f"<{name}" in text for name in names.split("|"))


def _pieces(text: str, seen: Outline) -> Iterator[str]:
    """The items, and what stands before, between and behind them."""
    at = 0
    for start, end in seen.items:
        yield text[at:start]
        yield text[start:end]
        at = end
    yield text[at:]


def _once(piece: str, pairs: list[tuple[str, str]]) -> str:
    for own, again in pairs:
        if not (_has(own, piece) and _has(again, piece)):
            continue
        piece = re.sub(rf"<({own})(?:\s[^<>]*)?(?:/>|>\s*(?:<!\[CDATA\[\s*\]\]>\s*)?</\1\s*>)", "", piece)
        if re.search(rf"<(?:{own})[\s>]", _outside_cdata(piece)):
            piece = "".join(_without(piece, again))
    return piece


def _outside_cdata(piece: str) -> str:
    first, *sections = piece.split("<![CDATA[")
    return first + "".join(section.partition("]]>")[2] for section in sections)


def _without(piece: str, names: str) -> Iterator[str]:
    """What stands between elements of these names; one without an end stays, with all behind it."""
    start = re.compile(rf"<({names})(?:\s[^<>]*)?>")
    at = 0
    while found := start.search(piece, at):
        ending = "" if found[0].endswith("/>") else f"</{found[1]}>"
        end = piece.find(ending, found.end())
        if end < 0:
            break
        yield piece[at : found.start()]
        at = end + len(ending)
    yield piece[at:]
