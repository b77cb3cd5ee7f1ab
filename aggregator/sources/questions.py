"""How a feed's listing and its articles' pages are asked for: what its row says goes along, as far as it may."""

from __future__ import annotations

from collections.abc import Mapping

from aggregator.model import Feed, Request, Validators
from aggregator.sources import SOURCES
from aggregator.text.urls import same_origin


def listing_request(feed: Feed, validators: Validators, at: str | None = None) -> Request:
    """The question for a feed's listing; ``at`` is where it has moved."""
    address = SOURCES[feed.source].address(feed.url)
    return Request(
        address, "listing", feed.headers, validators, feed.retry_after_scope, at=at, cookies=feed.cookies.kept
    )


def page_request(feed: Feed | None, url: str) -> Request:
    """The question for the page of an article."""
    return Request(url, headers=headers_for(feed, url), cookies=feed.cookies.kept) if feed else Request(url)


def headers_for(feed: Feed | None, url: str) -> Mapping[str, str]:
    """The feed's headers, if the page is of its own origin."""
    return feed.headers if feed and same_origin(feed.url, url) else {}
