"""The writer's side of hooks, as async methods: what is to be told, and what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from aggregator.archive import hooks
from aggregator.archive.hooks import Due, Fact
from aggregator.model import Clock

Run = Callable[..., Awaitable[Any]]


class Deliveries:
    """The hooks of an archive; ``run`` calls a function over its connection in its one thread."""

    def __init__(self, run: Run, clock: Clock) -> None:
        self._run = run
        self._clock = clock

    async def enrol(self, names: Sequence[str]) -> None:
        """Make the hooks those of the configuration; one that is new begins with now."""
        await self._run(hooks.enrol, names)

    async def place(self, name: str) -> tuple[int, int]:
        """Up to which commit a hook has looked, and the last commit there is."""
        found: tuple[int, int] = await self._run(hooks.place, name)
        return found

    async def plan(self, name: str, until: int, found: Iterable[Fact]) -> None:
        """Store that these facts are to be told, and that all up to a commit were looked at."""
        await self._run(hooks.plan, self._clock, name, until, found)

    async def due(self, name: str, limit: int) -> list[Due]:
        """The deliveries of a hook whose time has come, oldest first."""
        found: list[Due] = await self._run(hooks.due, self._clock, name, limit)
        return found

    async def done(self, deliveries: Sequence[int]) -> None:
        """Store that deliveries were made."""
        await self._run(hooks.done, self._clock, deliveries)

    async def failed(self, deliveries: Sequence[int], kind: str, error: str, again: datetime | None) -> None:
        """Store why deliveries could not be made, and when that is tried again; ``None``: never."""
        await self._run(hooks.failed, self._clock, deliveries, kind, error, again)
