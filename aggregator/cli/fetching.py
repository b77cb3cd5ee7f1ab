"""``fetch`` and ``run``: bring feeds up to date once, or for as long as the process lives."""

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
    article_url,
    chosen,
    collect_all,
    discover_all,
    export_new,
    fetch_url,
    open_app,
    recheck_all,
    rechecks_due,
)
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.output import complain, local, print_json, print_table, progress
from aggregator.config import Settings
from aggregator.errors import AggregatorError, masked
from aggregator.model import Feed, Report
from aggregator.pipeline import ImageOutcome, Outcome, collect_images, told_images
from aggregator.text.dates import iso
from aggregator.web import unused_proxy

BAD = frozenset({"blocked", "not_a_feed", "failed"})
ODD = frozenset({"degraded", "empty", "stale"})


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
    work = _fetch(settings, feeds, urls, revive=bool(names), due=due, retry=retry, limit=limit)
    reports, outcomes, looks, images = run_async(work)
    show_reports(reports, outcomes, settings, looks, images, as_json=as_json)
    raise typer.Exit(exit_code(reports, outcomes, strict=strict))


def settings_for_polls(config: Path | None) -> Settings:
    """The configuration, and a word on a proxy that is not used."""
    settings = settings_of(config)
    if warning := unused_proxy(settings.network.proxy, os.environ):
        complain(f"warning: {warning}")
    return settings


def exit_code(reports: Sequence[Report], outcomes: Sequence[Outcome], *, strict: bool = False) -> int:
    """0 when all went well; 1 when a feed or an article failed (``strict``: or one is empty, stale or degraded)."""
    statuses = {report.status for report in reports}
    failed = bool(statuses & BAD) or any(outcome.error for outcome in outcomes)
    return int(failed or (strict and bool(statuses & ODD)))


async def _fetch(
    settings: Settings,
    feeds: Sequence[Feed],
    urls: Sequence[str],
    *,
    revive: bool,
    due: bool,
    retry: bool,
    limit: int | None,
) -> tuple[list[Report], list[Outcome], list[Outcome], list[ImageOutcome]]:
    async with open_app(settings) as opened:
        if retry:
            complain(f"{await opened.archive.revive()} failed articles get another try")
            if images := await opened.archive.revive_images():
                complain(f"{images} failed images get another try")
        if due:
            names = await opened.archive.due_feeds()
            feeds = [feed for feed in feeds if feed.name in names]
        outcomes = [outcome for url in urls for outcome in await fetch_url(opened, url)]
        reports: list[Report] = []
        looks: list[Outcome] = []
        if feeds or due:  # what waits for another try is due, too, when no listing is
            reports, more = await poll_feeds(opened, feeds, limit, revive=revive)
            outcomes += more
            looks = await _look_again(opened, feeds, AT_A_RUN if limit is None else max(limit - len(outcomes), 0))
        await export_fresh(settings)
        return reports, outcomes, looks, await fetch_images(opened)


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


def show_reports(
    reports: Sequence[Report],
    outcomes: Sequence[Outcome],
    settings: Settings,
    looks: Sequence[Outcome] = (),
    images: Sequence[ImageOutcome] = (),
    *,
    as_json: bool,
) -> None:
    """The table or JSON at the end of a fetch, and each failure in one line. ``looks`` are pages looked at again."""
    if as_json:
        print_json(reports_json(reports, outcomes, looks, images))
        return
    if reports:
        rows = [
            (r.feed, _status(r, settings), r.listed, r.new, r.known, r.failed, f"{r.seconds:.1f} s") for r in reports
        ]
        print_table(["feed", "status", "listed#", "new#", "known#", "failed#", "time#"], rows)
    for report in reports:
        if report.error:
            complain(f"{report.feed}: {report.error_kind}: {report.error}")
        if report.remark:
            complain(f"{report.feed}: {report.remark}")
    for outcome in outcomes:
        if outcome.error:
            complain(f"{masked(outcome.task.key)}: {outcome.error.kind}: {outcome.error}")
    fresh = [outcome for outcome in outcomes if outcome.fresh]
    if not reports:
        for outcome in fresh:
            complain(f"archived {masked(outcome.task.key)}: {outcome.article.title if outcome.article else ''}")
    failed = sum(outcome.error is not None for outcome in outcomes)
    complain(f"{len(fresh)} articles archived, {failed} failed")
    _show_looks(outcomes, looks)


def _show_looks(outcomes: Sequence[Outcome], looks: Sequence[Outcome]) -> None:
    """What became of pages that were read before."""
    for outcome in (*outcomes, *looks):
        if outcome.absence:
            complain(f"{masked(outcome.task.key)}: {outcome.absence}: {masked(outcome.task.entry.link or '')}")
    if looks:
        complain(f"{len(looks)} pages looked at again, {sum(look.fresh for look in looks)} edited")


def _status(report: Report, settings: Settings) -> str:
    if report.status == "held" and report.held_until:
        return f"held until {local(report.held_until, settings.timezone)}"
    return report.status


def reports_json(
    reports: Sequence[Report],
    outcomes: Sequence[Outcome],
    looks: Sequence[Outcome] = (),
    images: Sequence[ImageOutcome] = (),
) -> dict[str, object]:
    """What ``fetch --json`` prints."""
    rows = [
        {
            "feed": r.feed,
            "status": r.status,
            "listed": r.listed,
            "new": r.new,
            "known": r.known,
            "failed": r.failed,
            "seconds": round(r.seconds, 3),
            "held_until": iso(r.held_until) if r.held_until else None,
            "error": {"kind": r.error_kind, "message": r.error} if r.error_kind else None,
        }
        for r in reports
    ]
    errors = [
        {"key": o.task.key, "url": o.task.entry.link, "kind": o.error.kind, "message": str(o.error)}
        for o in outcomes
        if o.error
    ]
    totals = {
        "feeds": len(reports),
        "listed": sum(r.listed for r in reports),
        "new": sum(r.new for r in reports),
        "archived": sum(o.fresh for o in outcomes),
        "failed": len(errors),
        "rechecked": len(looks),
        "edited": sum(look.fresh for look in looks),
    }
    if images:
        failed = sum(one.error is not None for one in images)
        totals |= {"images": len(images) - failed, "images_failed": failed}
    return {"feeds": rows, "articles_failed": errors, "totals": totals}
