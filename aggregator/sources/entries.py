"""One entry of an XML feed: feedparser's fields into ours, each by its declared type, with the source's own slice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aggregator.model import Enclosure, Entry
from aggregator.sources.found import Found, one, several, text_at
from aggregator.sources.fulltext import is_whole
from aggregator.sources.jsontext import dump
from aggregator.sources.titles import shortened
from aggregator.text import dates, urls
from aggregator.text.characters import escape_text, one_line, printable
from aggregator.text.html import clean, plain

_MARKUP = frozenset({"text/html", "application/xhtml+xml", "html", "xhtml"})
# What makes an RSS item's second text its content rather than another summary (content:encoded, xhtml:body).
_CONTENT = re.compile(r"<(?:[\w.-]++:)?(?:encoded|content|body|fullitem)\b", re.I)
_VOID_END = re.compile(r"</(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)>")
_SECTION = re.compile(r"<!\[CDATA\[(.*?)(?:\]\](?:>|&gt;)\s*)?", re.S)  # as text: what was written twice over
# Looked for at the beginning of a word only: from each letter of a long one the search would be quadratic.
_EMAIL = re.compile(r"(?<![^\s<>(),;:\"])[^\s<>(),;:\"]+@[^\s<>(),;\"]+")
_DC_DATE = re.compile(r"<(?:dc|[\w.-]+):date[\s>]", re.I)


def entry_of(
    item: Found, raw: str | None, *, base: str | None, zone: str | None, version: str
) -> tuple[Entry, list[str]]:
    """The entry and remarks about it. ``base`` resolves what its own xml:base leaves relative. Never raises.

    ``raw`` is the item's slice of the feed's text; without it a JSON of its fields stands in.
    """
    title, remarks = shortened(title_at(item, "title"))
    published, updated = _dates(item, raw, version)
    detail = _content(item, base)
    content, summary = _html(detail, base), one(item, "summary_detail")
    brief = _html(summary, base)
    entry = Entry(
        id=printable(text_at(item, "id")).strip() or None,
        link=_link(item, base),
        title=title,
        published=dates.instant(published, zone),
        updated=dates.instant(updated, zone),
        published_text=one_line(published)[:200] or None,
        author=", ".join(names(item)) or None,
        media=title_at(one(item, "source"), "title") or one_line(text_at(item, "publisher")) or None,
        # feedparser copies the content where a feed gives no summary, and then keeps no detail
        summary=brief or None,
        content=content or None,
        full_text=_is_markup(detail) and _announces_content(raw, version) and is_whole(content),
        categories=tuple(_categories(item)),
        enclosures=tuple(_enclosures(item, base)),
        raw=raw.encode("utf-8", "replace") if raw is not None else _fields(item),
        original=_shared(_original(detail) or _original(summary), content, brief) or None,
    )
    return entry, remarks


def title_at(found: Found, key: str) -> str:
    """A title or name as one line of text: markup stripped where the feed says it is markup, literal where text."""
    value = _unwrapped(text_at(found, key))
    if text_at(one(found, f"{key}_detail"), "type") in _MARKUP:
        value = plain(value)
    return one_line(value)


def names(found: Found, role: str = "author") -> Iterator[str]:
    """The people of a feed or entry in a role ("author", "publisher"), as "name (address)", name or address."""
    people = [_name(person) for person in several(found, f"{role}s")]
    text = one_line(text_at(found, role))
    if len(people) < 2 and ("@" in text or not any(people)):  # then the text is whole, and it is split better here
        people = [_split(text)]
    yield from dict.fromkeys(name for name in people if name)


def _name(person: Found) -> str:
    name, email = one_line(text_at(person, "name")), one_line(text_at(person, "email"))
    return f"{name} ({email})" if name and email else name or email


def _split(text: str) -> str:
    """RSS's "address (name)" in the one order; feedparser knows only domains that end in two to four letters."""
    found = _EMAIL.search(text)
    if not found:
        return text
    name = (text[: found.start()] + text[found.end() :]).strip(' <>()"')
    return f"{name} ({found[0]})" if name else found[0]


