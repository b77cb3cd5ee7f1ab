"""The daemon's life: it starts, reads its configuration again when it is told to, and ends with its state saved."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from aggregator.app import App, open_archive, staffed, utc_now
from aggregator.archive import SqliteArchive
from aggregator.config import Settings
from aggregator.control import answering as answering_beside
from aggregator.errands import done_by
from aggregator.errors import AggregatorError, ConfigError
from aggregator.hooks import Surroundings, hooks_of, sink_of, telling
from aggregator.logs import Log
from aggregator.model import Clock, Report
from aggregator.observe import Metrics, Pulse, answering, beating
from aggregator.pipeline import Outcome
from aggregator.schedule import Daemon, Watcher
from aggregator.signals import Signals
from aggregator.systemd import Notifier

GRACE = 2.5  # seconds that polls get to end in; what they have not settled waits for the next start
LONGEST = 4.5  # seconds after SIGTERM in which the process is gone, whatever it does; what it promises is 5


class Watch(Watcher):
    """What is seen of the daemon from outside."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        metrics.begin()

    def ticked(self) -> None:
        """The schedule works."""
        self.metrics.pulse.beat("tick")

    def polled(self, report: Report, outcomes: Sequence[Outcome]) -> None:
        """A poll ended, and was stored."""
        self.metrics.pulse.refuse("writing", None)
        self.metrics.polled(report, outcomes)

    def refused(self, error: AggregatorError) -> None:
        """The archive takes nothing."""
        self.metrics.pulse.refuse("writing", str(error))


@dataclass(frozen=True, slots=True)
class Service:
    """The daemon in its surroundings: where its configuration is and how it is read, who is told, who tells it what.

    While ``reread`` raises ``ConfigError``, the configuration in use stays in use.
    """

    place: str
    reread: Callable[[], Settings]
    log: Log
    signals: Signals
    notifier: Notifier
    clock: Clock = utc_now

    async def run(self, settings: Settings) -> None:
        """Poll every enabled feed when it is due, until it is told to end.

        Raises:
            ArchiveError: the archive cannot be opened, or another process is writing to it (named).
        """
        self.signals.attach()
        archive = await open_archive(settings, self.clock)
        watch = Watch(Metrics(archive.path, self.clock, Pulse()))
        try:
            async with self._watched(archive), beating(watch.metrics.pulse, archive.head):
                await archive.configured(self.place, None)
                while not self.signals.ending.is_set():
                    settings = await self._live(settings, archive, watch)
        finally:
            await archive.close()
        self.log.info("daemon.stopped")

    @asynccontextmanager
    async def _watched(self, archive: SqliteArchive) -> AsyncIterator[None]:
        """Tell systemd's watchdog that the loop and the archive's thread work.

        The loop's clock is the one systemd goes by: it cannot be set, and stands while the machine sleeps.
        """

        async def tell(seconds: float) -> None:
            while True:
                with suppress(AggregatorError):  # a full disk is not cured by a new start
                    await archive.head()
                self.notifier.alive()
                await asyncio.sleep(seconds)

        telling = asyncio.create_task(tell(self.notifier.watchdog / 4)) if self.notifier.watchdog else None
        try:
            yield
        finally:
            if telling:
                telling.cancel()

    async def _live(self, settings: Settings, archive: SqliteArchive, watch: Watch) -> Settings:
        """Poll by one configuration until the daemon ends or another one is to be used: that one."""
        seen, crew = self._seen(settings, watch), staffed(settings, archive, self.clock, beside=True)
        async with seen, crew as app, self._telling(app):
            daemon = Daemon(app, self.log, watch)
            watch.metrics.under_way = lambda: daemon.under_way
            feeds = sum(feed.enabled for feed in app.desk.feeds.values())
            self.log.info("daemon.started", feeds=feeds, archive=str(settings.archive), process=os.getpid())
            for warning in settings.warnings():
                self.log.warning("config.doubtful", message=warning)
            await daemon.start()
            try:
                async with self._asked(app, daemon):
                    fresh = await self._until_told(settings, archive, f"polling {feeds} feeds into {settings.archive}")
            finally:
                watch.metrics.pulse.rest("tick")
                cut = await daemon.stop(GRACE)
                self.log.info("daemon.drained", cut_short=cut)
        if fresh is None:
            return settings
        await archive.begin_again(fresh.site_rules().version)
        return fresh

    @asynccontextmanager
    async def _seen(self, settings: Settings, watch: Watch) -> AsyncIterator[None]:
        """Answer who watches the daemon from outside, where the configuration says so; without it, it works as well."""
        async with AsyncExitStack() as stack:
            if listen := settings.observe.listen:
                try:
                    public = settings.observe.public
                    address = await stack.enter_async_context(answering(watch.metrics, listen, by_name=public))
                    self.log.info("observe.listening", address=address)
                except OSError as error:
                    self.log.error("observe.unavailable", address=f"{listen[0]} port {listen[1]}", error=error)
            yield

    def _telling(self, app: App) -> AbstractAsyncContextManager[None]:
        """Tell others what is archived, as the configuration's hooks say."""
        around = Surroundings(app.archive, app.desk.rules, self.log, self.clock, random.random)
        hooks = hooks_of(app.settings)
        return telling(
            [(hook, sink_of(hook, app.archive.path, app.client.post, os.environ, self.clock)) for hook in hooks], around
        )

    @asynccontextmanager
    async def _asked(self, app: App, daemon: Daemon) -> AsyncIterator[None]:
        """Do what `fetch` asks for; where it cannot ask, it is told who writes to the archive."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(answering_beside(app.settings.archive, partial(done_by, app, daemon)))
            except OSError as error:
                self.log.warning("control.unavailable", error=error)
            yield

    async def _until_told(self, settings: Settings, archive: SqliteArchive, status: str) -> Settings | None:
        """Wait for another configuration, or (``None``) for the end."""
        while True:
            self.notifier.ready(status)
            await _first(self.signals.ending, self.signals.reloading)
            if self.signals.ending.is_set():
                self.log.info("daemon.ending", within=LONGEST)
                self.notifier.stopping()
                return None
            self.signals.reloading.clear()
            self.notifier.reloading()
            if fresh := await self._reloaded(settings, archive):
                return fresh

    async def _reloaded(self, settings: Settings, archive: SqliteArchive) -> Settings | None:
        """The configuration as it is now, ``None`` if it is wrong or says nothing new; either is logged and stored."""
        try:
            fresh = await asyncio.to_thread(self.reread)
        except ConfigError as error:
            mistakes = error.message.split("\n") if "\n" in error.message else [str(error)]
            self.log.error("config.refused", mistakes=mistakes)
            await archive.configured(self.place, "; ".join(mistakes))
            return None
        kept = None
        if fresh.archive != settings.archive:
            kept = f"archive: {fresh.archive} is used after a new start, until then {settings.archive}"
            self.log.warning("config.kept", message=kept)
            fresh = fresh.model_copy(update={"archive": settings.archive})
        await archive.configured(self.place, kept)
        if fresh == settings:
            self.log.info("config.unchanged")
            return None
        self.log.info("config.reloaded", **_difference(settings, fresh))
        return fresh


def _difference(before: Settings, after: Settings) -> Mapping[str, object]:
    """The feeds that came, went or are others now, and which further sections are."""
    old, new = ({feed.name: feed for feed in one.feed_list()} for one in (before, after))
    changed = [name for name in old if name in new and old[name] != new[name]]
    sections = [name for name in type(after).model_fields if getattr(before, name) != getattr(after, name)]
    return {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": changed,
        "sections": sections,
    }


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
