"""What the daemon does beside polling to keep its archive in order: a table of jobs, and who runs them.

Each job runs at most once at a time. When it ran last is in the archive, so that a weekly job is done by a daemon that
is started anew each day, too. All writing is done in short turns, between which polls have theirs.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator.app import App, catch_up, kept_for
from aggregator.archive.backup import backup_into
from aggregator.archive.connecting import log_size
from aggregator.archive.jobs import Ran
from aggregator.archive.opening import KEPT_LOG
from aggregator.config import Settings
from aggregator.logs import Log
from aggregator.pipeline import Budget, recheck

LOOK = 15.0  # seconds between two looks at what is due
_MINUTE, _HOUR, _DAY, _WEEK = (timedelta(seconds=n) for n in (60, 3_600, 86_400, 604_800))
_AGAIN = _HOUR  # after a failure, or where the program ended in the middle of it
_LOOKS = 20  # pages that are looked at again in one go
_TURNS = 500  # of indexing in one go


@dataclass(frozen=True, slots=True)
class Job:
    """A job. ``work`` says what it has done, nothing where there was nothing to do; ``every``: ``None`` for never."""

    name: str
    every: Callable[[Settings], timedelta | None]
    work: Callable[[App, Log], Awaitable[str]]


class Upkeep:
    """The jobs under way."""

    def __init__(self, app: App, log: Log, jobs: Sequence[Job] | None = None) -> None:
        self._app = app
        self._log = log
        self._jobs = JOBS if jobs is None else jobs
        self._ran: dict[str, Ran] | None = None
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def under_way(self) -> frozenset[str]:
        """The names of the jobs that have begun and not ended."""
        return frozenset(self._running)

    async def tick(self) -> None:
        """Begin every job that is due and not under way.

        Raises:
            ArchiveError: the archive does not say when they ran.
        """
        if self._ran is None:
            known = await self._app.archive.tending.runs()
            # What failed under another configuration, or before somebody made room, is tried at once.
            self._ran = {name: ran for name, ran in known.items() if not ran.failures}
        now = self._app.desk.clock()
        for job in self._jobs:
            every = job.every(self._app.settings)
            if every and job.name not in self._running and _due(self._ran.get(job.name), every, now):
                self._begin(job, now, every)

    async def idle(self) -> None:
        """Wait until no job is under way."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def stop(self) -> None:
        """End what is under way. A turn of the archive's thread is completed, the rest is done after the next start."""
        for task in self._running.values():
            task.cancel()
        await self.idle()

    def _begin(self, job: Job, now: datetime, every: timedelta) -> None:
        task = asyncio.create_task(self._run(job, now, every), name=job.name)
        self._running[job.name] = task
        task.add_done_callback(lambda _: self._running.pop(job.name))

    async def _run(self, job: Job, now: datetime, every: timedelta) -> None:
        """Do it, and store what came of it; where it comes often and finds nothing to do, that is not worth storing."""
        assert self._ran is not None
        before, tending = self._ran.get(job.name), self._app.archive.tending
        failures = before.failures if before else 0
        self._ran[job.name] = Ran(now, before.ended if before else None, failures)
        began = time.monotonic()
        try:
            if every >= _HOUR:
                await tending.begin(job.name)
            said = await job.work(self._app, self._log)
            seconds = time.monotonic() - began
            self._ran[job.name] = Ran(now, now, 0)
            if said or failures or every >= _HOUR:
                await tending.end(job.name, said, seconds)
                self._log.info("upkeep.done", job=job.name, message=said, seconds=round(seconds, 3))
        except Exception as error:  # whatever it is, polls go on, and so do the other jobs
            self._ran[job.name] = replace(self._ran[job.name], failures=failures + 1)
            await self._failed(job, error)

    async def _failed(self, job: Job, error: Exception) -> None:
        kind, unforeseen = getattr(error, "kind", ""), not hasattr(error, "kind")
        self._log.error("upkeep.failed", job=job.name, kind=kind or "internal", error=error, exc_info=unforeseen)
        try:
            text = str(error) if kind else f"{type(error).__name__}: {error}"
            await self._app.archive.tending.fail(job.name, kind or "internal", text)
        except Exception as more:  # an archive that takes nothing is told by the polls, too
            self._log.error("upkeep.failed", job=job.name, kind=getattr(more, "kind", "internal"), error=more)


def _due(ran: Ran | None, every: timedelta, now: datetime) -> bool:
    """Whether it is time. A time that lies ahead was told by a clock that has been set back since."""
    if ran is None:
        return True
    ended = ran.ended is not None and ran.ended >= ran.began and not ran.failures
    return not timedelta(0) <= now - ran.began < (every if ended else min(every, _AGAIN))


async def _recheck(app: App, _: Log) -> str:
    """Look at pages whose time has come although no poll is due."""
    looks = await recheck(app.desk, None, Budget(_LOOKS))
    await app.archive.hold(app.client.holds())
    return f"{len(looks)} pages looked at again, {sum(look.fresh for look in looks)} edited" if looks else ""


async def _catch_up(app: App, _: Log) -> str:
    """Derive what polls left: after an upgrade that may be all there is."""
    done = await catch_up(app, _TURNS)
    return f"{done} versions indexed or compared" if done else ""


async def _fold(app: App, _: Log) -> str:
    """SQLite folds the log in by itself; what a reader has kept from it for a time is made up for here."""
    if log_size(app.archive.path) <= KEPT_LOG:
        return ""
    before, after = await app.archive.tending.fold()
    return f"the log has {after} bytes, had {before}" if after < before else ""


async def _optimise(app: App, _: Log) -> str:
    turns = await app.archive.tending.merge()
    await app.archive.tending.learn()
    return f"the index is one piece after {turns} turns"


async def _pack(app: App, _: Log) -> str:
    done = await app.archive.tending.pack()
    return f"{done.pages} pages packed anew, {done.before} bytes to {done.after}" if done.pages else ""


async def _retain(app: App, log: Log) -> str:
    found = await app.archive.retain(*kept_for(app.settings))
    for due in found:
        log.info("retention.dropped", feed=due.feed, pages=len(due.pages), texts=len(due.texts))
    return f"{sum(len(due.pages) for due in found)} pages and {sum(len(due.texts) for due in found)} texts dropped"


async def _back_up(app: App, _: Log) -> str:
    row, stopped = app.settings.backup, threading.Event()
    assert row.dir is not None

    def watch(*_: object) -> None:
        if stopped.is_set():
            raise InterruptedError("the daemon ends")

    copying = asyncio.create_task(
        asyncio.to_thread(backup_into, app.archive.path, row.dir, row.keep, app.desk.clock(), watch)
    )
    try:
        return str(await asyncio.shield(copying))
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.wait([copying])
        copying.exception()
        raise


def _retains(settings: Settings) -> timedelta | None:
    kept, removed = kept_for(settings)
    return _DAY if any(keep.pages or keep.texts for keep in (*kept.values(), removed)) else None


JOBS = (
    Job("recheck", lambda _: _MINUTE, _recheck),
    Job("catch-up", lambda _: _MINUTE, _catch_up),
    Job("fold", lambda _: 5 * _MINUTE, _fold),
    Job("pack", lambda _: 10 * _MINUTE, _pack),
    Job("retention", _retains, _retain),
    Job("optimise", lambda _: _WEEK, _optimise),
    Job("backup", lambda to: timedelta(seconds=to.backup.every) if to.backup.dir else None, _back_up),
)
