"""Reading a list back: the pages behind a listing, until one shows what was known, or no more can be had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aggregator.archive.backfilling import Step
from aggregator.errors import ArchiveError, FetchError, ParseError
from aggregator.model import Announced, Feed, Listing, Page, Report
from aggregator.pipeline.desk import Desk
from aggregator.pipeline.discover import announced
from aggregator.sources import SOURCES
from aggregator.sources.people import redacted
from aggregator.sources.questions import further_request, has_further
from aggregator.sources.spelling import listing_as_told
from aggregator.windows import SWEEP, Gap, Sheet

PAGES = 20  # of a list that are read back after one poll; the rest after the next ones
ONE_PAGE = "its list has one page only: what fell off it cannot be asked for"


@dataclass(frozen=True, slots=True)
class Read:
    """One page of a list that was read back for a gap."""

    feed: str
    gap: Gap
    page: int
    listed: int
    new: int
    reached: datetime | None


Follow = Callable[[Read], None]


@dataclass(slots=True)
class _Tally:
    """What reading back came to so far, and how many pages may still be read; ``None`` is no limit."""

    left: int | None
    listed: int = 0
    new: int = 0
    said: str = ""


async def backfill(desk: Desk, feed: Feed, report: Report, most: int | None, follow: Follow | None = None) -> Report:
    """Read a feed's list back for its open gaps, and for what joined it late; the report with what came of it.

    Gaps are read back the newest first, at most so many pages in all.
    ``feed`` is as it is asked now, by whatever way. What cannot be read now is tried again at the next poll; only
    ``ArchiveError`` is raised. ``follow`` is told of every page.
    """
    tally = _Tally(most)
    said: list[str | None] = [report.remark]
    done = False
    gaps = await desk.archive.backfill.gaps(feed)
    for gap in gaps:
        done = await _read_back(desk, feed, gap, tally, follow)
        what = "what may be missing since" if gap.cause == "no overlap" else "its list back to"
        said.append(f"{what} {gap.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {tally.said}")
        if not done:
            break
    if not done:  # else at the next poll: the same pages were just read
        said.append(await _swept(desk, feed, tally, gaps))
    remark = "; ".join(filter(None, said)) or None
    listed, new = report.listed + tally.listed, report.new + tally.new
    return replace(report, listed=listed, new=new, known=listed - new, remark=remark)


async def _read_back(desk: Desk, feed: Feed, gap: Gap, tally: _Tally, follow: Follow | None) -> bool:
    """Read a list back for one gap; whether that came to an end."""
    if not has_further(feed):
        tally.said = ONE_PAGE
        if not feed.way:  # else its own list may have more, once it answers again
            await desk.archive.backfill.give_up(gap, ONE_PAGE)
        return True
    # The last page is read once more: what was taken out of the list since has moved others onto it.
    page, before = max(gap.page, 2), None
    while tally.left is None or tally.left > 0:
        try:
            found = await _page(desk, feed, page)
        except ArchiveError:
            raise
        except (FetchError, ParseError) as error:
            tally.said = f"page {page} of its list: {error.kind}: {error}"
            await desk.archive.backfill.stopped(gap, tally.said)
            return False
        step = await desk.archive.backfill.note(feed, gap, page, found, before)
        _count(tally, found, step)
        if follow:
            follow(Read(feed.name, gap, page, len(found), step.new, step.sheet.reached))
        if step.end:
            tally.said = f"{step.end.state}, {step.end.reason}"
            return True
        page, before = page + 1, step.sheet
    tally.said = f"read back to page {page - 1}, the rest after the next polls"
    return False


async def _swept(desk: Desk, feed: Feed, tally: _Tally, gaps: Sequence[Gap]) -> str | None:
    """Look a list through for what joined it late, if it is time for that; what is to be said of it.

    Where ``gaps`` stay open, down to the newest of them: what lies behind is theirs.
    """
    goal = await desk.archive.backfill.late(feed)
    if goal is None or (gaps and desk.clock() - gaps[0].until < SWEEP):
        return None
    goal = max([goal, *(one.reached or one.until for one in gaps[:1])])
    page, before, new = 2, None, tally.new
    while has_further(feed) and page <= PAGES:
        try:
            found = await _page(desk, feed, page)
        except ArchiveError:
            raise
        except (FetchError, ParseError):
            return None  # at the next poll, then
        step = await desk.archive.backfill.look(feed, page, found)
        _count(tally, found, step)
        if _looked_through(step.sheet, before, goal):
            break
        page, before = page + 1, step.sheet
    await desk.archive.backfill.swept(feed)
    found_late = tally.new - new
    return f"{found_late} entries found behind the first page of its list" if found_late else None


def _looked_through(sheet: Sheet, before: Sheet | None, goal: datetime) -> bool:
    """Whether the pages reach back far enough, or there are no more."""
    if sheet.reached is None or (before and sheet.keys <= before.keys):
        return True
    return sheet.reached <= goal


def _count(tally: _Tally, found: tuple[Announced, ...], step: Step) -> None:
    tally.listed, tally.new = tally.listed + len(found), tally.new + step.new
    if tally.left is not None:
        tally.left -= 1


async def _page(desk: Desk, feed: Feed, number: int) -> tuple[Announced, ...]:
    """The entries of one page of a feed's list. Raises ``FetchError``, ``ParseError``."""
    page = redacted(await desk.fetch(further_request(feed, number)))
    listing = await desk.work(_read, listing_as_told(feed, page), feed.source, feed.zone)
    return await announced(desk, feed, listing)


def _read(page: Page, source: str, zone: str | None) -> Listing:
    return SOURCES[source].parse(page, zone)
