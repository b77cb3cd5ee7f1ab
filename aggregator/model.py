"""The nouns of the program, as frozen values. No logic beyond small properties, no I/O.

Instants are aware ``datetime`` in UTC; durations are seconds; ``None`` means unknown, never "now" and never "".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Status = Literal[
    "ok", "unchanged", "degraded", "empty", "stale", "blocked", "not_a_feed", "failed", "held", "gone", "paused"
]
Pages = Literal["auto", "true", "false"]
Images = Literal["none", "cover", "all"]
Scope = Literal["host", "feed"]
Part = Literal["any", "title", "body", "symbols"]
EventKind = Literal["new", "changed", "gone", "gap", "failing"]  # what hooks tell
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Term:
    """What is looked for in an article: words, or a regular expression between slashes."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to be sent: ``text``, "name=value", is a secret; ``subdomains`` get it too; ``expires`` is Unix time."""

    domain: str
    subdomains: bool
    path: str
    secure: bool
    expires: float | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of a file."""

    file: str = ""
    kept: tuple[Cookie, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Way:
    """Another listing with a feed's news."""

    source: str
    url: str
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """One row of ``feeds:`` in config.yaml, with the defaults filled in."""

    name: str
    source: str  # a name in aggregator.sources.SOURCES: "sina-roll", "feed"
    url: str
    categories: tuple[str, str, str]
    every: int = 300  # seconds between polls
    enabled: bool = True
    pages: Pages = "auto"  # fetch each article's page?
    zone: str | None = None  # IANA name in which zone-less dates of this feed are read
    expect_newest_within: int = 86_400  # seconds; an older newest entry means "stale"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Cookies = Cookies()  # each goes where its own domain says, and nowhere else
    proxy: str | None = None  # asked through instead of the network's, for its listing and its articles' pages
    retry_after_scope: Scope = "host"  # who stays away after 429 or 503: all that ask the host, or this feed
    encoding: str | None = None  # the charset of its listing and its host's pages, whatever they say
    fallback: tuple[Way, ...] = ()  # asked instead, in this order, when the host refuses
    way: int = 0  # which of these ``source`` and ``url`` are, counted from 1; 0: the feed's own
    keep: tuple[Term, ...] = ()  # if any, only articles in which one of them is found
    drop: tuple[Term, ...] = ()  # no article in which one of these is found
    images: Images = "none"  # which images of its articles are kept
    recheck: tuple[int, ...] = ()  # seconds after first sight at which an article's page is looked at again


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server gave us to ask "has it changed?" (RFC 9110 section 8.8); opaque, sent back as received."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is remembered of a feed between polls. ``host``, ``failures`` and ``error_kind`` are of the way in use."""

    validators: Validators = Validators()
    digest: str | None = None  # of the listing's canonical content at the last successful poll
    status: Status | None = None
    newest: datetime | None = None  # publication of the newest entry ever seen
    ttl: int | None = None  # seconds the listing itself wants between two polls
    moved_to: str | None = None  # where the listing is, when for good no longer at the configured address
    held_until: datetime | None = None  # the server wants no request before, of this feed or of anyone
    way: int = 0  # as in ``Feed``
    probe_at: datetime | None = None  # when the first way is tried again, while another is in use
    due: datetime | None = None  # the next poll
    host: str = ""
    failures: int = 0  # in a row
    error_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask the network for. ``kind`` chooses the size limit.

    ``at`` is where ``url`` has moved and is asked in its place; the credentials and ``headers`` stay with the origin
    of ``url``; each of ``cookies`` goes where it belongs by its own domain. With ``retry_after_scope`` "feed" a 429 or
    503 is this request's affair and does not hold the host. ``proxy`` is asked in place of the network's: one of
    ``Network.proxies``.
    """

    url: str
    kind: Literal["listing", "page", "image", "robots"] = "page"
    headers: Mapping[str, str] = field(default_factory=dict)
    validators: Validators = Validators()
    retry_after_scope: Scope = "host"
    at: str | None = None
    cookies: tuple[Cookie, ...] = field(default=(), repr=False)
    proxy: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """What the network answered: ``body`` as bytes, after undoing Content-Encoding, exactly as the server meant it.

    ``via`` are the addresses, masked, that redirects led over between ``url`` and ``final_url``; an ``http://`` one
    behind an ``https://`` one tells that somebody on the way could have changed the answer.
    ``fresh_for`` is for how many seconds the server says that nothing newer is to be had, at most a day.
    ``moved_to`` is where the redirects lead that say "for good" (301, 308), as far as no other comes before them.
    ``seconds`` is the time the fetch spent on the wire; waiting for the host's turn is not in it.
    """

    url: str  # asked for
    final_url: str  # after redirects
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    fetched_at: datetime
    via: tuple[str, ...] = ()
    fresh_for: float | None = None
    moved_to: str | None = None
    seconds: float = 0.0

    @property
    def unchanged(self) -> bool:
        """The server says that nothing has changed since the validators we sent."""
        return self.status == 304

    @property
    def validators(self) -> Validators:
        """The validators of this answer."""
        return Validators(self.headers.get("etag"), self.headers.get("last-modified"))


Fetch = Callable[[Request], Awaitable[Page]]


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


@dataclass(frozen=True, slots=True)
class Article:
    """The thing itself, normalised: what an article's page (or an entry's own full text) says.

    ``html`` is the body for the document, cleaned; ``text`` its plain text without boilerplate. A link-only article has
    ``reason`` ("video", "blog", "topic", "not_found", "gone") and no body.
    """

    url: str
    title: str
    published: datetime | None = None
    modified: datetime | None = None
    author: str | None = None
    media: str | None = None
    editor: str | None = None
    editor_code: str | None = None
    original_title: str | None = None
    keywords: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    cover: str | None = None
    html: str = ""
    text: str = ""
    reason: str | None = None
    rule: str | None = None  # name of the row in articles.rules that matched
    rules_version: str | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What a page showed of its template: whether the rule's own selectors found each field, the text's ``length`` in
    characters, the codec read with, the kind of attribute ``quotes``, and hashes of the ``lines`` at the text's edges.
    """

    rule: str | None
    title: bool
    time: bool
    media: bool
    editor: bool
    length: int
    charset: str
    quotes: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How reading one page ended: "ok" with its signs, or "wrong_page", "extract_failed" without any."""

    outcome: str
    signs: Signs | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    """An entry with its identity: its keys, strongest first, and the date its document will carry."""

    keys: tuple[str, ...]
    entry: Entry
    date: datetime | None  # None: the archive's own first sight


@dataclass(frozen=True, slots=True)
class Pending:
    """Work the archive hands out under a lease: an article whose page is still to be read."""

    article: int
    key: str
    entry: Entry
    feed: str  # name of the home feed, chosen now and kept for good
    categories: tuple[str, str, str]
    date: datetime  # the document's, frozen at first sight
    revisions: int = 0  # how many there are
    stored: Page | None = None  # the page older rules failed on, to be read again before it is asked for again
    stored_id: int | None = None  # that page's number in the archive
    feeds: tuple[str, ...] = ()  # all that list it
    sighting: int | None = None  # the entry's number in the archive
    has_text: bool = False  # the current revision is more than a link


@dataclass(frozen=True, slots=True)
class Settled:
    """The good end of a pending article: the article, its document, and the page it came from.

    ``placeholder`` is the cover the document was made with, so that the same document can be made again; ``None`` of
    one that was not made here.
    """

    article: Article
    document: str
    placeholder: str | None
    files: tuple[str, ...]  # paths C1/C2/C3/name.md to choose from, preferred first
    fingerprint: str
    page: Page | int | None  # an answer of the network, or the number of one that is stored
    cause: str  # "first", "changed", "parser", "imported", "parser"
    signs: Signs | None = None
    images: tuple[str, ...] = ()  # addresses of the images that are to be kept with it


@dataclass(frozen=True, slots=True)
class Noted:
    """What noting a listing changed: entries of articles not seen before, entries whose article is known, edits.

    ``remark`` is for people: that the feed has moved, or is no longer where it had moved.
    """

    new: int = 0
    known: int = 0
    changed: int = 0
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a poll of a listing found, as the archive notes it. ``digest`` is of the listing's canonical content.

    On ``unchanged`` there are no entries; ``listed`` is how many the listing holds. ``digest`` is ``None`` where
    nothing but "unchanged" was said. ``ttl`` is the listing's own, ``floor`` the seconds to the next poll, by the
    server's word and the listing's. ``moved_to`` is where the listing has moved for good; ``lost`` why it is no longer
    where it had moved before. ``warnings`` are the listing's, ``None`` where it was not read again.
    """

    status: Status
    entries: tuple[Announced, ...] = ()
    listed: int = 0
    digest: str | None = None
    validators: Validators = Validators()
    newest: datetime | None = None
    oddities: tuple[str, ...] | None = None  # None: the listing was not parsed, having not changed
    fetched_at: datetime | None = None
    ttl: int | None = None
    floor: int | None = None
    moved_to: str | None = None
    lost: str | None = None
    warnings: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A host that wants no request before an instant, after so many refusals in a row."""

    host: str
    until: datetime | None
    failures: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What one poll of one feed did: a row of the table that ``fetch`` prints."""

    feed: str
    status: Status
    listed: int = 0
    new: int = 0
    known: int = 0
    failed: int = 0
    seconds: float = 0.0
    error_kind: str | None = None
    error: str | None = None
    held_until: datetime | None = None
    looks: tuple[int, int] = (0, 0)  # pages that were looked at again after it, and edits among them
    remark: str | None = None