def _link(item: Found, base: str | None) -> str | None:
    """The page of the entry; a guid that acts as the link must be an absolute URL by itself."""
    link = text_at(item, "link")
    stands_in = dict.get(item, "guidislink") is True and link == text_at(item, "id")
    if stands_in and not re.match(r"https?://", link, re.I):
        link = ""
    found = urls.absolute(urls.unwrap(link), base) if link else None
    return found or next(_alternates(item, base), None)


def _alternates(item: Found, base: str | None) -> Iterator[str]:
    """Alternate links of whatever type; feedparser takes HTML alone for the entry's page."""
    for link in several(item, "links"):
        url = urls.absolute(text_at(link, "href"), base) if text_at(link, "rel") == "alternate" else None
        if url is not None:
            yield url


def _dates(item: Found, raw: str | None, version: str) -> tuple[str, str]:
    """The source's strings for published and updated.

    feedparser files ``dc:date`` under updated; in RSS and RDF it is the date of publication (RSS 1.0, Dublin Core
    module), so it counts as that where nothing better is given.
    """
    published, updated = text_at(item, "published"), text_at(item, "updated")
    if not published and updated and version.startswith("rss") and raw is not None and _DC_DATE.search(raw):
        published = updated
    return published, updated


def _html(detail: Found, base: str | None) -> str:
    """A text construct as cleaned HTML; plain text is escaped, other types (images in base64 …) are left out."""
    value, kind = _value(detail), text_at(detail, "type")
    if kind in _MARKUP:
        return clean(value, urls.absolute(text_at(detail, "base"), base) or base)
    return escape_text(printable(value)) if kind.startswith("text/") else ""


def _value(detail: Found) -> str:
    """The text of a construct. feedparser writes XHTML's ``<br/>`` as ``<br></br>``, in HTML two line breaks."""
    value = _unwrapped(text_at(detail, "value"))
    return _VOID_END.sub("", value) if text_at(detail, "type") == "application/xhtml+xml" else value


def _unwrapped(value: str) -> str:
    """A value that is one CDATA section once more, without it: in HTML ``<![CDATA[`` begins a comment."""
    found = _SECTION.fullmatch(value) if value.startswith("<![CDATA[") else None
    return found[1] if found else value


def _is_markup(detail: Found) -> bool:
    return text_at(detail, "type") in _MARKUP


def _original(detail: Found) -> str:
    """A text construct as HTML that is not cleaned yet."""
    value = _value(detail)
    if _is_markup(detail):
        return value
    return escape_text(printable(value)) if text_at(detail, "type").startswith("text/") else ""


def _shared(text: str, *known: str) -> str:
    """The text, as the very object of a known equal one: long feeds hold most texts twice."""
    return next((one for one in known if one == text), text)


def _content(item: Found, base: str | None) -> Found:
    """The content: the first in HTML that says anything, else the first with text, else nothing."""
    details = several(item, "content")
    usable = [detail for detail in details if len(details) == 1 or _html(detail, base)]
    return next(filter(_is_markup, usable), usable[0] if usable else {})


def _announces_content(raw: str | None, version: str) -> bool:
    """Whether the item has an element made for content; a second RSS description is none."""
    return not version.startswith("rss") or raw is None or bool(_CONTENT.search(raw))


def _categories(item: Found) -> Iterator[str]:
    words = (one_line(text_at(tag, "label") or text_at(tag, "term")) for tag in several(item, "tags"))
    yield from dict.fromkeys(word for word in words if word)


def _enclosures(item: Found, base: str | None) -> Iterator[Enclosure]:
    """The files of an entry: its enclosures, then Media RSS's contents that are not among them."""
    files = [(link, "href", "length") for link in several(item, "links") if text_at(link, "rel") == "enclosure"]
    files += [(media, "url", "filesize") for media in several(item, "media_content")]
    seen: set[str] = set()
    for file, address, size in files:
        url = urls.absolute(text_at(file, address), base)
        if url is None or (address == "url" and url in seen):
            continue
        seen.add(url)
        length = text_at(file, size)
        yield Enclosure(
            url, int(length) if re.fullmatch(r"[0-9]{1,18}", length) else None, text_at(file, "type") or None
        )


def _fields(item: Found) -> bytes:
    """The texts of an item whose slice is unknown, as JSON."""
    return dump({key: value for key, value in item.items() if isinstance(value, str)})
