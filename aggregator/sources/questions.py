"""How a feed's listing and its articles' pages are asked for: what its row says goes along, as far as it may."""

from __future__ import annotations

from dataclasses import replace

from aggregator.model import Feed, Request, Validators
from aggregator.sources import SOURCES
from aggregator.text.urls import same_origin


def listing_request(feed: Feed, validators: Validators, at: str | None = None) -> Request:
    """The question for a feed's listing; ``at`` is where it has moved."""
    address = SOURCES[feed.source].address(feed.url)
    return Request(
        address,
        "listing",
        feed.headers,
        validators,
        feed.retry_after_scope,
        at=at,
        cookies=feed.cookies.kept,
        proxy=feed.proxy,
    )


def has_further(feed: Feed) -> bool:
    """Whether a feed's list has more pages than its listing."""
    return SOURCES[feed.source].further is not None


def further_request(feed: Feed, page: int) -> Request:
    """The question for the n-th page of a feed's list, whose source has ``further`` pages."""
    further = SOURCES[feed.source].further
    assert further is not None
    return replace(listing_request(feed, Validators()), url=further(feed.url, page))


def page_request(feed: Feed | None, url: str) -> Request:
    """The question for the page of an article."""
    if feed is None:
        return Request(url)
    headers = feed.headers if same_origin(feed.url, url) else {}
    return Request(url, headers=headers, cookies=feed.cookies.kept, proxy=feed.proxy)
