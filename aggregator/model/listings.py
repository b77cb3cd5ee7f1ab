"""What a listing announces, in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file a listing attaches to an entry; ``length`` in bytes as announced."""

    url: str
    length: int | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing announced, in the listing's own words.

    ``summary`` and ``content`` are cleaned HTML. ``full_text`` says that ``content`` is the whole article.
    ``published`` never falls back to ``updated``; for Sina's roll list it is ``ctime`` and ``updated`` is ``mtime``.
    ``raw`` is the item as the listing held it, ``original`` its content before cleaning: it may only be shown after
    ``text.html.body_html`` or ``clean``.
    """

    id: str | None  # guid, Atom id, docid
    link: str | None  # absolute
    title: str
    published: datetime | None = None
    updated: datetime | None = None
    indexed: datetime | None = None  # Sina's intime
    published_text: str | None = None  # the source's own date string
    author: str | None = None
    media: str | None = None  # media_name
    summary: str | None = None
    content: str | None = None
    full_text: bool = False
    categories: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    raw: bytes = b""
    original: str | None = None
    lids: tuple[int, ...] = ()  # of Sina's lists that it says it is in, in rising order


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a feed itself: its page, itself, its hub."""

    href: str
    rel: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One parsed listing: a feed's or an API's answer. Entries stand in the listing's own order.

    ``ttl`` is how many seconds the listing itself wants to pass between two polls, at most a day.
    """

    format: str  # "rss20", "atom10", "jsonfeed", "sina-roll" …
    title: str | None = None
    link: str | None = None
    entries: tuple[Entry, ...] = ()
    warnings: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    language: str | None = None
    image: str | None = None
    generator: str | None = None
    updated: datetime | None = None
    authors: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    ttl: int | None = None
    lid: int | None = None  # which of Sina's roll lists it is, as the answer says
