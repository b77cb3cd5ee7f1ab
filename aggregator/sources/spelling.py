"""A feed's ``encoding``: its listing, and the pages of its host, are read in that charset whatever they say."""

from __future__ import annotations

from dataclasses import replace

from aggregator.model import Feed, Page
from aggregator.text.charset import in_utf8
from aggregator.text.urls import host_of


def listing_as_told(feed: Feed, page: Page) -> Page:
    """A feed's listing for reading; the page as it came is what is kept."""
    return replace(page, body=in_utf8(page.body, feed.encoding)) if feed.encoding and page.body else page


def page_as_told(feed: Feed | None, page: Page) -> Page:
    """A page of one of a feed's articles for reading; the page as it came is what is kept."""
    if feed is None or not feed.encoding or host_of(page.final_url) != host_of(feed.url):
        return page
    return replace(page, body=in_utf8(page.body, feed.encoding))
