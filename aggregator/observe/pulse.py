"""The pulse of the daemon: when its loop, the archive's thread and the tick were last seen at work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from aggregator.errors import AggregatorError

STUCK = 60.0  # seconds without a beat; the longest pieces of work that block a part take a few
_BEAT = 1.0

Seconds = Callable[[], float]


class Pulse:
    """Written by the daemon's threads, read by others.

    ``monotonic`` is a clock that nobody sets and that stands while the machine sleeps. A part that has not begun yet
    (``ready``) cannot be stuck.
    """

    def __init__(self, monotonic: Seconds = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: dict[str, float] = {}
        self._refusals: dict[str, str] = {}

    def beat(self, part: str) -> None:
        """A part ("loop", "writer", "tick") is at work."""
        self._last[part] = self._monotonic()

    def rest(self, part: str) -> None:
        """A part is not expected to work, as between two configurations."""
        self._last.pop(part, None)

    def refuse(self, what: str, why: str | None) -> None:
        """The archive refuses something ("reading", "writing"); ``None``: not any more."""
        if why is None:
            self._refusals.pop(what, None)
        else:
            self._refusals[what] = why

    @property
    def refused(self) -> str | None:
        """Why the archive refused when it was last asked."""
        return next(iter(self._refusals.copy().values()), None)

    def ages(self) -> dict[str, float]:
        """Seconds since the last beat of each part that has begun."""
        now = self._monotonic()
        return {part: max(now - at, 0.0) for part, at in sorted(self._last.copy().items())}

    def stuck(self, longest: float = STUCK) -> Iterator[str]:
        """The parts that are stuck, one sentence each."""
        for part, age in self.ages().items():
            if age > longest:
                yield f"the {_NAMES.get(part, part)} has not moved for {age:.0f} s"

    def unready(self, longest: float = STUCK) -> Iterator[str]:
        """Why the daemon does not do its work yet, or not any more."""
        if "tick" not in self._last:
            yield "no feed has been looked at yet"
        yield from self.stuck(longest)


_NAMES = {"loop": "event loop", "writer": "archive's thread", "tick": "schedule's tick"}


@asynccontextmanager
async def beating(pulse: Pulse, ask: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Beat for the loop and, as often as ``ask`` (a question to the archive's thread) is answered, for the writer."""

    async def loop() -> None:
        while True:
            pulse.beat("loop")
            await asyncio.sleep(_BEAT)

    async def writer() -> None:
        while True:
            try:
                await ask()
                pulse.refuse("reading", None)
            except AggregatorError as error:  # it answers, if only with a refusal
                pulse.refuse("reading", str(error))
            pulse.beat("writer")
            await asyncio.sleep(_BEAT)

    pulse.beat("writer")
    tasks = [asyncio.create_task(part()) for part in (loop, writer)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for part in ("loop", "writer"):
            pulse.rest(part)
