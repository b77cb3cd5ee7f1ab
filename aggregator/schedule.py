"""The daemon's work: a tick a second over feeds that are due. Due times live in the archive, not in the scheduler."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from aggregator.app import App, Fetched, poll_feed, told
from aggregator.app.polling import AT_ONCE
from aggregator.archive import DueFeed
from aggregator.errors import AggregatorError
from aggregator.logs import Log
from aggregator.model import Feed, Report
from aggregator.pipeline import Budget, Outcome, collect_images, told_images
from aggregator.upkeep import LOOK, Upkeep

TICK = 1.0  # seconds
REST = timedelta(seconds=30)  # after the archive refused (a full disk, say) before anything is tried again
AT_ONE_HOST = 4  # polls: a host that answers slowly or not at all must not hold the turns of the others
IMAGES = 100  # that are fetched before the hosts' wishes are stored again


@dataclass(frozen=True, slots=True)
class _Asked:
    """A poll that somebody wants now, and waits for."""

    feed: Feed
    budget: Budget
    revive: bool
    done: asyncio.Future[Fetched]


class Watcher:
    """Who is told what the daemon does, for others to see; this one tells nobody."""

    def ticked(self) -> None:
        """A tick came to its end."""

    def polled(self, report: Report, outcomes: Sequence[Outcome]) -> None:
        """A poll ended, with the articles that were attempted in it."""

    def refused(self, error: AggregatorError) -> None:
        """The archive took nothing; it is left alone for a while."""


class Daemon:
    """The polls under way. A feed is never polled twice at once."""

    def __init__(self, app: App, log: Log, watcher: Watcher | None = None) -> None:
        self._app = app
        self._watcher = watcher or Watcher()
        self._log = log
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._hosts: dict[str, str] = {}  # of the polls that were due, by feed
        self._stopping = False
        self._images: asyncio.Task[None] | None = None
        self._upkeep = Upkeep(app, log)
        self._rest_until: datetime | None = None
        self._asked: list[_Asked] = []
        self._due: list[DueFeed] = []  # at the last tick, longest waiting first
        self._clockwork: asyncio.TimerHandle | None = None

    def ask(self, feed: Feed, budget: Budget, *, revive: bool = False) -> asyncio.Future[Fetched]:
        """Have a feed polled at the next tick, whether it is due or not; what comes of it.

        It is cancelled when the daemon ends first. ``budget`` and ``revive`` as in ``poll_feed``.
        """
        asked = _Asked(feed, budget, revive, asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        return asked.done

    @property
    def under_way(self) -> int:
        """How many polls have begun and not ended."""
        return len(self._polls)

    async def start(self) -> None:
        """Poll what is due, now and from now on."""
        # No run is ever dropped for being late, and a suspended hour is caught up by one tick.
        self._scheduler.add_job(
            self.tick, "interval", seconds=TICK, max_instances=1, coalesce=True, misfire_grace_time=None
        )
        self._scheduler.add_job(
            self._keep_up, "interval", seconds=LOOK, max_instances=1, coalesce=True, misfire_grace_time=None
        )
        self._scheduler.start()
        self._mind_the_clock()
        await self.tick()
        await self._keep_up()

    def _mind_the_clock(self) -> None:
        """Run at once what is further ahead than its interval: the clock was set back, and nobody should wait for it.

        The scheduler goes by the clock; this goes by the loop's time, which nobody sets.
        """
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time and job.next_run_time - now > job.trigger.interval:
                job.modify(next_run_time=now)
        self._clockwork = asyncio.get_running_loop().call_later(TICK, self._mind_the_clock)

    async def stop(self, grace: float) -> int:
        """Begin no more, and ``drain``; how many polls were cut short."""
        if self._clockwork:
            self._clockwork.cancel()
        self._scheduler.pause()
        try:
            await self._upkeep.stop()
            return await self.drain(grace)
        finally:
            self._scheduler.shutdown(wait=False)

    async def tick(self) -> None:
        """Start a poll of every feed that is due, as far as there is room; and, beside them, the images that wait."""
        await self._tick()
        self._watcher.ticked()

    async def _tick(self) -> None:
        if self._resting():
            return
        try:
            self._due = await self._app.archive.due_feeds()
            await self._tick_images()
        except AggregatorError as error:
            self._rest(error)
            return
        self._fill()

    def _fill(self) -> None:
        """Begin as many of the polls that are asked for or due as there is room for."""
        for asked in [one for one in self._asked if one.feed.name not in self._polls][: AT_ONCE - len(self._polls)]:
            self._asked.remove(asked)
            self._begin(asked.feed, asked)
        feeds = self._app.desk.feeds
        self._due = [one for one in self._due if one.name in feeds and one.name not in self._polls]
        for due in fair(self._due, self._hosts.values(), AT_ONCE - len(self._polls)):
            self._hosts[due.name] = due.host
            self._begin(feeds[due.name])

    def _begin(self, feed: Feed, asked: _Asked | None = None) -> None:
        task = asyncio.create_task(self._poll(feed, asked), name=feed.name)
        self._polls[feed.name] = task
        task.add_done_callback(self._ended)

    async def _tick_images(self) -> None:
        if (self._images is None or self._images.done()) and await self._app.archive.due_images():
            self._images = asyncio.create_task(self._collect_images())

    async def _collect_images(self) -> None:
        with suppress(asyncio.CancelledError):
            try:
                done = await collect_images(self._app.desk, Budget(IMAGES))
                await self._app.archive.hold(self._app.client.holds())
                self._log.info("images.fetched", message=told_images(done))
            except AggregatorError as error:
                self._rest(error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._polls.pop(task.get_name(), None)
        self._hosts.pop(task.get_name(), None)
        self._due = [one for one in self._due if one.name != task.get_name()]
        if not (self._stopping or self._resting()):
            self._fill()  # no tick is waited for: a thousand feeds may be due

    async def _keep_up(self) -> None:
        """Begin the archive's own jobs that are due."""
        with suppress(AggregatorError):  # the polls tell it, and rest
            await self._upkeep.tick()

    async def drain(self, grace: float = 60.0) -> int:
        """End all polls: they get so many seconds, then are cancelled; a transaction under way is completed.

        Returns how many were cancelled.
        """
        self._stopping = True
        for asked in self._asked:
            asked.done.cancel()
        polls = [*self._polls.values(), *([self._images] if self._images else [])]
        late = (await asyncio.wait(polls, timeout=grace))[1] if polls else set()
        for poll in late:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)
        self._stopping = False
        return len(late)

    async def _poll(self, feed: Feed, asked: _Asked | None = None) -> None:
        budget, revive = (asked.budget, asked.revive) if asked else (None, False)
        outcomes: list[Outcome] = []
        looks: list[Outcome] = []
        try:
            await self._app.archive.claim_feed(feed)
            report = await poll_feed(self._app, feed, budget, outcomes.append, looks.append, revive=revive)
            self._tell(report)
            self._watcher.polled(report, outcomes)
            if asked and not asked.done.done():
                asked.done.set_result(Fetched((report,), told(outcomes), told(looks)))
        except asyncio.CancelledError:
            if asked:
                asked.done.cancel()
            await self._app.archive.unclaim_feed(feed)
        except AggregatorError as error:
            self._rest(error)
            if asked and not asked.done.done():
                asked.done.set_exception(error)
        except Exception as error:  # a mistake of ours: the other feeds go on, and this one when its lease is over
            self._log.error("poll.crashed", feed=feed.name, error=repr(error), exc_info=error)
            if asked and not asked.done.done():
                asked.done.set_exception(AggregatorError(f"the poll of {feed.name} crashed: {error!r}", kind="crashed"))

    def _resting(self) -> bool:
        return self._rest_until is not None and self._app.desk.clock() < self._rest_until

    def _rest(self, error: AggregatorError) -> None:
        self._rest_until = self._app.desk.clock() + REST
        self._watcher.refused(error)
        self._log.error("archive.refused", kind=error.kind, error=str(error), again_in=REST.total_seconds())

    def _tell(self, report: Report) -> None:
        """A poll in one line of the log."""
        told = {name: getattr(report, name) for name in ("feed", "status", "listed", "new", "failed")}
        told["seconds"] = round(report.seconds, 3)
        told |= {"looked_at": report.looks[0], "edited": report.looks[1]} if report.looks[0] else {}
        told |= {"kind": report.error_kind, "error": report.error} if report.error else {}
        told |= {"remark": report.remark} if report.remark else {}
        say = self._log.warning if report.error or report.failed else self._log.info
        say("feed.polled", **told)


def fair(due: Iterable[DueFeed], busy: Iterable[str], room: int) -> list[DueFeed]:
    """Which feeds are polled next, of those that are due: in their order, but no host has more than its share.

    ``busy`` are the hosts of the polls under way, one each; ``room`` is how many more there may be.
    """
    count = Counter(busy)
    chosen: list[DueFeed] = []
    for one in due:
        if len(chosen) < room and count[one.host] < AT_ONE_HOST:
            count[one.host] += 1
            chosen.append(one)
    return chosen
