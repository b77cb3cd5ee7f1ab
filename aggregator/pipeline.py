"""The flow: bring one feed up to date. It knows no socket and no SQL; both are handed to it.

``poll`` = ``discover`` (what does the listing announce?) + ``collect`` (turn announced entries into articles). The
archive stands between the halves, so what was announced is never lost, whatever happens to its page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Literal, Protocol, TypeVar

from aggregator.archive.protocol import Archive
from aggregator.articles.compose import compose, from_entry, link_only_article, merged
from aggregator.articles.extract import read
from aggregator.articles.rules import Rules, built_in
from aggregator.errors import AggregatorError, ArchiveError, FetchError, ParseError, masked
from aggregator.identity.fingerprint import fingerprint
from aggregator.identity.keys import keys_of
from aggregator.model import (
    Announced,
    Article,
    Clock,
    Discovery,
    Entry,
    Feed,
    FeedState,
    Fetch,
    Listing,
    Page,
    Pending,
    Report,
    Request,
    Signs,
    Status,
    Validators,
)
from aggregator.sources import SOURCES
from aggregator.text.dates import too_far_ahead
from aggregator.text.urls import same_origin

T = TypeVar("T")
_GONE = {"not_found": "not_found", "gone": "gone"}
# After such an error of the address to which a feed has moved, the configured one is tried.
_LOST = frozenset({"dns", "gone", "not_a_feed", "not_found", "redirects", "refused", "scheme", "tls"})


class Work(Protocol):
    """Where pure work is done: here, in a thread, or in a process that can be killed."""

    def __call__(self, work: Callable[..., T], /, *args: object) -> Awaitable[T]:
        """The result of ``work(*args)``."""
        ...


async def inline(work: Callable[..., T], /, *args: object) -> T:
    """Do the work at once."""
    return work(*args)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the flow works with. ``feeds`` are the configured ones by name."""

    fetch: Fetch
    archive: Archive
    clock: Clock
    feeds: Mapping[str, Feed]
    date: Literal["intime", "ctime"] = "intime"
    placeholder: str = "picsum"
    rules: Rules = field(default_factory=built_in)
    work: Work = inline
    workers: int = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one article: archived (``fresh`` when that made a new revision), or an error."""

    task: Pending
    article: Article | None = None
    fresh: bool = False
    error: AggregatorError | None = None


@dataclass(slots=True)
class Budget:
    """How many articles may still be collected; ``None`` is no limit."""

    left: int | None = None

    def take(self) -> bool:
        """Whether there is room for one more, which is then taken."""
        if self.left is None:
            return True
        room = self.left > 0
        self.left -= room
        return room

    def give_back(self) -> None:
        """There was nothing to take it for."""
        if self.left is not None:
            self.left += 1


@dataclass(slots=True)
class _Trace:
    """How far an attempt at a listing or an article got: its page, and the signs of an article's template."""

    page: Page | None = None
    signs: Signs | None = None


Watch = Callable[[Outcome], None]


async def poll(desk: Desk, feed: Feed) -> Report:
    """Bring one feed up to date: its listing, then every article of it that is waiting.

    A failure of the listing or of an article is stored, and told in the report; only ``ArchiveError`` is raised.
    """
    report = await discover(desk, feed)
    outcomes = await collect(desk, feed)
    seconds = report.seconds
    return replace(report, failed=sum(outcome.error is not None for outcome in outcomes), seconds=seconds)


async def discover(desk: Desk, feed: Feed, *, revive: bool = True) -> Report:
    """Ask for a feed's listing and note what it announces, together with its validators.

    ``revive``: ask also a feed whose server said that it is gone for good.
    """
    started = desk.clock()
    state = await desk.archive.state(feed)
    if state.status == "gone" and not revive:
        said = f"not asked, its server said that it is gone; `aggregator fetch {feed.name}` asks once more"
        return Report(feed.name, "gone", error_kind="gone", error=said)
    if state.held_until and state.held_until > started:
        return await _held(desk, feed, state.held_until)
    trace = _Trace()
    try:
        found = await _followed(desk, feed, state, trace)
    except AggregatorError as error:
        return await _blamed(desk, feed, error, trace.page, started)
    noted = await desk.archive.note(feed, found)
    return Report(
        feed.name,
        found.status,
        found.listed,
        noted.new,
        found.listed - noted.new,
        seconds=(desk.clock() - started).total_seconds(),
        remark=noted.remark,
    )


async def _followed(desk: Desk, feed: Feed, state: FeedState, trace: _Trace) -> Discovery:
    """The listing from where it has moved; from the configured address, if it is not there any more."""
    try:
        return await _asked(desk, feed, state, trace)
    except (FetchError, ParseError) as error:
        if state.moved_to is None or error.kind not in _LOST:
            raise
        at_home = replace(state, moved_to=None, validators=Validators())
        try:
            return replace(await _asked(desk, feed, at_home, _Trace()), lost=f"{error.kind}: {error}")
        except (FetchError, ParseError):
            raise error from None  # it is nowhere: what its last address says is told


async def _asked(desk: Desk, feed: Feed, state: FeedState, trace: _Trace) -> Discovery:
    request = Request(
        SOURCES[feed.source].address(feed.url),
        "listing",
        feed.headers,
        state.validators,
        feed.retry_after_scope,
        at=state.moved_to,
    )
    trace.page = await desk.fetch(request)
    return await _found(desk, feed, state, trace.page)


