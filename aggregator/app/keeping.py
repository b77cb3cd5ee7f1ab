"""The jobs that change what is stored and ask nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from aggregator import __version__
from aggregator.app.clock import utc_now
from aggregator.app.opening import open_app
from aggregator.app.polling import chosen
from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.forgetting import Plan
from aggregator.archive.retention import Due, Keep
from aggregator.archive.revisions import IMPORTED
from aggregator.config import UNFILED, Settings
from aggregator.export.hexo import withdraw
from aggregator.model import Clock, Feed
from aggregator.pipeline import Change, changes


async def rename_feed(
    before: Settings, after: Settings, old: str, new: str, write: Callable[[], None], clock: Clock = utc_now
) -> None:
    """Give a feed another name: ``write`` changes the configuration from ``before`` to ``after``.

    Where this is cut short, the next command that opens the archive ends it, one way or the other.

    Raises:
        ConfigError: the archive keeps another feed's history under the new name, or ``write`` fails.
        ArchiveError: it is in use, or cannot be written.
    """
    if not before.archive.exists():
        write()
        return
    archive = await SqliteArchive.open(before.archive, clock, parser=__version__, rules=before.site_rules().version)
    try:
        await archive.enrol(before.feed_list())
        await archive.intend_rename(old, new)
        write()
        await archive.enrol(after.feed_list())
    finally:
        await archive.close()


async def reindex(settings: Settings, watch: Callable[[int, int], None], clock: Clock = utc_now) -> int:
    """Make the index for search again from what is stored; how many revisions it has. ``watch`` is told done and all.

    Cut short, it is gone on with by the next ``fetch``, or begun again by the next ``reindex``.

    Raises:
        ArchiveError: the archive is in use, or cannot be written.
    """
    rules = settings.site_rules()
    archive = await SqliteArchive.open(settings.archive, clock, parser=__version__, rules=rules.version)
    try:
        await archive.clear_index()
        total = await archive.unindexed()
        while await archive.catch_up(rules, 1_000):
            watch(total - await archive.unindexed(), total)
        await archive.merge_index()
        return total
    finally:
        await archive.close()


def sift(settings: Settings, names: Sequence[str]) -> list[Change]:
    """What the feeds' ``keep`` and ``drop`` do to what is stored; nothing is changed or fetched.

    Raises:
        ConfigError: no feed has such a name.
        ArchiveError: there is no archive.
    """
    feeds = {feed.name: feed for feed in settings.feed_list()}
    wanted = [feed.name for feed in chosen(settings, names)] if names else []
    with Reader(settings.archive) as reader:
        return list(changes(feeds, wanted, reader.sighted(), reader.stored, settings.site_rules()))


async def sift_again(settings: Settings, names: Sequence[str]) -> list[Change]:
    """``sift``, and drop what waits, let wait what was dropped; what is archived stays.

    Raises:
        ConfigError: no feed has such a name.
        ArchiveError: there is no archive, or it cannot be written.
    """
    async with open_app(settings) as app:
        found = sift(settings, names)
        await app.archive.resift(
            [one.article for one in found if one.verb == "drop"], [one.article for one in found if one.verb == "keep"]
        )
        return found


async def forget(settings: Settings, plan: Plan, clock: Clock = utc_now) -> Path | None:
    """Erase an article from the archive and from the configured Hexo folder.

    Returns the exported file that was left, because what stands in it is not what the archive rendered.

    Raises:
        ArchiveError: it cannot be written, or a reader keeps the log of what was before.
    """
    archive = await SqliteArchive.open(settings.archive, clock, parser=__version__, rules=settings.site_rules().version)
    try:
        left = withdraw(plan.file, plan.document, settings.export.hexo.dir) if settings.export.hexo else None
        await archive.forget(plan.article)
    finally:
        await archive.close()
    return left


def home_of_imports() -> Feed:
    """The feed that documents of other programs are filed at: never polled, its articles keep their own categories."""
    return Feed(name=IMPORTED, source="import", url="", categories=(UNFILED, UNFILED, UNFILED))


def kept_for(settings: Settings) -> tuple[dict[str, Keep], Keep]:
    """For how long each feed is kept, and those that were removed from the configuration."""
    rows, rest = settings.retention(), settings.defaults.retention
    return {name: Keep(row.pages, row.texts) for name, row in rows.items()}, Keep(rest.pages, rest.texts)


async def retain(settings: Settings, clock: Clock = utc_now) -> list[Due]:
    """Drop what is no longer kept; what it was."""
    archive = await SqliteArchive.open(settings.archive, clock, parser=__version__, rules=settings.site_rules().version)
    try:
        return await archive.retain(*kept_for(settings))
    finally:
        await archive.close()
