"""The first half of a poll: what does the listing announce? It is noted together with its validators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from aggregator.errors import AggregatorError, ArchiveError, FetchError, ParseError, masked
from aggregator.identity.keys import keys_of
from aggregator.model import (
    Announced,
    Discovery,
    Entry,
    Feed,
    FeedState,
    Listing,
    Page,
    Report,
    Status,
    Validators,
)
from aggregator.pipeline.desk import Desk
from aggregator.sources import SOURCES
from aggregator.sources.people import redacted
from aggregator.sources.questions import listing_request
from aggregator.sources.spelling import listing_as_told
from aggregator.text.dates import too_far_ahead

# After such an error of the address to which a feed has moved, the configured one is tried.
_LOST = frozenset({"dns", "gone", "not_a_feed", "not_found", "redirects", "refused", "scheme", "tls"})

# No server is left alone for longer than a day; what lies further ahead was told by a clock that was wrong.
_LONGEST_HOLD = timedelta(hours=25)


@dataclass(slots=True)
class Trace:
    """The page that a failed attempt at a listing got as far as."""

    page: Page | None = None


async def ask(desk: Desk, feed: Feed, *, revive: bool = True) -> Report:
    """Ask for the listing at a feed's address and note what it announces, together with its validators.

    ``revive``: ask also a feed whose server said that it is gone for good.
    """
    started = desk.clock()
    state = await desk.archive.state(feed)
    if state.status == "gone" and not revive:
        said = f"not asked, its server said that it is gone; `aggregator fetch {feed.name}` asks once more"
        return Report(feed.name, "gone", error_kind="gone", error=said)
    if state.held_until and started < state.held_until <= started + _LONGEST_HOLD:
        return await _held(desk, feed, state.held_until)
    trace = Trace()
    try:
        found = await _followed(desk, feed, state, trace)
    except AggregatorError as error:
        return await _blamed(desk, feed, error, trace.page, started)
    return await noted(desk, feed, found, started)


async def noted(desk: Desk, feed: Feed, found: Discovery, started: datetime) -> Report:
    """Store what a listing announces, and tell it."""
    done = await desk.archive.note(feed, found)
    return Report(
        feed.name,
        found.status,
        found.listed,
        done.new,
        found.listed - done.new,
        seconds=(desk.clock() - started).total_seconds(),
        behind=done.behind,
        waiting=done.waiting,
        remark=done.remark,
    )


async def _followed(desk: Desk, feed: Feed, state: FeedState, trace: Trace) -> Discovery:
    """The listing from where it has moved; from the configured address, if it is not there any more."""
    try:
        return await asked(desk, feed, state, trace)
    except (FetchError, ParseError) as error:
        if state.moved_to is None or error.kind not in _LOST:
            raise
        at_home = replace(state, moved_to=None, validators=Validators())
        try:
            return replace(await asked(desk, feed, at_home, Trace()), lost=f"{error.kind}: {error}")
        except (FetchError, ParseError):
            raise error from None  # it is nowhere: what its last address says is told


async def asked(desk: Desk, feed: Feed, state: FeedState, trace: Trace) -> Discovery:
    """What the listing says, with nothing stored.

    Raises:
        FetchError, ParseError: there is none.
    """
    trace.page = redacted(await desk.fetch(listing_request(feed, state.validators, state.moved_to)))
    return await _found(desk, feed, state, trace.page)


async def _found(desk: Desk, feed: Feed, state: FeedState, page: Page) -> Discovery:
    """What the answer says, as far as it has changed; canonical content is compared before anything is parsed."""
    now = desk.clock()
    digest: str | None = None
    listing: Listing | None = None
    if not page.unchanged:
        digest, listing = await desk.work(_read, listing_as_told(feed, page), feed.source, feed.zone, state.digest)
    said = Discovery(
        _quiet_status(feed, state, now),
        digest=digest,
        validators=page.validators,
        fetched_at=page.fetched_at,
        ttl=state.ttl,
        floor=_floor(page, state.ttl),
        # An address with a secret in it is not kept: such a feed goes by its configured one.
        moved_to=page.moved_to if page.moved_to and masked(page.moved_to) == page.moved_to else None,
    )
    if listing is None:
        return said
    newest = await desk.work(_newest, listing.entries, now)
    return replace(
        said,
        status=_status(feed, listing, max(filter(None, (newest, state.newest)), default=None), now),
        entries=await announced(desk, feed, listing),
        listed=len(listing.entries),
        newest=newest,
        oddities=listing.oddities,
        ttl=listing.ttl,
        floor=_floor(page, listing.ttl),
        warnings=listing.warnings,
        lid=listing.lid,
    )


async def announced(desk: Desk, feed: Feed, listing: Listing) -> tuple[Announced, ...]:
    """The entries of a listing, each with its identity and the date that its document will carry."""
    return await desk.work(_announced, listing.entries, feed.name, desk.date)


def _announced(entries: Sequence[Entry], feed: str, date: str) -> tuple[Announced, ...]:
    keys = keys_of(feed, entries)
    return tuple(Announced(k, entry, _date(entry, date)) for k, entry in zip(keys, entries, strict=True))


def _newest(entries: Sequence[Entry], now: datetime) -> datetime | None:
    return max((e.published for e in entries if e.published and not too_far_ahead(e.published, now)), default=None)


def _read(page: Page, source: str, zone: str | None, known: str | None) -> tuple[str, Listing | None]:
    """A listing's digest, and the listing unless that digest is known; one piece of work, for it has one deadline."""
    digest = SOURCES[source].digest(page)
    return digest, None if digest == known else SOURCES[source].parse(page, zone)


