"""What is wrong with a feed: its answer, what it parses to, the keys of its items, the age of its news."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from aggregator.doctor.finding import Finding, told
from aggregator.doctor.hosts import UNREACHED
from aggregator.doctor.looking import SeenFeed
from aggregator.errors import FetchError, ParseError
from aggregator.model import Listing
from aggregator.sources import rolldata
from aggregator.text.dates import too_far_ahead
from aggregator.text.urls import host_of

_SHOWN = 8  # keys named


def of_feed(seen: SeenFeed, at: datetime) -> Iterator[Finding]:
    """The lines about one feed, as of the instant ``at``."""
    if isinstance(seen.answer, FetchError):
        yield _unanswered(seen, seen.answer)
    elif isinstance(seen.listing, ParseError):
        yield _unread(seen, seen.listing)
    elif seen.listing is not None:
        yield of_news(seen, seen.listing, at)
        yield from _of_keys(seen)
        yield from _of_doubts(seen, seen.listing)


def _unanswered(seen: SeenFeed, error: FetchError) -> Finding:
    name, host = seen.feed.name, host_of(seen.url)
    if error.kind == "held":
        return Finding(name, "warning", f"not asked: {host} refused before", f"See {host}")
    if error.kind in UNREACHED and host_of(error.where) == host:
        return Finding(name, "bad", f"could not be reached ({error.kind})", f"See {host}")
    if error.kind in ("blocked", "rate_limited") and host_of(error.where) == host:
        return Finding(name, "bad", told(error.message), f"See {host}")
    return Finding(name, "bad", f"{error.kind}: {told(error.message)}", error.hint)


def _unread(seen: SeenFeed, error: ParseError) -> Finding:
    what = f"HTTP {seen.answer.status}, but {error.kind}: {told(error.message)}"
    if error.kind == "api_error":
        return Finding(seen.feed.name, "bad", f"{what} ({_pair(seen.url)})", pair_remedy(seen.url) or error.hint)
    return Finding(seen.feed.name, "bad", what, error.hint)


def _pair(url: str) -> str:
    query = parse_qs(urlsplit(url).query)
    return f"pageid {query.get('pageid', ['?'])[0]}, lid {query.get('lid', ['?'])[0]}"


def pair_remedy(url: str) -> str:
    """Which pageid a roll list is registered with; "" for a list that is not known."""
    query = parse_qs(urlsplit(url).query)
    pageid, lid = query.get("pageid", [""])[0], query.get("lid", [""])[0]
    known = rolldata.LISTS.get(int(lid)) if lid.isascii() and lid.isdecimal() and len(lid) < 9 else None
    if known is None:
        return ""
    if pageid == str(known[0]):
        return f"The pair used to be right ({known[1]}): the list seems to be closed; take another of docs/sina.md"
    return f"lid {lid} ({known[1]}) is registered with pageid {known[0]}: write pageid={known[0]}&lid={lid}"


def of_news(seen: SeenFeed, listing: Listing, at: datetime) -> Finding:
    """Whether a listing that can be read has news."""
    feed = seen.feed
    read = f"HTTP {seen.answer.status}, {listing.format}, {len(listing.entries)} entries"
    if not listing.entries:
        remedy = "Look in a browser whether the channel still exists; if not: aggregator feeds remove NAME"
        return Finding(feed.name, "bad", f"{read}: it is empty", remedy)
    dated = [e.published for e in listing.entries if e.published and not too_far_ahead(e.published, at)]
    if not dated:
        remedy = "Nothing to do; a channel that goes stale cannot be told from one that is quiet"
        return Finding(feed.name, "warning", f"{read}, none with a date that can be read", remedy)
    age = (at - max(dated)).total_seconds()
    what = f"{read}, the newest of {lasting(age)} ago"
    if age <= feed.expect_newest_within:
        return Finding(feed.name, "ok", what)
    remedy = "The channel may have been given up: poll another, or give it a longer expect_newest_within"
    return Finding(feed.name, "bad", f"{what}: stale (expected within {lasting(feed.expect_newest_within)})", remedy)


def lasting(seconds: float) -> str:
    """A duration in its largest sensible unit."""
    for size, unit in ((2 * 365 * 86_400, 365 * 86_400), (2 * 86_400, 86_400), (2 * 3_600, 3_600)):
        if seconds >= size:
            names = {365 * 86_400: "years", 86_400: "days", 3_600: "hours"}
            return f"{seconds / unit:.0f} {names[unit]}"
    return f"{max(seconds, 0) / 60:.0f} min"


def _of_keys(seen: SeenFeed) -> Iterator[Finding]:
    """Keys of a roll list's items that are new or gone."""
    if seen.feed.source != "sina-roll" or isinstance(seen.answer, FetchError):
        return
    keys = rolldata.keys_in(seen.answer)
    remedy = "The API may have changed: aggregator doctor --save DIR keeps what it says"
    if keys.unknown:
        yield Finding(seen.feed.name, "warning", f"its items have new keys: {_listed(keys.unknown)}", remedy)
    if keys.missing:
        grave = bool(rolldata.ESSENTIAL.intersection(keys.missing))
        yield Finding(seen.feed.name, "bad" if grave else "warning", f"its items lack: {_listed(keys.missing)}", remedy)


def _listed(keys: tuple[str, ...]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(key[:40] for key in keys[:_SHOWN]) + more


def _of_doubts(seen: SeenFeed, listing: Listing) -> Iterator[Finding]:
    if listing.warnings:
        count = len(listing.warnings)
        what = f"{count} {'doubt' if count == 1 else 'doubts'} about its listing, first: {listing.warnings[0][:160]}"
        yield Finding(seen.feed.name, "warning", what, "Nothing is lost; `aggregator parse FILE` tells them all")
