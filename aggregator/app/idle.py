"""The job that most runs from cron have: none."""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.archive.idle import Versions, is_idle
from aggregator.config import Settings
from aggregator.markets import calendars_version
from aggregator.model import Clock


def nothing_due(settings: Settings, names: Sequence[str], clock: Clock) -> bool:
    """Whether `fetch --due` of the feeds of these names, or of all, would find nothing to do.

    Answered without what polling takes. False where that is not certain, or the export may have something to write.
    """
    feeds = settings.feed_list()
    known = {feed.name for feed in feeds}
    if settings.export.hexo or not known.issuperset(names):
        return False
    versions = Versions(lambda: settings.site_rules().version, calendars_version)
    wanted = names or [feed.name for feed in feeds if feed.enabled]
    return is_idle(settings.archive, feeds, wanted, clock(), versions, robots=settings.network.robots)
