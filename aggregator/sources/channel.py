"""An XML feed's own fields, those around its entries: feedparser's into ours."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from aggregator.model import Link, Listing, Page
from aggregator.sources.entries import names, title_at
from aggregator.sources.found import Found, number_at, one, several, text_at
from aggregator.text import dates, urls
from aggregator.text.characters import one_line
from aggregator.text.html import clean, first_image

# RSS 1.0 puts the image beside the channel, which names it (section 5.4); feedparser looks inside only.
_RDF_IMAGE = re.compile(r"<image\s[^<>]*?\brdf:(?:resource|about)\s*=\s*[\"']([^\"'<>]+)")

_DAY = 86_400
# Words of sy:updatePeriod, in seconds (RDF Site Summary 1.0, syndication module; it is daily where none is given).
_PERIODS = {"hourly": 3_600, "daily": _DAY, "weekly": 7 * _DAY, "monthly": 30 * _DAY, "yearly": 365 * _DAY}


def listing_of(feed: Found, head: str, page: Page, *, base: str | None, zone: str | None) -> Listing:
    """The feed's own fields, to be completed with its entries. ``head`` is the feed's text without its items."""
    return Listing(
        format="",
        title=title_at(feed, "title") or None,
        link=urls.absolute(urls.unwrap(text_at(feed, "link")), base),
        language=one_line(text_at(feed, "language") or _language(page)) or None,
        image=next(filter(None, (urls.absolute(url, base) for url in _images(feed, head))), None),
        generator=one_line(text_at(feed, "generator")) or None,
        updated=dates.instant(text_at(feed, "updated") or text_at(feed, "published"), zone),
        authors=tuple(names(feed)) or tuple(names(feed, "publisher")),
        links=tuple(_links(feed, base)),
        ttl=_ttl(feed),
    )


def _language(page: Page) -> str:
    """The first language the server names (RFC 9110, section 8.5)."""
    return page.headers.get("content-language", "").partition(",")[0]


def _images(feed: Found, head: str) -> Iterator[str]:
    """Where a picture of the feed may be, what was made for it first."""
    yield text_at(one(feed, "image"), "href")
    yield from (html.unescape(url) for url in _RDF_IMAGE.findall(head))
    yield text_at(feed, "logo") or text_at(one(feed, "logo"), "href")  # CDF writes it in an attribute
    yield text_at(feed, "icon")
    for media in several(feed, "media_content"):
        if text_at(media, "medium") == "image" or text_at(media, "type").startswith("image/"):
            yield text_at(media, "url")
    yield from (text_at(media, "url") for media in several(feed, "media_thumbnail"))
    yield first_image(clean(text_at(feed, "subtitle"))) or ""


def _ttl(feed: Found) -> int | None:
    """The seconds between two polls that RSS 2.0's ttl (minutes) or the syndication module asks for, the longer one."""
    minutes, times = number_at(feed, "ttl"), number_at(feed, "sy_updatefrequency")
    period = _PERIODS.get(text_at(feed, "sy_updateperiod").strip().lower(), _DAY if times else 0)
    wished = max((minutes or 0) * 60, period // (times or 1))
    return min(wished, _DAY) or None


def _links(feed: Found, base: str | None) -> Iterator[Link]:
    for link in several(feed, "links"):
        href = urls.absolute(text_at(link, "href"), base)
        if href is not None:
            yield Link(href, text_at(link, "rel") or None, text_at(link, "type") or None)
