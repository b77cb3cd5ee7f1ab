"""A feed as configured and as remembered between polls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from aggregator.model.network import Cookies, Scope, Validators

Status = Literal[
    "ok", "unchanged", "degraded", "empty", "stale", "blocked", "not_a_feed", "failed", "held", "gone", "paused"
]
SourceName = Literal["feed", "sina-roll", "sina-live", "sina-column", "sina-company"]  # as in aggregator.sources
Pages = Literal["auto", "true", "false"]
Images = Literal["none", "cover", "all"]
Part = Literal["any", "title", "body", "symbols"]


@dataclass(frozen=True, slots=True)
class Term:
    """What is looked for in an article: words, or a regular expression between slashes."""

    part: Part
    text: str


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
    source: str  # a name in aggregator.sources.SOURCES, or "url" and "import" of what no feed announced
    url: str
    categories: tuple[str, str, str]
    every: int = 300  # seconds between polls; the least, where ``slowest`` is given
    slowest: int | None = None  # seconds: how rarely it is asked when it hardly ever has news
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
