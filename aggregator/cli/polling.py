"""What ``fetch`` does: polls, articles, images with a bar each, here or in the daemon that is running."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aggregator.app import (
    AT_A_RUN,
    App,
    Fetched,
    article_url,
    chosen,
    collect_all,
    counted,
    discover_all,
    fetch_url,
    joined,
    open_app,
    recheck_all,
    rechecks_due,
    told,
)
from aggregator.archive import holder
from aggregator.archive.questions import EARLY
from aggregator.cli.frame import run_async
from aggregator.cli.output import complain, progress
from aggregator.config import Settings
from aggregator.errands import Errand, run_by_daemon
from aggregator.errors import AggregatorError, ArchiveError
from aggregator.model import Feed, Report
from aggregator.pipeline import ImageOutcome, Outcome, collect_images, told_images


def fetched_now(settings: Settings, what: Sequence[str], *, due: bool, retry: bool, limit: int | None) -> Fetched:
    """Fetch feeds by name and articles by URL, every feed if ``what`` is empty; the options as the command's.

    Raises:
        ConfigError: no feed has such a name; a URL is none.
        ArchiveError: the archive refused, and no daemon holds it.
    """
    names = [word for word in what if "://" not in word]
    urls = [article_url(word) for word in what if "://" in word]
    feeds = chosen(settings, names) if names or not urls else []
    wanted = [feed.name for feed in feeds] if names or not urls else None
    errand = Errand(wanted, urls, due=due, retry=retry, limit=limit, revive=bool(names))
    return run_async(_fetched(settings, feeds, errand))


async def _fetched(settings: Settings, feeds: Sequence[Feed], errand: Errand) -> Fetched:
    """Fetch; or, where a daemon holds the archive, have it fetch."""
    try:
        return await _fetch(settings, feeds, errand)
    except ArchiveError as error:
        if error.kind != "locked":
            raise
        locked = error
    try:
        return await followed(settings, errand)
    except OSError:
        raise locked from None  # what writes there is no daemon of this user


async def followed(settings: Settings, errand: Errand) -> Fetched:
    """What the running daemon does of an errand, with a bar."""
    done: list[Fetched] = []
    bar, task = progress(0, "polls of the daemon")
    with bar:
        async for piece in run_by_daemon(settings.archive, errand):
            if "said" in piece:
                complain(piece["said"])
            elif "polls" in piece:
                complain(f"the daemon (process {holder(settings.archive)}) does it: {piece['polls']} feeds to poll")
                bar.update(task, total=piece["polls"])  # type: ignore[arg-type]
            else:
                bar.advance(task)  # type: ignore[arg-type]
                done.append(piece["fetched"])
    return joined(done, errand.feeds or ())


async def _fetch(settings: Settings, feeds: Sequence[Feed], errand: Errand) -> Fetched:
    limit = errand.limit
    async with open_app(settings) as opened:
        if errand.retry:
            complain(f"{await opened.archive.revive()} failed articles get another try")
            if images := await opened.archive.revive_images():
                complain(f"{images} failed images get another try")
        if errand.due:
            due = {one.name for one in await opened.archive.due_feeds(EARLY)}
            feeds = [feed for feed in feeds if feed.name in due]
        outcomes = [outcome for url in errand.urls for outcome in await fetch_url(opened, url)]
        reports: list[Report] = []
        looks: list[Outcome] = []
        if feeds or errand.due:  # what waits for another try is due, too, when no listing is
            reports, more = await poll_feeds(opened, feeds, limit, revive=errand.revive)
            outcomes += more
            looks = await _look_again(opened, feeds, AT_A_RUN if limit is None else max(limit - len(outcomes), 0))
        await export_fresh(settings)
        images_done = await fetch_images(opened)
        return Fetched(tuple(reports), told(outcomes), told(looks), counted(images_done))


async def _look_again(opened: App, feeds: Sequence[Feed], limit: int) -> list[Outcome]:
    """The pages whose time has come to be looked at again, with a bar; a look that fails is no failure of the run."""
    waiting = await rechecks_due(opened, feeds, limit)
    if not waiting:
        return []
    complain(f"{waiting} pages to look at again, {_estimate(opened.settings, waiting)}")
    bar, task = progress(waiting, "looks")
    with bar:
        return await recheck_all(opened, feeds, waiting, lambda _: bar.advance(task))  # type: ignore[arg-type]


async def poll_feeds(
    opened: App, feeds: Sequence[Feed], limit: int | None, *, revive: bool = False
) -> tuple[list[Report], list[Outcome]]:
    """All listings, then a word on how much is to come, then the pages with a bar.

    ``revive``: ask also feeds whose server said that they are gone for good.
    """
    bar, task = progress(len(feeds), "listings")
    with bar:
        reports = await discover_all(opened, feeds, lambda _: bar.advance(task), revive=revive)  # type: ignore[arg-type]
    waiting = await opened.archive.due()
    pages = min(waiting, limit) if limit is not None else waiting
    if pages:
        complain(f"{pages} articles to fetch, {_estimate(opened.settings, pages)}")
    bar, task = progress(pages, "articles")
    with bar:
        return await collect_all(opened, feeds, reports, limit, lambda _: bar.advance(task))  # type: ignore[arg-type]


async def fetch_images(opened: App) -> list[ImageOutcome]:
    """The images that wait, with a bar; none do unless a feed asks for them (``images``)."""
    bar, task = progress(await opened.archive.due_images(), "images")
    with bar:
        done = await collect_images(opened.desk, watch=lambda _: bar.advance(task))  # type: ignore[arg-type]
    if done:
        complain(told_images(done))
    return done


def _estimate(settings: Settings, pages: int) -> str:
    """About how long: the pace of one host, which most pages share."""
    interval = settings.network.per_host.interval
    pause = (0.5 if not settings.network.connect_to else 0.02) if interval is None else max(interval, 0.02)
    seconds = round(pages * pause)
    return f"about {seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"about {max(seconds, 1)} s"


async def export_fresh(settings: Settings) -> None:
    """Write what is new to the configured Hexo site; trouble there is told and loses nothing in the archive."""
    hexo = settings.export.hexo
    if hexo is None:
        return
    from aggregator.app import export_new  # with all that reads an archive

    try:
        done = await asyncio.to_thread(export_new, settings)
    except AggregatorError as error:
        complain(f"{error}. The archive is complete; `aggregator export` writes what is missing")
        return
    if done.written:
        complain(f"{done.written} documents written to {hexo.dir}")
