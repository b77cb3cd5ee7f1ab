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

    async def worker(tasks: Sequence[Task]) -> None:
        while tasks:
            result = await attempt(tasks[0])
            results.append(result)
            if watch:
                watch(result)
            tasks = await _claimed(room, claim)

    async def latecomer() -> None:
        await worker(await _claimed(room, claim))

    first = await _claimed(room, claim)
    others = workers - 1 if first else 0  # after most polls there is nothing, and nobody else need ask
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(worker(first))
            for _ in range(others):
                group.create_task(latecomer())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return results


async def _claimed(room: Budget, claim: Callable[[], Awaitable[Sequence[Task]]]) -> Sequence[Task]:
    """What is claimed, if there is room for it; the room is given back where nothing is left."""
    if not room.take():
        return ()
    tasks = await claim()
    if not tasks:
        room.give_back()
    return tasks
