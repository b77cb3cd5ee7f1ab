"""The flow: bring one feed up to date. It knows no socket and no SQL; both are handed to it.

``poll`` = ``discover`` (what does the listing announce?) + ``collect`` (turn announced entries into articles). The
archive stands between the halves, so what was announced is never lost, whatever happens to its page.
"""

from __future__ import annotations

from dataclasses import replace

from aggregator.model import Feed, Report
from aggregator.pipeline.backfill import Follow, Read
from aggregator.pipeline.collect import collect, heal
from aggregator.pipeline.deriving import Derived, renormalise
from aggregator.pipeline.desk import Budget, Desk, Outcome, Watch, Work, inline
from aggregator.pipeline.discover import status_of
from aggregator.pipeline.images import ImageOutcome, collect_images
from aggregator.pipeline.images import told as told_images
from aggregator.pipeline.recheck import recheck
from aggregator.pipeline.routes import discover
from aggregator.pipeline.sifting import Change, changes

__all__ = [
    "Budget",
    "Change",
    "Derived",
    "Desk",
    "Follow",
    "ImageOutcome",
    "Outcome",
    "Read",
    "Watch",
    "Work",
    "changes",
    "collect",
    "collect_images",
    "discover",
    "heal",
    "inline",
    "poll",
    "recheck",
    "renormalise",
    "status_of",
    "told_images",
]


async def poll(
    desk: Desk, feed: Feed, budget: Budget | None = None, watch: Watch | None = None, *, revive: bool = True
) -> Report:
    """Bring one feed up to date: its listing, then every article of it that is waiting.

    A failure of the listing or of an article is stored, and told in the report; only ``ArchiveError`` is raised.
    ``revive``: ask it also when its server said that it is gone for good.
    """
    report = await discover(desk, feed, revive=revive)
    outcomes = await collect(desk, feed, budget, watch) if report.waiting else []
    return replace(report, failed=sum(outcome.error is not None for outcome in outcomes))
