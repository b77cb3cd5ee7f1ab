"""A crew: workers side by side, who each claim one task, see it to its end, and come back for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aggregator.pipeline.desk import Budget

Task = TypeVar("Task")
Result = TypeVar("Result")


async def work_through(
    workers: int,
    room: Budget,
    claim: Callable[[], Awaitable[Sequence[Task]]],
    attempt: Callable[[Task], Awaitable[Result]],
    watch: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Claim and attempt one task after the other until none is left or the room is used up; all results, as they came.

    Cancelled, it leaves what was not settled waiting. The first error ends all workers and is raised as it is.
    """
    results: list[Result] = []

    async def worker() -> None:
        while room.take():
            tasks = await claim()
            if not tasks:
                room.give_back()
                return
            result = await attempt(tasks[0])
            results.append(result)
            if watch:
                watch(result)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(worker())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return results
