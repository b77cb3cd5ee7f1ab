"""The nouns of the program, as frozen values. No logic beyond small properties, no I/O.

Instants are aware ``datetime`` in UTC; durations are seconds; ``None`` means unknown, never "now" and never "".
"""

from __future__ import annotations

from aggregator.model.articles import Article, Reading, Signs
from aggregator.model.feeds import Feed, FeedState, Images, Pages, Part, SourceName, Status, Term, Way
from aggregator.model.listings import Enclosure, Entry, Link, Listing
from aggregator.model.network import Cookie, Cookies, Fetch, Hold, Page, Request, Scope, Validators
from aggregator.model.work import Announced, Clock, Discovery, EventKind, Noted, Pending, Report, Settled

__all__ = [
    "Announced",
    "Article",
    "Clock",
    "Cookie",
    "Cookies",
    "Discovery",
    "Enclosure",
    "Entry",
    "EventKind",
    "Feed",
    "FeedState",
    "Fetch",
    "Hold",
    "Images",
    "Link",
    "Listing",
    "Noted",
    "Page",
    "Pages",
    "Part",
    "Pending",
    "Reading",
    "Report",
    "Request",
    "Scope",
    "Settled",
    "Signs",
    "SourceName",
    "Status",
    "Term",
    "Validators",
    "Way",
]
