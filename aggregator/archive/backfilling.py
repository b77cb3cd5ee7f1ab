"""Further pages of a list, noted: their entries are sightings as any, and a gap knows how far it was read back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from aggregator.archive import gaps, sweeping
from aggregator.archive.apart import storable
from aggregator.archive.lean import Database
from aggregator.archive.noting import known_articles, note_entries
from aggregator.archive.rows import Stamp, feed_id_of, transaction
from aggregator.model import Announced, Clock, Feed
from aggregator.text.dates import too_far_ahead
from aggregator.windows import End, Gap, Seen, Sheet, ended, overlaps

_CHUNK = 500  # values in one IN (…)
Run = Callable[..., Awaitable[Any]]


class Step(NamedTuple):
    """What one page came to: the page, how many entries were new, and the end if it is the last one."""

    sheet: Sheet
    new: int
    end: End | None


class Backfill:
    """What the flow asks of an archive when a list is read back; ``run`` calls a function over its connection."""

    def __init__(self, run: Run, clock: Clock) -> None:
        self._run = run
        self._clock = clock

    async def gaps(self, feed: Feed) -> list[Gap]:
        """The gaps of a feed that are still to be read back, newest first."""
        found: list[Gap] = await self._run(gaps.open_gaps, feed)
        return found

    async def ask(self, feed: Feed, since: datetime) -> None:
        """Have a feed's list read back to a time of publication."""
        await self._run(gaps.ask, self._clock, feed, since)

    async def late(self, feed: Feed) -> datetime | None:
        """How far back a feed's list is to be read now for what joined it late; ``None``: it is not time for that."""
        found: datetime | None = await self._run(sweeping.goal, self._clock, feed)
        return found

    async def swept(self, feed: Feed) -> None:
        """Note that a list was looked through for what joined it late."""
        await self._run(sweeping.swept, self._clock, feed)

    async def look(self, feed: Feed, page: int, found: Sequence[Announced]) -> Step:
        """Note one page of a feed's list, read for no gap."""
        done: Step = await self._run(look_through, self._clock, feed, page, found)
        return done

    async def note(self, feed: Feed, gap: Gap, page: int, found: Sequence[Announced], before: Sheet | None) -> Step:
        """Note one page of a feed's list, and what it means for a gap."""
        done: Step = await self._run(read_back, self._clock, feed, gap, page, found, before)
        return done

    async def stopped(self, gap: Gap, reason: str) -> None:
        """Note why a gap could not be read back further for now."""
        await self._run(gaps.stay_open, self._clock, gap, reason)

    async def give_up(self, gap: Gap, reason: str) -> None:
        """Note that what may be missing cannot be had."""
        await self._run(gaps.close_alone, self._clock, gap, End("lost", reason))


def read_back(
    db: Database, clock: Clock, feed: Feed, gap: Gap, page: int, found: Sequence[Announced], before: Sheet | None
) -> Step:
    """Note one page of a feed's list, and what it means for a gap, in one transaction.

    The feed's health, its pace and the validators of its listing stay as the last poll left them.
    """
    with transaction(db):
        feed_id, stamp = feed_id_of(db, feed.name), Stamp(db, clock)
        sheet = _sheet(page, found, clock)
        sheet = sheet._replace(known=(before is not None and before.known) or _was_known(db, feed_id, gap, found))
        new = note_entries(db, stamp, feed_id, found).new
        end = ended(gap, sheet, before)
        gaps.advance(db, gap, page, None if end and end.skips else sheet.reached, new)
        if end:
            gaps.close(db, stamp, gap, end)
        return Step(sheet, new, end)


def look_through(db: Database, clock: Clock, feed: Feed, page: int, found: Sequence[Announced]) -> Step:
    """Note one page of a feed's list, in one transaction."""
    with transaction(db):
        feed_id = feed_id_of(db, feed.name)
        new = note_entries(db, Stamp(db, clock), feed_id, found).new
        return Step(_sheet(page, found, clock), new, None)


def _sheet(page: int, found: Sequence[Announced], clock: Clock) -> Sheet:
    dates = (one.entry.published for one in found)
    return Sheet(
        page,
        frozenset(one.keys[0] for one in found),
        tuple(at for at in dates if at and not too_far_ahead(at, clock())),
    )


def _was_known(db: Database, feed_id: int, gap: Gap, found: Sequence[Announced]) -> bool:
    """Whether a page shows, in its place, an entry that the feed had announced before there was the gap."""
    names = known_articles(db, [one.keys[0] for one in found if storable(one.keys[0])])
    (commit,) = db.execute('SELECT "commit" FROM gaps WHERE id = ?', [gap.id]).fetchone()
    before = _announced_before(db, feed_id, commit, list(set(names.values())))
    return bool(before) and overlaps([Seen(names.get(one.keys[0]) in before, one.entry.published) for one in found])


def _announced_before(db: Database, feed_id: int, commit: int, articles: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(articles), _CHUNK):
        some = articles[start : start + _CHUNK]
        rows = db.execute(
            f'SELECT article FROM entries WHERE feed = ? AND "commit" < ? AND article IN ({",".join("?" * len(some))})',
            [feed_id, commit, *some],
        )
        found |= {article for (article,) in rows.fetchall()}
    return found
