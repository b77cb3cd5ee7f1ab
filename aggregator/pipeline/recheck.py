"""Looking again at pages that were read before: has the source edited the article, is it still there, is it back?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from aggregator.archive.rechecks import Absence, Recheck
from aggregator.articles.absence import is_notice, notice_in
from aggregator.articles.compose import compose, merged
from aggregator.errors import AggregatorError, ArchiveError, FetchError, ParseError
from aggregator.identity.fingerprint import fingerprint
from aggregator.model import Feed, Page
from aggregator.pipeline.collect import GONE, verdict_on
from aggregator.pipeline.crew import one_by_one, work_through
from aggregator.pipeline.deriving import read_as_told
from aggregator.pipeline.desk import Budget, Desk, Outcome, Watch
from aggregator.pipeline.images import images_of
from aggregator.pipeline.sifting import as_read, sifted
from aggregator.sources.questions import page_request


async def recheck(
    desk: Desk, feed: Feed | None = None, budget: Budget | None = None, watch: Watch | None = None
) -> list[Outcome]:
    """Look at the pages whose time has come (of articles at home with one feed, or of all), newest first.

    ``fresh`` outcomes are edits. A look that fails is an outcome with an error, and harms nothing that is stored.
    """
    attempt = one_by_one(partial(_look, desk))

    async def claim(_: int) -> Sequence[Recheck]:
        return await desk.archive.rechecks(feed, 1)

    return await work_through(min(desk.workers, desk.fetches), budget or Budget(), claim, attempt, watch)


async def _look(desk: Desk, one: Recheck) -> Outcome:
    """One page asked for again, with what its server gave to ask whether it has changed."""
    task = one.task
    question = page_request(desk.feeds.get(task.feed), task.entry.link or "")
    page: Page | None = None
    try:
        page = await desk.fetch(replace(question, validators=one.validators))
        if page.unchanged or hashlib.sha256(page.body).hexdigest() == one.sha256:
            await desk.archive.looked(task, page)
            return Outcome.of(task)
        return await _read(desk, one, page)
    except ArchiveError:
        raise
    except AggregatorError as error:
        absence = await _absence(desk, error, page)
        if absence is None:
            await desk.archive.recheck_failed(task, error)
            return Outcome.of(task, error=error)
        return await _absent(desk, one, absence)


async def _read(desk: Desk, one: Recheck, page: Page) -> Outcome:
    """A page whose bytes have changed; most often its article has not."""
    task = one.task
    article, _ = await read_as_told(desk, desk.feeds.get(task.feed), page, task.entry)
    if task.has_text and is_notice(article.text, desk.rules):
        return await _absent(desk, one, Absence(f"a notice: {article.text}", page.status, page))
    article = merged(article, task.entry)
    if sifted(desk.feeds, task, as_read(article, article.text)) is None:
        await desk.archive.looked(task, page)  # an edit that makes it one to drop: what is archived stays as it is
        return Outcome.of(task)
    done = compose(task, article, desk.placeholder, fingerprint(article.text), page)
    done = replace(done, images=images_of(desk.feeds, desk.rules, task, article))
    verdict = await verdict_on(desk, task, done)
    return Outcome.of(task, article, fresh=await desk.archive.settle_recheck(task, done, verdict))


async def _absence(desk: Desk, error: AggregatorError, page: Page | None) -> Absence | None:
    """What an error tells of the article being gone; ``None`` where it may be anything else."""
    if isinstance(error, FetchError):
        return Absence(f"HTTP {error.status}", error.status) if error.kind in GONE else None
    if page is None or not isinstance(error, ParseError):
        return None
    said = await desk.work(notice_in, page, desk.rules)
    return Absence(said, page.status, page) if said else None


async def _absent(desk: Desk, one: Recheck, absence: Absence) -> Outcome:
    return Outcome.of(one.task, absence=await desk.archive.absent(one.task, absence))
