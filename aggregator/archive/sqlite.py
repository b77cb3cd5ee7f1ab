"""The archive in one SQLite file: one connection, used by one thread, behind async methods."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from aggregator.archive import (
    catching_up,
    chores,
    configured,
    deriving,
    dropping,
    enrolling,
    forgetting,
    health,
    images,
    importing,
    index,
    noting,
    rechecks,
    renaming,
    revisions,
    settling,
    symbols,
    turns,
    ways,
)
from aggregator.archive.backfilling import Backfill
from aggregator.archive.delivering import Deliveries
from aggregator.archive.deriving import Stored
from aggregator.archive.images import WaitingImage
from aggregator.archive.importing import Result, Taken
from aggregator.archive.lean import Database
from aggregator.archive.lock import WriterLock
from aggregator.archive.opening import explained, open_writer
from aggregator.archive.rechecks import Absence, Recheck
from aggregator.archive.retention import Due, Keep
from aggregator.archive.revisions import Revision
from aggregator.archive.tending import Tending
from aggregator.archive.together import Together, all_of
from aggregator.archive.turns import DueFeed
from aggregator.articles.rules import Rules
from aggregator.errors import AggregatorError
from aggregator.intervals import Chance, no_chance
from aggregator.markets import Session
from aggregator.model import Clock, Discovery, Feed, FeedState, Hold, Noted, Page, Pending, Settled, Signs

if TYPE_CHECKING:
    from aggregator.articles.verdict import Verdict

P = ParamSpec("P")
T = TypeVar("T")

# Commits. What SQLite learns of a smaller archive would make it read whole tables of what that becomes in one long run.
_GROWN = 1_000


class SqliteArchive:
    """The ``Archive`` over SQLite. Open it with ``SqliteArchive.open``, close it with ``close``.

    Every method may raise ``ArchiveError`` (``locked``, ``disk_full``, ``damaged`` …); what was committed stays.
    """

    def __init__(self, path: Path, clock: Clock, parser: str, rules: str, chance: Chance) -> None:
        self.path = path
        self._clock = clock
        self._chance = chance
        self._parser = parser
        self._rules = rules
        self._lock = WriterLock(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="archive")
        self._db: Database | None = None
        self._held: tuple[Hold, ...] = ()
        self._polls: Together[noting.Noting, Noted] = Together(lambda new: self._run(all_of, clock, new))
        self._settled: Together[settling.Settling, bool] = Together(lambda new: self._run(settling.settle, clock, new))
        self.deliveries = Deliveries(self._run, clock)
        self.backfill = Backfill(self._run, clock)
        self.tending = Tending(path, self._run, clock)

    @classmethod
    async def open(
        cls, path: Path, clock: Clock, *, parser: str, rules: str, chance: Chance = no_chance
    ) -> SqliteArchive:
        """Become the archive's one writer; creates the file if there is none.

        ``parser`` and ``rules`` are the versions stored with every revision. Work that newer rules may heal and
        leases of a writer that ended are given back. ``chance`` spreads the times at which feeds are asked.

        Raises:
            ArchiveError: ``locked`` (names the other process), ``missing``, ``no_rights``, ``not_an_archive``,
                ``newer_schema``.
        """
        archive = cls(path, clock, parser, rules, chance)
        await archive._in_thread(archive._begin)
        return archive

    def _begin(self) -> None:
        if self.path.parent.is_dir():
            self._lock.acquire()
        try:
            self._db = open_writer(self.path, self._clock())
            with explained(self.path):
                self._take_over(self._db)
        except BaseException:
            if self._db is not None:
                self._db.close()
            self._lock.release()
            self._thread.shutdown(wait=False)
            raise

    def _take_over(self, db: Database) -> None:
        """Give back leases nobody works on any more, and work that newer rules may heal."""
        settling.unclaim(db)
        images.unclaim(db)
        rechecks.unclaim(db)
        settling.revive(db, self._clock, self._rules)

    async def begin_again(self, rules: str) -> None:
        """As after closing and opening it, with these rules from now on; the archive stays this process's."""
        self._rules = rules
        await self._run(self._take_over)

    async def configured(self, place: str, refused: str | None) -> None:
        """Note why the configuration ``place`` is not in use, or that it is."""
        await self._run(configured.configured, self._clock, place, refused)

    async def close(self) -> None:
        """Finish what is being written, then let go of the file, also where that fails."""
        try:
            await self._polls.finished()
            await self._settled.finished()
            await self._in_thread(self._end)
        finally:
            self._thread.shutdown(wait=True)

    def _end(self) -> None:
        try:
            with explained(self.path):
                self._close()
        finally:
            self._lock.release()

    def _close(self) -> None:
        if self._db is None:
            return
        try:
            if _head(self._db) >= _GROWN:
                self._db.execute("PRAGMA optimize")
        finally:
            self._db.close()

    async def enrol(self, feeds: Sequence[Feed]) -> None:
        """Make the archive's feeds those of the configuration; others become inactive and keep their history."""
        await self._run(enrolling.enrol, self._clock, feeds)

    async def intend_rename(self, old: str, new: str) -> None:
        """Note a feed's new name, which it gets at the next ``enrol`` of a configuration that has it.

        Raises:
            ConfigError: there is something under the new name already.
        """
        await self._run(renaming.intend, old, new)

    async def enrol_unlisted(self, feed: Feed) -> None:
        """Make a home for articles that no feed announced."""
        await self._run(enrolling.enrol_unlisted, feed)

    async def state(self, feed: Feed) -> FeedState:
        """What is remembered of a feed."""
        return await self._run(health.state, feed)

    async def note(self, feed: Feed, found: Discovery) -> Noted:
        """Store one poll: its entries and the listing's validators, in one transaction with what ends with it."""
        return await self._polls.add(noting.Noting(self._clock, self._chance, feed, found))

    async def blame(self, feed: Feed, status: str, error: AggregatorError, page: Page | None) -> None:
        """Store a failed poll; the feed's validators stay as they were."""
        await self._run(noting.blame, self._clock, self._chance, feed, status, error, page)

    async def switch(self, feed: Feed, way: int, why: str, probe_at: datetime | None) -> None:
        """From now on ask a feed by another of its ways."""
        await self._run(ways.switch, self._clock, feed, way, why, probe_at)

    async def probed(self, feed: Feed, again: datetime) -> None:
        """Note that the first way does not answer yet, and when it is tried again."""
        await self._run(ways.probed, feed, again)

    async def postpone(self, feed: Feed, until: datetime) -> None:
        """Put a feed's next poll off to an instant, if it is due before."""
        await self._run(health.postpone, feed, until)

    async def due(self, feed: Feed | None = None) -> int:
        """How many articles wait for work now."""
        return await self._run(settling.due, self._clock, feed.name if feed else None)

    async def pending(self, feed: Feed | None = None, limit: int = 20) -> list[Pending]:
        """Claim the newest ``limit`` articles, in the order in which they were announced, under a lease."""
        return await self._run(settling.pending, self._clock, feed.name if feed else None, limit, self._rules)

    async def current(self, article: int) -> Revision | None:
        """An article's current revision; ``None`` before its first."""
        return await self._run(revisions.current, article)

    async def settle(self, task: Pending, done: Settled, verdict: Verdict | None = None) -> bool:
        """Store the article of a claimed task, with the verdict on its edit; whether it made a new revision.

        What is settled at about the same time is one transaction.
        """
        fresh = await self._settled.add(settling.Settling(self._clock, task, done, self._parser, verdict))
        if isinstance(done.page, Page):
            await self.tending.read(done.page.url)
        return fresh

    async def settle_all(self, ones: Sequence[tuple[Pending, Settled]]) -> list[bool | AggregatorError]:
        """Store articles of claimed tasks, none out of a page; of each as ``settle``, or why it is not stored."""
        changes = [settling.Settling(self._clock, task, done, self._parser) for task, done in ones]
        return await self._run(settling.settle, self._clock, changes)

    async def release(self, tasks: Sequence[Pending]) -> None:
        """Give back claimed tasks that nobody got to."""
        await self._run(settling.release, [task.article for task in tasks])

    async def drop(self, task: Pending, page: Page | int | None = None, signs: Signs | None = None) -> None:
        """Store that no feed wants a claimed task's article, and the page that was read to tell."""
        await self._run(dropping.drop, self._clock, task, page, signs)

    async def resift(self, drop: Sequence[int], keep: Sequence[int]) -> None:
        """Drop articles that wait, and let dropped ones wait; what is archived stays."""
        await self._run(dropping.resift, self._clock, drop, keep)

    async def fail(self, task: Pending, error: AggregatorError, page: Page | None) -> None:
        """Store why a claimed task failed, and when to try again."""
        await self._run(settling.fail, self._clock, task, error, page, self._rules)

    async def readable_again(self) -> list[Pending]:
        """The articles whose last page came whole but was not read, each with that page."""
        return await self._run(settling.readable_again)

    async def still_unread(self, task: Pending, error: AggregatorError) -> None:
        """Store that the rules of now find no more in a stored page than older ones did."""
        await self._run(settling.still_unread, task, error, self._rules)

    async def take_in(self, ones: Sequence[Taken]) -> list[Result]:
        """Store documents that are not known yet, in one transaction; what became of each."""
        return await self._run(importing.take_in, self._clock, ones, self._parser)

    async def catch_up(self, rules: Rules, limit: int = 50) -> int:
        """Index the next revisions for search, and link those that are reprints; how many there were."""
        return await self._run(catching_up.catch_up, self._clock, rules, limit)

    async def unindexed(self) -> int:
        """How many revisions are not in the index yet."""
        return await self._run(index.behind)

    async def clear_index(self) -> None:
        """Empty the index, so that all is indexed again."""
        await self._run(index.clear)

    async def merge_index(self) -> None:
        """Make the index one piece, which is smaller and faster."""
        await self._run(index.merge)

    async def chores(self, calendars: str | None) -> frozenset[str]:
        """What is left to do after a poll; ``calendars`` is the version of those at hand."""
        return await self._run(chores.chores, self._clock, calendars)

    async def calendars_wanted(self, version: str) -> datetime | None:
        """From when on trading sessions are to be filled in, ``None`` while those that are there will do."""
        return await self._run(symbols.calendars_wanted, self._clock, version)

    async def fill_sessions(self, version: str, sessions: Iterable[Session]) -> None:
        """Make these the known trading sessions."""
        await self._run(symbols.fill_sessions, self._clock, version, sessions)

    async def forget(self, article: int) -> None:
        """Erase an article; its keys stay. Raises ``ArchiveError`` (``locked``) while a reader keeps the log."""
        await self._run(forgetting.forget, self._clock, article)

    async def retain(self, kept: Mapping[str, Keep], removed: Keep) -> list[Due]:
        """Drop what is no longer kept of each feed, and of those that were removed; what it was."""
        return await self.tending.retain(kept, removed)

    async def revive(self, kind: str | None = None) -> int:
        """Give all failed and waiting work, or what failed with this kind, another round now; how much it was."""
        if kind is not None:
            return await self._run(settling.revive_kind, self._clock, kind)
        return await self._run(settling.revive, self._clock, None)

    async def rechecks_due(self, feed: Feed | None = None) -> int:
        """How many pages wait to be looked at again now."""
        return await self._run(rechecks.due, self._clock, feed.name if feed else None)

    async def rechecks(self, feed: Feed | None = None, limit: int = 20) -> list[Recheck]:
        """Claim up to ``limit`` articles whose page is to be looked at again, newest first, under a lease."""
        return await self._run(rechecks.claim, self._clock, feed.name if feed else None, limit)

    async def looked(self, task: Pending, page: Page) -> None:
        """Store that a page was found as it was."""
        await self._run(rechecks.looked, self._clock, task, page)

    async def settle_recheck(self, task: Pending, done: Settled, verdict: Verdict | None = None) -> bool:
        """Store what a page says when it is read again; whether the source has edited the article."""
        return await self._run(rechecks.settle, self._clock, task, done, self._parser, verdict)

    async def absent(self, task: Pending, found: Absence, *, worked: bool = False) -> str | None:
        """Store that an article's page is not there; "missing" at first, "gone" when a second look agrees."""
        return await self._run(rechecks.absent, self._clock, task, found, worked=worked)

    async def recheck_failed(self, task: Pending, error: AggregatorError) -> None:
        """Store that a look came to nothing; what is stored of the article stays as it is."""
        await self._run(rechecks.failed, self._clock, task, error)

    async def archived(self, feeds: Sequence[str]) -> int:
        """How many articles have a revision; with ``feeds`` those at home with one of them."""
        return await self._run(deriving.archived, feeds)

    async def following(self, article: int, feeds: Sequence[str]) -> Stored | None:
        """The current revision of the next article behind that one, with all it was made of."""
        return await self._run(deriving.following, article, feeds)

    async def outdated(self, article: int) -> Stored | None:
        """An article's current revision, if another parser or other rules made it than those of now."""
        return await self._run(deriving.outdated, article, self._parser, self._rules)

    async def derive(self, before: Stored, done: Settled) -> bool:
        """Store what a revision's page gives today as one of cause ``parser``; not if there is a newer one by now."""
        return await self._run(deriving.derive, self._clock, before, done, self._parser)

    async def due_images(self) -> int:
        """How many images wait for work now."""
        return await self._run(images.due, self._clock)

    async def show_images(self, article: int, urls: Sequence[str]) -> None:
        """Note which images an article shows; those nobody has asked for yet are handed out."""
        await self._run(images.show, self._clock, article, urls)

    async def pending_images(self, limit: int = 20) -> list[WaitingImage]:
        """Claim up to ``limit`` images, under a lease."""
        return await self._run(images.pending, self._clock, limit)

    async def keep_image(self, url: str, page: Page, media_type: str) -> None:
        """Store the image that a claimed address answered."""
        await self._run(images.keep, self._clock, url, page, media_type)

    async def fail_image(self, url: str, error: AggregatorError) -> None:
        """Store why a claimed address gave no image, and when to try again."""
        await self._run(images.fail, self._clock, url, error)

    async def revive_images(self, kind: str | None = None) -> int:
        """Give all failed and waiting images, or what failed with this kind, another round now; how many they were."""
        return await self._run(images.revive, self._clock, kind)

    async def hold(self, holds: Sequence[Hold]) -> None:
        """Remember which hosts want to be left alone; nothing is done where that is what was remembered last."""
        told = tuple(holds)
        if told != self._held:
            await self._run(settling.hold, told)
            self._held = told

    async def holds(self) -> list[Hold]:
        """The hosts that refused us at last."""
        return await self._run(settling.holds)

    async def head(self) -> int:
        """The number of the last commit, 0 in an archive without one."""
        return await self._run(_head)

    async def due_feeds(self, early: int = 0) -> list[DueFeed]:
        """The feeds that are due, longest waiting first; none paused, gone or claimed. ``early`` as in ``at``."""
        return await self._run(lambda db: turns.due(db, self._clock(), early))

    async def claim_feed(self, feed: Feed) -> None:
        """Give a feed's poll to the caller; it ends with what the poll notes, or after ``turns.LEASE``."""
        await self._run(lambda db: turns.claim(db, feed.name, self._clock()))

    async def unclaim_feed(self, feed: Feed) -> None:
        """Give back a poll that came to nothing."""
        await self._run(turns.unclaim, feed.name)

    async def _run(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        def call() -> T:
            assert self._db is not None, "the archive is not open"
            with explained(self.path):
                return work(self._db, *args, **kwargs)

        return await self._in_thread(call)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        # Shielded: once begun, a transaction ends, also when the task that asked for it is cancelled.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, call))


def _head(db: Database) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM commits").fetchone()[0])
