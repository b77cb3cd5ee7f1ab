"""The daemon: one tick a second over the feeds that are due. Due times live in the archive, not in the scheduler."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from aggregator.app import App, kept_for, open_app, poll_feed, utc_now
from aggregator.config import Settings
from aggregator.errors import AggregatorError
from aggregator.model import Clock, Feed, Report
from aggregator.pipeline import Budget, collect_images, told_images

TICK = 1.0  # seconds
GRACE = 4.0  # seconds a poll gets to end after SIGTERM; what it has not settled waits for the next start
REST = timedelta(seconds=30)  # after the archive refused (a full disk, say) before anything is tried again
AT_ONCE = 8  # feeds polled at the same time
IMAGES = 100  # that are fetched before the hosts' wishes are stored again

Say = Callable[[str], None]


async def serve(settings: Settings, say: Say, clock: Clock = utc_now, stop: asyncio.Event | None = None) -> None:
    """Poll every enabled feed when it is due, until SIGTERM, SIGINT or ``stop``.

    Raises:
        ArchiveError: the archive cannot be opened, or another process is writing to it (named).
    """
    ending = stop or asyncio.Event()
    async with open_app(settings, clock) as app:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        daemon = Daemon(app, say)
        scheduler = AsyncIOScheduler(timezone="UTC")
        # No run is ever dropped for being late, and a suspended hour is caught up by one tick.
        scheduler.add_job(
            daemon.tick, "interval", seconds=TICK, max_instances=1, coalesce=True, misfire_grace_time=None
        )
        scheduler.add_job(daemon.retain, "interval", days=1, next_run_time=clock(), misfire_grace_time=None)
        scheduler.start()
        say(f"polling {sum(feed.enabled for feed in app.desk.feeds.values())} feeds into {settings.archive}")
        try:
            await daemon.tick()
            await ending.wait()
        finally:
            scheduler.shutdown(wait=False)
            await daemon.drain()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
    say("stopped; nothing is lost")


class Daemon:
    """The polls under way. A feed is never polled twice at once."""

    def __init__(self, app: App, say: Say) -> None:
        self._app = app
        self._say = say
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._images: asyncio.Task[None] | None = None
        self._rest_until: datetime | None = None

    async def tick(self) -> None:
        """Start a poll of every feed that is due, as far as there is room; and, beside them, the images that wait."""
        if self._rest_until and self._app.desk.clock() < self._rest_until:
            return
        try:
            names = await self._app.archive.due_feeds()
            await self._tick_images()
        except AggregatorError as error:
            self._rest(error)
            return
        waiting = [name for name in names if name in self._app.desk.feeds and name not in self._polls]
        for name in waiting[: AT_ONCE - len(self._polls)]:
            task = asyncio.create_task(self._poll(self._app.desk.feeds[name]), name=name)
            self._polls[name] = task
            task.add_done_callback(self._ended)

    async def _tick_images(self) -> None:
        if (self._images is None or self._images.done()) and await self._app.archive.due_images():
            self._images = asyncio.create_task(self._collect_images())

    async def _collect_images(self) -> None:
        with suppress(asyncio.CancelledError):
            try:
                done = await collect_images(self._app.desk, Budget(IMAGES))
                await self._app.archive.hold(self._app.client.holds())
                self._say(told_images(done))
            except AggregatorError as error:
                self._rest(error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._polls.pop(task.get_name(), None)

    async def retain(self) -> None:
        """Drop what the configuration no longer keeps; by default that is nothing."""
        try:
            for due in await self._app.archive.retain(*kept_for(self._app.settings)):
                self._say(f"{due.feed}: {len(due.pages)} raw pages and {len(due.texts)} texts dropped")
        except AggregatorError as error:
            self._rest(error)

    async def drain(self) -> None:
        """End all polls: they get a moment to finish, then are cancelled; a transaction under way is completed."""
        polls = [*self._polls.values(), *([self._images] if self._images else [])]
        if not polls:
            return
        await asyncio.wait(polls, timeout=GRACE)
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)

    async def _poll(self, feed: Feed) -> None:
        with suppress(asyncio.CancelledError):
            try:
                self._say(told(await poll_feed(self._app, feed)))
            except AggregatorError as error:
                self._rest(error)

    def _rest(self, error: AggregatorError) -> None:
        self._rest_until = self._app.desk.clock() + REST
        self._say(f"{error.kind}: {error}; trying again in {REST.seconds} s")


def told(report: Report) -> str:
    """A poll in one line of the log."""
    numbers = f"{report.listed} listed, {report.new} new, {report.failed} failed, {report.seconds:.1f} s"
    remark = f"; {report.remark}" if report.remark else ""
    looks = f"; {report.looks[0]} looked at again, {report.looks[1]} edited" if report.looks[0] else ""
    return f"{report.feed}: {report.status}: {report.error or numbers}{looks}{remark}"
