"""The daemon's polls in virtual time: a day of a thousand feeds passes as fast as they can be worked through.

Time is the event loop's own. It stands still while anything is to be done and jumps to the next timer when nothing is,
so that every wait takes as long as it would, and no time at all. Work for threads is done at once, in between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from world import START

from aggregator.app import App, network_of
from aggregator.archive import SqliteArchive
from aggregator.config import parse
from aggregator.intervals import Chance, no_chance
from aggregator.model import Feed
from aggregator.pipeline import Desk
from aggregator.web import Client

T = TypeVar("T")
Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only where all wait for it."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class LabouringLoop(VirtualLoop):
    """One in which work on the CPU takes its time as well, so that what keeps the program busy delays all."""

    def _run_once(self) -> None:
        before = time.process_time()
        super()._run_once()
        self.now += time.process_time() - before


class VirtualClock:
    """The wall clock beside the loop's time; ``set_by`` is how far somebody has put it ahead or back."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.set_by = timedelta()

    def __call__(self) -> datetime:
        return START + timedelta(seconds=self._loop.time()) + self.set_by


def in_virtual_time(main: Coroutine[Any, Any, T], loop: type[VirtualLoop] = VirtualLoop) -> T:
    """Run to the end, however long that takes in its own time."""
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(main)


_CONFIG = """
archive: archive.db
network: {{allow_private: [127.0.0.0/8], per_host: {{{per_host}}}}}
"""


async def _local(host: str) -> Sequence[str]:
    return ["127.0.0.1"]


@asynccontextmanager
async def virtual_app(
    folder: Path,
    feeds: Sequence[Feed],
    answer: Handler,
    *,
    per_host: str = "connections: 2",
    chance: Chance = no_chance,
) -> AsyncIterator[tuple[App, VirtualClock]]:
    """The program over an archive of its own, its real client above ``answer`` in the place of the wire.

    ``per_host`` is that section of the configuration, ``chance`` what spreads due times.
    """
    clock = VirtualClock(asyncio.get_running_loop())
    settings = parse(_CONFIG.format(per_host=per_host), folder / "config.yaml")
    archive = await SqliteArchive.open(settings.archive, clock, parser="test", rules="test", chance=chance)
    try:
        await archive.enrol(feeds)
        holds = await archive.holds()
        wire = httpx.MockTransport(answer)
        async with Client(network_of(settings), clock=clock, chance=lambda: 0.5, transport=wire, holds=holds) as client:
            named = {feed.name: feed for feed in feeds}
            yield App(settings, Desk(client, archive, clock, named, holds=client.holds), archive, client), clock
    finally:
        await archive.close()
