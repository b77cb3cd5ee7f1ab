"""Outlines -> rows for config.yaml: what is added, what is left out, and why."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from aggregator.config import Settings, check_feed, values
from aggregator.errors import ConfigError
from aggregator.opml.reading import Outline
from aggregator.opml.terms import SETTINGS, categories_of, source_of
from aggregator.sources import SOURCES
from aggregator.text.characters import one_line
from aggregator.text.urls import canonical_listing, host_of, tidy

Verdict = Literal["added", "skipped", "refused"]
_LONGEST_NAME = 100
_OWN_WORDS = frozenset({"text", "xmlurl", "iscomment"})  # of the rest, what config.yaml may hold is kept there
_FEED_SCHEME = re.compile(r"feed:(?://)?(https?:)|feed:(?=//)", re.I)
_SCHEME = re.compile(r"\w*:/{2,}")
_TURNING = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_FEED_TYPES = frozenset({"rss", "atom", "rdf", "feed", "jsonfeed"})
_KINDS = {  # types of OPML 2.0 that name other files
    "include": "includes another file: nothing is fetched",
    "link": "a link to a page or another file, no feed",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one outline, in ``line`` of the file. ``row`` is what is to stand under ``feeds:``.

    ``why`` says why it is not added; of one that is, what of it is not kept.
    """

    line: int
    verdict: Verdict
    name: str
    url: str
    why: str = ""
    row: Mapping[str, object] | None = None


def plan(outlines: Iterable[Outline], settings: Settings) -> list[Decision]:
    """A decision on each outline, in their order. Two addresses that differ in spelling alone are one feed.

    Names are the outlines' texts, changed where a feed may not be called so or another one is.
    """
    known = {_identity(feed.source, feed.url): f"already there, as {feed.name}" for feed in settings.feeds}
    names = {unicodedata.normalize("NFC", feed.name): 1 for feed in settings.feeds}
    return [_decision(outline, known, names) for outline in outlines]


def _decision(outline: Outline, known: dict[str, str], names: dict[str, int]) -> Decision:
    words = one_line(outline.get("text")) or one_line(outline.get("title"))
    url = _address(outline)
    reason = _not_meant(outline, url)
    if reason:
        return Decision(outline.line, "skipped", words, url or outline.get("url"), reason)
    name = _name(words, url, names)
    kept, lost = _kept(outline, words, {"title": name, "type": "rss", "url": url})
    row: dict[str, object] = {"name": name, "source": source_of(url), "url": url}
    row["categories"] = categories_of(_folders(outline), host_of(url))
    row |= {key: read(outline.own[key]) for key, (_, read) in SETTINGS.items() if key in outline.own}
    row["opml"] = kept or None
    row = {key: value for key, value in row.items() if value is not None}
    try:
        check_feed(row)
    except ConfigError as error:
        return Decision(outline.line, "refused", words, url, error.message)
    identity = _identity(str(row["source"]), url)
    if identity in known:
        return Decision(outline.line, "skipped", words, url, known[identity])
    known[identity] = f"twice in this file, first in line {outline.line}"
    names[unicodedata.normalize("NFC", name)] = 1
    return Decision(outline.line, "added", name, url, f"not kept: {', '.join(lost)}" if lost else "", row)


def _not_meant(outline: Outline, url: str) -> str:
    """Why an outline is no feed to add, "" for one that is."""
    if outline.commented:
        return "commented out"
    if url:
        return ""
    return _KINDS.get(outline.get("type").strip().lower(), "no feed: it has no xmlUrl")


def _address(outline: Outline) -> str:
    """The listing's address: xmlUrl, or the url that OPML 1.0 files give feeds. ``feed:`` is how Safari wrote http."""
    text = tidy(outline.get("xmlUrl"))
    if not text and outline.get("type").strip().lower() in _FEED_TYPES:
        text = tidy(outline.get("url"))
    scheme = _FEED_SCHEME.match(text)
    if scheme:
        text = (scheme[1] or "http:") + text[scheme.end() :]
    return text.replace(" ", "%20")


def _identity(source: str, url: str) -> str:
    return canonical_listing(SOURCES[source].address(url))


def _folders(outline: Outline) -> tuple[str, ...]:
    """The folders around a feed; without any, the first of its categories (OPML 2.0: ``/a/b,c``)."""
    first = outline.get("category").split(",")[0]
    return outline.folders if any(outline.folders) else tuple(one_line(part) for part in first.split("/"))


def _name(words: str, url: str, taken: dict[str, int]) -> str:
    """A name of its own for a feed: its words as far as a feed may be called so, else its host.

    ``taken`` counts, of each name in use, how many feeds wanted it.
    """
    name = words if _fits(values.feed_name, words) else _SCHEME.sub("", _TURNING.sub("", words)).lstrip("- ")
    name = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    if not _fits(values.feed_name, name):
        name = host_of(url) or "feed"
    wanted, unique = unicodedata.normalize("NFC", name), name
    while unicodedata.normalize("NFC", unique) in taken:
        taken[wanted] += 1
        unique = f"{name[: _LONGEST_NAME - 6]} {taken[wanted]}"
    return unique


def _fits(check: Callable[[object], str], text: str) -> bool:
    """Whether a configuration may hold a text as it is."""
    try:
        return check(text) == text
    except ValueError:
        return False


def _kept(outline: Outline, words: str, implied: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The attributes to keep in config.yaml, which say more than what is implied, and the names of those it cannot."""
    kept: dict[str, str] = {}
    lost = [f"aggregator:{key}" for key in outline.own if key not in SETTINGS]
    for key, value in {"title": words, **outline.attributes}.items():
        if key.lower() in _OWN_WORDS or value == implied.get(key):
            continue
        if _fits(values.attribute_name, key) and _fits(values.attribute_text, value):
            kept[key] = value
        else:
            lost.append(key)
    return kept, lost
