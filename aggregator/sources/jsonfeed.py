"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/) into a listing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from aggregator.model import Enclosure, Entry, Link, Listing, Page
from aggregator.sources.doubts import of_decoding
from aggregator.sources.fulltext import is_whole
from aggregator.sources.jsontext import dump, load, objects, text_of
from aggregator.sources.refusal import refused
from aggregator.sources.titles import shortened
from aggregator.text import dates, urls
from aggregator.text.characters import escape_text, one_line
from aggregator.text.charset import decode
from aggregator.text.html import clean

_VERSION = re.compile(r"jsonfeed\.org|^1(?:\.[01])?$")  # some feeds give the bare number


def parse(page: Page, zone: str | None = None) -> Listing:
    """The listing in a JSON Feed; dates without an offset are read in ``zone``. Raises ``ParseError``."""
    decoded = decode(page.body, header=page.headers.get("content-type"))
    text = decoded.text
    try:
        feed = load(text)
    except ValueError as error:
        raise refused(page, text) from error
    if not isinstance(feed, dict) or not _VERSION.search(text_of(feed, "version")):
        raise refused(page, text)
    base = urls.absolute(text_of(feed, "home_page_url"), page.final_url) or page.final_url
    entries: list[Entry] = []
    warnings = list(of_decoding(decoded))
    items = feed.get("items")
    for number, item in enumerate(items if isinstance(items, list) else [], 1):
        try:
            entry, remarks = _entry(item, base, zone)
        except ValueError as error:
            warnings.append(f"item {number} left out: {error}")
            continue
        entries.append(entry)
        warnings.extend(f"item {number}: {remark}" for remark in remarks)
    if feed.get("expired") is True:
        warnings.append("the feed says that it has expired: nothing new will come")
    return Listing(
        format="jsonfeed",
        title=one_line(text_of(feed, "title")) or None,
        link=urls.absolute(text_of(feed, "home_page_url"), page.final_url),
        entries=tuple(entries),
        warnings=tuple(warnings),
        language=text_of(feed, "language") or None,
        image=urls.absolute(text_of(feed, "icon") or text_of(feed, "favicon"), base),
        updated=_newest(entries),
        authors=tuple(_authors(feed)),
        links=tuple(_links(feed, base)),
    )


def digest(page: Page) -> str:
    """SHA-256 of the items alone. Never raises: a body that is no JSON Feed is hashed whole."""
    try:
        feed = load(decode(page.body).text)
        content = dump(feed["items"], sort=True) if isinstance(feed, dict) else page.body
    except (ValueError, KeyError):
        content = page.body
    return hashlib.sha256(content).hexdigest()


def _entry(item: object, base: str, zone: str | None) -> tuple[Entry, list[str]]:
    """One item with remarks about it; ``ValueError`` for what is no item."""
    if not isinstance(item, dict):
        raise ValueError("no object")
    title, remarks = shortened(one_line(text_of(item, "title")))
    markup, text = text_of(item, "content_html"), text_of(item, "content_text")
    content = clean(markup, base) if markup else _lines(text)
    entry = Entry(
        id=text_of(item, "id") or None,
        link=_url(item, base, "url") or _url(item, base, "external_url") or urls.absolute(_permalink(item), None),
        title=title,
        published=dates.instant(text_of(item, "date_published"), zone),
        updated=dates.instant(text_of(item, "date_modified"), zone),
        published_text=text_of(item, "date_published") or None,
        author=", ".join(_authors(item)) or None,
        summary=escape_text(text_of(item, "summary")) or None,
        content=content or None,
        full_text=bool(markup) and is_whole(content),
        categories=tuple(_tags(item.get("tags"))),
        enclosures=tuple(_attachments(item, base)),
        raw=dump(item),
        original=markup or _lines(text) or None,
    )
    if not (entry.id or entry.link or entry.title or entry.content or entry.summary):
        raise ValueError("an empty item")
    return entry, remarks


def _newest(entries: Iterable[Entry]) -> datetime | None:
    """JSON Feed gives the feed itself no date; it is as new as its newest item."""
    return max((at for entry in entries for at in (entry.updated, entry.published) if at is not None), default=None)


def _lines(text: str) -> str:
    """Plain text as HTML that shows its lines."""
    return "<br>\n".join(escape_text(line) for line in text.splitlines())


def _permalink(item: Mapping[str, object]) -> str:
    """An id that is a whole address: then it is the item's (version 1.1, "id")."""
    identity = text_of(item, "id")
    return identity if re.match(r"https?://", identity, re.I) else ""


def _url(item: Mapping[str, object], base: str, key: str) -> str | None:
    return urls.absolute(urls.unwrap(text_of(item, key)), base)


def _authors(item: Mapping[str, object]) -> Iterator[str]:
    """Names; version 1.0 has one ``author``, 1.1 has ``authors``. Some feeds give bare names, or one for many."""
    given = item.get("authors") or item.get("author")
    people = given if isinstance(given, list) else [given]
    named = [{"name": person} if isinstance(person, str) else person for person in people]
    for author in objects(named):
        name = one_line(text_of(author, "name") or text_of(author, "url"))
        if name:
            yield name


def _tags(value: object) -> Iterator[str]:
    words = value if isinstance(value, list) else []
    yield from dict.fromkeys(one_line(word) for word in words if isinstance(word, str) and one_line(word))


def _attachments(item: Mapping[str, object], base: str) -> Iterator[Enclosure]:
    for one in objects(item.get("attachments")):
        url = urls.absolute(text_of(one, "url"), base)
        if url is not None:
            size = re.match(r"\d{1,18}", text_of(one, "size_in_bytes"))
            yield Enclosure(url, int(size[0]) if size else None, text_of(one, "mime_type") or None)


def _links(feed: Mapping[str, object], base: str) -> Iterator[Link]:
    """The feed's page, itself and its hubs; ``next_url`` is another part of it, and no link of the feed itself."""
    for key, rel in (("home_page_url", "alternate"), ("feed_url", "self")):
        url = urls.absolute(text_of(feed, key), base)
        if url is not None:
            yield Link(url, rel, "application/feed+json" if rel != "alternate" else "text/html")
    for hub in objects(feed.get("hubs")):
        url = urls.absolute(text_of(hub, "url"), base)
        if url is not None:
            yield Link(url, "hub", None)
