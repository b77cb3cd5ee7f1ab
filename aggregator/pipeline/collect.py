"""The second half of a poll: announced entries become articles, or failures that are stored and tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from aggregator.archive.rechecks import Absence
from aggregator.articles.compose import compose, from_entry, link_only_article, merged
from aggregator.articles.differences import Reading, is_edit
from aggregator.errors import AggregatorError, ArchiveError, FetchError, ParseError, masked
from aggregator.identity.fingerprint import fingerprint
from aggregator.model import Article, Feed, Page, Pending, Request, Settled, Signs
from aggregator.pipeline.crew import work_through
from aggregator.pipeline.deriving import read_as_told, rederive
from aggregator.pipeline.desk import Budget, Desk, Outcome, Watch
from aggregator.pipeline.images import images_of
from aggregator.pipeline.listed import Listed, portion_of, read_listed
from aggregator.pipeline.sifting import announced, as_read, sifted, wants_page
from aggregator.sources.questions import page_request

if TYPE_CHECKING:
    from aggregator.articles.verdict import Verdict

GONE = {"not_found": "not_found", "gone": "gone"}  # why there is only a link, by the error of its page


@dataclass(slots=True)
class _Trace:
    """How far an attempt at an article got: its page, and the signs of its template."""

    page: Page | None = None
    signs: Signs | None = None


async def collect(
    desk: Desk, feed: Feed | None = None, budget: Budget | None = None, watch: Watch | None = None
) -> list[Outcome]:
    """Work through the articles that wait (of one feed, or of all), each handed out once, the newest claimed first.

    ``watch`` is told of every outcome as it comes. Cancelled, it leaves what was not settled waiting.
    """
    lanes = asyncio.Semaphore(desk.fetches)

    async def fetch(request: Request) -> Page:
        async with lanes:
            return await desk.fetch(request)

    claim, limited = partial(desk.archive.pending, feed), replace(desk, fetch=fetch)

    async def attempt(tasks: Sequence[Pending]) -> list[Outcome]:
        return await _listed(limited, tasks) if len(tasks) > 1 else [await _attempt(limited, tasks[0])]

    portion, release = partial(portion_of, desk.feeds), desk.archive.release
    return await work_through(desk.workers, budget or Budget(), claim, attempt, watch, release, portion)


async def heal(desk: Desk, *, keep: bool = True, watch: Watch | None = None) -> list[Outcome]:
    """Read the stored pages that could not be read once more, with the rules of now; nothing is fetched.

    Without ``keep`` nothing is stored either: the outcomes say what would be.
    """
    outcomes: list[Outcome] = []
    for task in await desk.archive.readable_again():
        if task.stored is None:
            continue
        outcome = await _reread(desk, task, task.stored, keep=keep)
        if outcome.error and keep:
            await desk.archive.still_unread(task, outcome.error)
        outcomes.append(outcome)
        if watch:
            watch(outcome)
    return outcomes


async def _attempt(desk: Desk, task: Pending) -> Outcome:
    """One article, to its good end or to a failure that is stored."""
    sorted_in = sifted(desk.feeds, task, announced(task.entry))
    if sorted_in is None:
        await desk.archive.drop(task)
        return Outcome.of(task, dropped=True)
    task = sorted_in
    if task.stored:
        again = await _reread(desk, task, task.stored)
        if again.error is None:
            return again
    trace = _Trace()
    try:
        article = merged(await _article(desk, task, trace), task.entry)
        return await _settled(desk, task, article, trace.page, trace.signs)
    except ArchiveError:
        raise
    except AggregatorError as error:
        if isinstance(error, FetchError) and error.kind in GONE:
            found = Absence(f"HTTP {error.status}", error.status)
            return Outcome.of(task, absence=await desk.archive.absent(task, found, worked=True))
        await desk.archive.fail(task, error, trace.page)
        return Outcome.of(task, error=error)


async def _listed(desk: Desk, tasks: Sequence[Pending]) -> list[Outcome]:
    """Articles that their listings carry, all to their ends at once."""
    found = await desk.work(read_listed, tuple(tasks), desk.feeds, desk.placeholder, desk.rules)
    read = [(one.task, one.done) for one in found if isinstance(one, Listed)]
    stored = iter(await desk.archive.settle_all(read))
    ends = [next(stored) if isinstance(one, Listed) else one for one in found]
    return [await _ended(desk, *end) for end in zip(tasks, found, ends, strict=True)]


async def _ended(
    desk: Desk, task: Pending, found: Listed | AggregatorError | None, end: bool | AggregatorError | None
) -> Outcome:
    """What became of an article that its listing carries; where it failed, or no feed wants it, that is stored."""
    if isinstance(end, ArchiveError):
        raise end
    if isinstance(end, AggregatorError):
        await desk.archive.fail(task, end, None)
        return Outcome.of(task, error=end)
    if not isinstance(found, Listed):
        await desk.archive.drop(task)
        return Outcome.of(task, dropped=True)
    return Outcome.of(found.task, found.done.article, fresh=bool(end))


async def _reread(desk: Desk, task: Pending, page: Page, *, keep: bool = True) -> Outcome:
    """The article out of the page the archive holds, or the error why not."""
    feed = desk.feeds.get(task.feed)
    try:
        found, signs = await read_as_told(desk, feed, page, task.entry)
        article = merged(found, task.entry)
        return await _settled(desk, task, article, task.stored_id, signs, keep=keep)
    except ParseError as error:
        return Outcome.of(task, error=error)


async def _settled(
    desk: Desk, task: Pending, article: Article, page: Page | int | None, signs: Signs | None, *, keep: bool = True
) -> Outcome:
    """An article that was read, stored; or dropped, when its text says so."""
    wanted = sifted(desk.feeds, task, as_read(article, article.text))
    if wanted is None:
        if keep:
            await desk.archive.drop(task, page, signs)
        return Outcome.of(task, dropped=True)
    done = await desk.work(_composed, article, wanted, desk.placeholder, page, signs)
    done = replace(done, images=images_of(desk.feeds, desk.rules, wanted, article))
    if not keep:
        return Outcome.of(wanted, article, fresh=True)
    verdict = await verdict_on(desk, wanted, done) if task.revisions else None
    return Outcome.of(wanted, article, fresh=await desk.archive.settle(wanted, done, verdict))


def _composed(
    article: Article, task: Pending, placeholder: str, page: Page | int | None, signs: Signs | None
) -> Settled:
    return compose(task, article, placeholder, fingerprint(article.text), page, signs)


async def verdict_on(desk: Desk, task: Pending, done: Settled) -> Verdict | None:
    """What the source changed in facts since the current revision; ``None`` where it has edited nothing."""
    await rederive(desk, task.article)
    known = await desk.archive.current(task.article)
    read = Reading(done.article, done.fingerprint)
    if known is None or not is_edit(Reading(known.content, known.fingerprint), read):
        return None
    from aggregator.articles.changes import judged  # only edits are judged, and its patterns take long to compile

    return await desk.work(judged, known.content, done.article, desk.rules)


async def _article(desk: Desk, task: Pending, trace: _Trace) -> Article:
    """The article of a task: out of its page, out of its listing, or no more than a link."""
    entry, feed = task.entry, desk.feeds.get(task.feed)
    if entry.link is None or not wants_page(feed, full_text=entry.full_text):
        return await desk.work(from_entry, entry, masked(feed.url) if feed else "")
    reason = desk.rules.link_only(entry.link)
    if reason:
        return link_only_article(entry, reason)
    try:
        trace.page = await desk.fetch(page_request(feed, entry.link))
    except FetchError as error:
        if error.kind not in GONE or task.has_text:
            raise
        return link_only_article(entry, GONE[error.kind])
    article, trace.signs = await read_as_told(desk, feed, trace.page, entry)
    return article