def _date(entry: Entry, date: str) -> datetime | None:
    """The date the document will carry for good: Sina's index time, unless the configuration prefers its ctime."""
    return (entry.indexed if date == "intime" else None) or entry.published


def _status(feed: Feed, listing: Listing, newest: datetime | None, now: datetime) -> Status:
    if not listing.entries:
        return "empty"
    if newest and _is_stale(feed, newest, now):
        return "stale"
    return "degraded" if feed.way else "ok"


def _quiet_status(feed: Feed, state: FeedState, now: datetime) -> Status:
    """An unchanged listing may be empty still, or have become stale."""
    if state.status == "empty":
        return "empty"
    if state.newest and _is_stale(feed, state.newest, now):
        return "stale"
    return "degraded" if feed.way else "unchanged"


def _is_stale(feed: Feed, newest: datetime, now: datetime) -> bool:
    return now - newest > timedelta(seconds=feed.expect_newest_within)


def _floor(page: Page, ttl: int | None) -> int | None:
    """The seconds that must pass before the next poll, by the server's word and the listing's own."""
    return ceil(max(page.fresh_for or 0, ttl or 0)) or None


async def _held(desk: Desk, feed: Feed, until: datetime) -> Report:
    await desk.archive.postpone(feed, until)
    return Report(feed.name, "held", held_until=until)


async def _blamed(desk: Desk, feed: Feed, error: AggregatorError, page: Page | None, started: datetime) -> Report:
    if isinstance(error, ArchiveError):
        raise error
    if isinstance(error, FetchError) and error.kind == "held" and error.retry_at:
        return await _held(desk, feed, error.retry_at)
    status = status_of(error)
    await desk.archive.blame(feed, status, error, page)
    seconds = (desk.clock() - started).total_seconds()
    return Report(feed.name, status, seconds=seconds, error_kind=error.kind, error=str(error))


def status_of(error: AggregatorError) -> Status:
    """A feed's status after such an error."""
    kinds: dict[str, Status] = {"blocked": "blocked", "not_a_feed": "not_a_feed", "gone": "gone"}
    if isinstance(error, FetchError) and error.status == 429:
        return "blocked"
    return kinds.get(error.kind, "failed")
