"""Listings: one answer of the network into one ``Listing``. A row of ``SOURCES`` is all a new kind of source needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aggregator.model import Listing, Page
from aggregator.sources import jsonfeed, live, pagelists, roll, syndication
from aggregator.sources.doubts import doubted
from aggregator.sources.people import redacted
from aggregator.text.charset import decode


@dataclass(frozen=True, slots=True)
class Source:
    """What a kind of source can do.

    ``parse(page, zone)`` reads a listing, dates without an offset in ``zone``; it raises ``ParseError`` of kind
    ``not_a_feed``, ``api_error`` or ``blocked``. ``digest(page)`` is the SHA-256 (hex) of what matters in it:
    equal digests mean nothing has changed; it never raises. ``address(url)`` is the URL to ask for a feed's ``url``,
    ``further(url, n)`` for the n-th page of a list whose first page that is; ``None`` where there are no more.
    ``recognises(text)``: whether a body is surely one of its answers. All of them are given pages as
    ``people.redacted`` leaves them.
    """

    parse: Callable[[Page, str | None], Listing]
    digest: Callable[[Page], str]
    address: Callable[[str], str]
    recognises: Callable[[str], bool]
    further: Callable[[str, int], str] | None = None


def sniff(page: Page) -> str:
    """The name in ``SOURCES`` under which a body of unknown origin is to be parsed."""
    text = decode(page.body, header=page.headers.get("content-type")).text
    return next((name for name, source in SOURCES.items() if source.recognises(text)), "feed")


def _parse_feed(page: Page, zone: str | None) -> Listing:
    listing = jsonfeed.parse(page, zone) if _is_json(page) else syndication.parse(page, zone)
    return doubted(listing, page)


def _parse_roll(page: Page, zone: str | None) -> Listing:
    return doubted(roll.parse(page, zone), page)


def _digest_feed(page: Page) -> str:
    return jsonfeed.digest(page) if _is_json(page) else syndication.digest(page)


def _is_json(page: Page) -> bool:
    """Whether a feed is a JSON Feed, told by its first character."""
    return page.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


def _parse_live(page: Page, zone: str | None) -> Listing:
    return doubted(live.parse(page, zone), page)


def _as_is(url: str) -> str:
    return url


def _never(text: str) -> bool:
    return False


def parsed(page: Page, source: str | None, zone: str | None) -> Listing:
    """A listing read as ``source``, or as what ``sniff`` takes it for. Raises ``ParseError``."""
    clean = redacted(page)
    return SOURCES[source or sniff(clean)].parse(clean, zone)


# In the order in which a body of unknown origin is tried: a roll list is told by less than a live one.
SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "feed": Source(_parse_feed, _digest_feed, _as_is, _never),
        "sina-live": Source(_parse_live, live.digest, live.address, live.recognises, live.address),
        "sina-roll": Source(_parse_roll, roll.digest, roll.address, roll.recognises, roll.address),
        "sina-column": Source(pagelists.parse_column, pagelists.digest, _as_is, pagelists.recognises_column),
        "sina-company": Source(pagelists.parse_company, pagelists.digest, _as_is, pagelists.recognises_company),
    }
)
