"""The ways to a feed's news: its own listing, and others with the same news for as long as that one's host refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.errors import ArchiveError, FetchError, ParseError, masked
from aggregator.model import Feed, FeedState, Report
from aggregator.pipeline.backfill import PAGES, Follow, backfill
from aggregator.pipeline.desk import Desk
from aggregator.pipeline.discover import Trace, ask, asked, noted
from aggregator.text.urls import host_of, same_origin

REFUSALS = 3  # in a row, after which the next way is asked
PROBE_EVERY = timedelta(hours=1)
_REFUSED = frozenset({"blocked", "rate_limited", "connect", "timeout", "dns", "tls"})


async def discover(
    desk: Desk, feed: Feed, *, revive: bool = True, pages: int | None = PAGES, follow: Follow | None = None
) -> Report:
    """Bring a feed's listing up to date, and read its list back where something may be missing.

    ``revive``: ask also a feed whose server said that it is gone for good. At most so many further ``pages`` are read,
    and ``follow`` is told of each.
    """
    report = await _listing(desk, feed, revive=revive)
    if not report.behind:
        return report
    state = await desk.archive.state(feed)
    return replace(await backfill(desk, on_way(feed, state.way), report, pages, follow), waiting=True)


async def _listing(desk: Desk, feed: Feed, *, revive: bool) -> Report:
    """Ask for a feed's listing, by the way in use, which is left at once when it refuses too often."""
    if not feed.fallback:
        return await ask(desk, feed, revive=revive)
    state = await desk.archive.state(feed)
    if state.way and state.probe_at and state.probe_at <= desk.clock():
        back = await _taken_back(desk, feed, state)
        if back or (state.due and state.due > desk.clock()):
            return back or Report(feed.name, "degraded", remark=f"the first source still refuses: {_shown(feed, 0)}")
    report = await ask(desk, on_way(feed, state.way), revive=revive)
    return await _elsewhere(desk, feed, report)


def on_way(feed: Feed, way: int) -> Feed:
    """A feed as it is asked by one of its ways; its headers, proxy and encoding stay with its own host."""
    if way == 0:
        return feed
    other = feed.fallback[way - 1]
    at_home = same_origin(feed.url, other.url)
    headers, proxy = (feed.headers, feed.proxy) if at_home else ({}, None)
    encoding = feed.encoding if host_of(feed.url) == host_of(other.url) else None
    where = replace(feed, source=other.source, url=other.url, zone=other.zone, way=way)
    return replace(where, headers=headers, proxy=proxy, encoding=encoding)


async def _elsewhere(desk: Desk, feed: Feed, report: Report) -> Report:
    """The report, or that of the next way when this one has refused too often; each is asked once at most."""
    state = await desk.archive.state(feed)
    remarks = [report.remark]
    for way in _others(feed, state.way):
        if not _has_refused(desk, report, state):
            break
        if _held(desk, host_of(feed.fallback[way - 1].url)):
            continue
        why = (
            f"{state.host} refused {REFUSALS} times ({state.error_kind or 'held'}); asked instead: {_shown(feed, way)}"
        )
        probe_at = state.probe_at or max(desk.clock() + PROBE_EVERY, state.held_until or desk.clock())
        await desk.archive.switch(feed, way, why, probe_at)
        report = await ask(desk, on_way(feed, way))
        remarks += [why, report.remark]
        state = await desk.archive.state(feed)
    return replace(report, remark="; ".join(filter(None, remarks)) or None)


def _others(feed: Feed, way: int) -> Iterator[int]:
    """The ways behind the one in use, then those before it; the first is probed, not asked in turn."""
    yield from range(way + 1, len(feed.fallback) + 1)
    yield from range(1, way)


def _has_refused(desk: Desk, report: Report, state: FeedState) -> bool:
    if report.status != "held" and report.error_kind not in _REFUSED:
        return False
    of_host = max((hold.failures for hold in desk.holds() if hold.host == state.host), default=0)
    return of_host >= REFUSALS or (state.failures >= REFUSALS and state.error_kind in _REFUSED)


def _held(desk: Desk, host: str) -> bool:
    now = desk.clock()
    return any(hold.until and hold.until > now for hold in desk.holds() if hold.host == host)


async def _taken_back(desk: Desk, feed: Feed, state: FeedState) -> Report | None:
    """Try the first way; if it answers with news that can be read, it is the one in use again."""
    started = desk.clock()
    try:
        found = await asked(desk, feed, FeedState(newest=state.newest), Trace())
    except ArchiveError:
        raise
    except (FetchError, ParseError) as error:
        await desk.archive.probed(feed, _again(desk.clock(), error))
        return None
    if not found.entries:
        await desk.archive.probed(feed, desk.clock() + PROBE_EVERY)
        return None
    why = f"the first source answers again: {_shown(feed, 0)}"
    await desk.archive.switch(feed, 0, why, None)
    report = await noted(desk, feed, found, started)
    return replace(report, remark="; ".join(filter(None, (why, report.remark))))


def _again(now: datetime, error: FetchError | ParseError) -> datetime:
    """In an hour, or later if the server wants; when the host may be asked again, if it could not be asked at all."""
    wanted = error.retry_at if isinstance(error, FetchError) else None
    if wanted and error.kind == "held":
        return wanted
    return max(now + PROBE_EVERY, wanted or now)


def _shown(feed: Feed, way: int) -> str:
    return masked(feed.fallback[way - 1].url if way else feed.url)