async def _found(desk: Desk, feed: Feed, state: FeedState, page: Page) -> Discovery:
    """What the answer says, as far as it has changed; canonical content is compared before anything is parsed."""
    source, now = SOURCES[feed.source], desk.clock()
    said = Discovery(
        _quiet_status(feed, state, now),
        digest=None if page.unchanged else source.digest(page),
        validators=page.validators,
        fetched_at=page.fetched_at,
        ttl=state.ttl,
        floor=_floor(page, state.ttl),
        # An address with a secret in it is not kept: such a feed goes by its configured one.
        moved_to=page.moved_to if page.moved_to and masked(page.moved_to) == page.moved_to else None,
    )
    if page.unchanged or said.digest == state.digest:
        return said
    listing: Listing = await desk.work(source.parse, page, feed.zone)
    dated = [e.published for e in listing.entries if e.published and not too_far_ahead(e.published, now)]
    newest = max(dated, default=None)
    keys = keys_of(feed.name, listing.entries)
    return replace(
        said,
        status=_status(feed, listing, max(filter(None, (newest, state.newest)), default=None), now),
        entries=tuple(Announced(k, entry, _date(desk, entry)) for k, entry in zip(keys, listing.entries, strict=True)),
        listed=len(listing.entries),
        newest=newest,
        ttl=listing.ttl,
        floor=_floor(page, listing.ttl),
    )


def _date(desk: Desk, entry: Entry) -> datetime | None:
    """The date the document will carry for good: Sina's index time, unless the configuration prefers its ctime."""
    return (entry.indexed if desk.date == "intime" else None) or entry.published


def _status(feed: Feed, listing: Listing, newest: datetime | None, now: datetime) -> Status:
    if not listing.entries:
        return "empty"
    return "stale" if newest and _is_stale(feed, newest, now) else "ok"


def _quiet_status(feed: Feed, state: FeedState, now: datetime) -> Status:
    """An unchanged listing may be empty still, or have become stale."""
    if state.status == "empty":
        return "empty"
    return "stale" if state.newest and _is_stale(feed, state.newest, now) else "unchanged"


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


async def collect(
    desk: Desk, feed: Feed | None = None, budget: Budget | None = None, watch: Watch | None = None
) -> list[Outcome]:
    """Work through the articles that wait (of one feed, or of all), newest first, each handed out once.

    ``watch`` is told of every outcome as it comes. Cancelled, it leaves what was not settled waiting.
    """
    room = budget or Budget()
    outcomes: list[Outcome] = []

    async def worker() -> None:
        while room.take():
            tasks = await desk.archive.pending(feed, 1)
            if not tasks:
                room.give_back()
                return
            outcome = await _attempt(desk, tasks[0])
            outcomes.append(outcome)
            if watch:
                watch(outcome)

    async with asyncio.TaskGroup() as group:
        for _ in range(desk.workers):
            group.create_task(worker())
    return outcomes


async def heal(desk: Desk, *, keep: bool = True, watch: Watch | None = None) -> list[Outcome]:
    """Read the stored pages that could not be read once more, with the rules of now; nothing is fetched.

    Without ``keep`` nothing is stored either: the outcomes say what would be.
    """
    outcomes: list[Outcome] = []
    for task in await desk.archive.readable_again():
        outcome = await _reread(desk, task, keep=keep)
        if outcome.error and keep:
            await desk.archive.still_unread(task, outcome.error)
        outcomes.append(outcome)
        if watch:
            watch(outcome)
    return outcomes


async def _attempt(desk: Desk, task: Pending) -> Outcome:
    """One article, to its good end or to a failure that is stored."""
    if task.stored:
        again = await _reread(desk, task)
        if again.error is None:
            return again
    trace = _Trace()
    try:
        article = merged(await _article(desk, task, trace), task.entry)
        done = compose(task, article, desk.placeholder, fingerprint(article.text), trace.page, trace.signs)
        return Outcome(task, article, fresh=await desk.archive.settle(task, done))
    except ArchiveError:
        raise
    except AggregatorError as error:
        await desk.archive.fail(task, error, trace.page)
        return Outcome(task, error=error)


async def _reread(desk: Desk, task: Pending, *, keep: bool = True) -> Outcome:
    """The article out of the page the archive holds, or the error why not."""
    feed = desk.feeds.get(task.feed)
    try:
        found, signs = await desk.work(_read, task.stored, feed.zone if feed else None, task.entry.title, desk.rules)
        article = merged(found, task.entry)
        done = compose(task, article, desk.placeholder, fingerprint(article.text), task.stored_id, signs)
        return Outcome(task, article, fresh=await desk.archive.settle(task, done) if keep else True)
    except ParseError as error:
        return Outcome(task, error=error)


async def _article(desk: Desk, task: Pending, trace: _Trace) -> Article:
    """The article of a task: out of its page, out of its listing, or no more than a link."""
    entry, feed = task.entry, desk.feeds.get(task.feed)
    if entry.link is None or not _wants_page(feed, entry):
        return from_entry(entry, masked(feed.url) if feed else "")
    reason = desk.rules.link_only(entry.link)
    if reason:
        return link_only_article(entry, reason)
    headers = feed.headers if feed and same_origin(feed.url, entry.link) else {}
    try:
        trace.page = await desk.fetch(Request(entry.link, "page", headers))
    except FetchError as error:
        if error.kind in _GONE:
            return link_only_article(entry, _GONE[error.kind])
        raise
    article, trace.signs = await desk.work(_read, trace.page, feed.zone if feed else None, entry.title, desk.rules)
    return article


def _read(page: Page, zone: str | None, title: str, rules: Rules) -> tuple[Article, Signs]:
    return read(page, zone=zone, title=title, rules=rules)


def _wants_page(feed: Feed | None, entry: Entry) -> bool:
    pages = feed.pages if feed else "auto"
    return pages == "true" or (pages == "auto" and not entry.full_text)
