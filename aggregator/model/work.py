"""What passes between the flow and the archive, and what a poll reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aggregator.model.articles import Article, Signs
from aggregator.model.feeds import Status
from aggregator.model.listings import Entry
from aggregator.model.network import Page, Validators

EventKind = Literal["new", "changed", "gone", "gap", "failing"]  # what hooks tell
Clock = Callable[[], datetime]


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

    ``arrived`` are entries that this feed has not announced before. ``overlap``: the listing reaches back to the last
    one. ``behind``: of some time something may be missing, and the list is still to be read back. ``waiting``: articles
    of the feed wait for work. ``remark`` is for people: that the feed has moved, or is no longer where it had moved.
    """

    new: int = 0
    known: int = 0
    changed: int = 0
    arrived: int = 0
    overlap: bool = True
    behind: bool = False
    waiting: bool = True
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a poll of a listing found, as the archive notes it. ``digest`` is of the listing's canonical content.

    On ``unchanged`` there are no entries; ``listed`` is how many the listing holds. ``digest`` is ``None`` where
    nothing but "unchanged" was said. ``ttl`` is the listing's own, ``floor`` the seconds to the next poll, by the
    server's word and the listing's. ``moved_to`` is where the listing has moved for good; ``lost`` why it is no longer
    where it had moved before. ``warnings`` are the listing's, ``None`` where it was not read again.
    ``lid`` is which of Sina's roll lists it is.
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
    lid: int | None = None


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
    behind: bool = False  # of some time something may be missing, and its list is still to be read back
    waiting: bool = True  # articles of the feed may wait for work
    remark: str | None = None
