"""``fetch``: bring feeds up to date once, or have the daemon that is running do it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from aggregator.app import (
    AT_A_RUN,
    App,
    Fetched,
    article_url,
    chosen,
    collect_all,
    counted,
    discover_all,
    export_new,
    fetch_url,
    joined,
    open_app,
    recheck_all,
    rechecks_due,
    told,
)
from aggregator.archive import holder
from aggregator.cli.fetched import exit_code, show_fetched
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.output import complain, progress
from aggregator.config import Settings
from aggregator.errands import Errand, run_by_daemon
from aggregator.errors import AggregatorError, ArchiveError
from aggregator.model import Feed, Report
from aggregator.pipeline import ImageOutcome, Outcome, collect_images, told_images
from aggregator.web import unused_proxy


@app.command(
    epilog="aggregator fetch · aggregator fetch sina-domestic --limit 20 · aggregator fetch --due (for cron) · "
    "aggregator fetch https://finance.sina.com.cn/…/doc-i….shtml"
)
def fetch(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="FEED|URL", help="Feeds by name, articles by URL; every feed if none.")
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="Only feeds whose next poll is due, for cron.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try articles that failed again, now.")] = False,
    limit: Annotated[int | None, typer.Option(min=0, help="Fetch at most so many pages.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 on empty, stale and degraded feeds, too.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Poll feeds now, whatever their due time, and archive what they announce."""
    settings = settings_for_polls(config)
    names = [word for word in what or [] if "://" not in word]
    urls = [article_url(word) for word in what or [] if "://" in word]
    feeds = chosen(settings, names) if names or not urls else []
    wanted = [feed.name for feed in feeds] if names or not urls else None
    errand = Errand(wanted, urls, due=due, retry=retry, limit=limit, revive=bool(names))
    fetched = run_async(_fetched(settings, feeds, errand))
    show_fetched(fetched, settings, as_json=as_json)
    raise typer.Exit(exit_code(fetched, strict=strict))


async def _fetched(settings: Settings, feeds: Sequence[Feed], errand: Errand) -> Fetched:
    """Fetch; or, where a daemon holds the archive, have it fetch."""
    try:
        return await _fetch(settings, feeds, errand)
    except ArchiveError as error:
        if error.kind != "locked":
            raise
        locked = error
    try:
        return await _followed(settings, errand)
    except OSError:
        raise locked from None  # what writes there is no daemon of this user


async def _followed(settings: Settings, errand: Errand) -> Fetched:
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


def settings_for_polls(config: Path | None) -> Settings:
    """The configuration, and a word on a proxy that is not used."""
    settings = settings_of(config)
    if warning := unused_proxy(settings.network.proxy, os.environ):
        complain(f"warning: {warning}")
    return settings


async def _fetch(settings: Settings, feeds: Sequence[Feed], errand: Errand) -> Fetched:
    limit = errand.limit
    async with open_app(settings) as opened:
        if errand.retry:
            complain(f"{await opened.archive.revive()} failed articles get another try")
            if images := await opened.archive.revive_images():
                complain(f"{images} failed images get another try")
        if errand.due:
            due = {one.name for one in await opened.archive.due_feeds()}
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
    try:
        done = await asyncio.to_thread(export_new, settings)
    except AggregatorError as error:
        complain(f"{error}. The archive is complete; `aggregator export` writes what is missing")
        return
    if done.written and settings.export.hexo:
        complain(f"{done.written} documents written to {settings.export.hexo.dir}")
