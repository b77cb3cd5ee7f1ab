"""A crew: workers side by side, who each take claimed tasks, see them to their end, and come back for the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from aggregator.errors import ArchiveError
from aggregator.pipeline.desk import Budget

Task = TypeVar("Task")
Result = TypeVar("Result")
Claim = Callable[[int], Awaitable[Sequence[Task]]]
Attempt = Callable[[Sequence[Task]], Awaitable[Sequence[Result]]]
Portion = Callable[[Sequence[Task]], int]
Release = Callable[[Sequence[Task]], Awaitable[None]]

FEW, MANY = 20, 1_000  # tasks claimed at once: what is claimed must be done before its lease ends
_QUICK = 2.0  # seconds; a claim that was worked off within them may be followed by one of twice as many


def one_by_one(attempt: Callable[[Task], Awaitable[Result]]) -> Attempt[Task, Result]:
    """The attempt at tasks of which each is seen to its end before the next."""

    async def attempts(tasks: Sequence[Task]) -> list[Result]:
        return [await attempt(task) for task in tasks]

    return attempts


def singly(_: Sequence[object]) -> int:
    """Each task is a portion of its own."""
    return 1


async def work_through(
    workers: int,
    room: Budget,
    claim: Claim[Task],
    attempt: Attempt[Task, Result],
    watch: Callable[[Result], None] | None = None,
    release: Release[Task] | None = None,
    portion: Portion[Task] = singly,
) -> list[Result]:
    """Claim and attempt one task after the other until none is left or the room is used up; all results, as they came.

    ``claim`` is told how many tasks are wanted at most, and ``release`` which of them nobody got to. ``portion`` says
    how many of those that wait, from the first on, are attempted together, one at least; of more than one there is one
    portion at a time. Cancelled, it leaves what was not settled waiting. The first error ends all workers and is
    raised as it is.
    """
    results: list[Result] = []
    queue = _Queue(room, claim, portion)

    async def worker(tasks: Sequence[Task]) -> None:
        while tasks:
            found = await attempt(tasks)
            results.extend(found)
            for result in found:
                if watch:
                    watch(result)
            tasks = await queue.next(done=len(tasks))

    async def latecomer() -> None:
        await worker(await queue.next())

    first = await queue.next()
    if not first:  # as after most polls
        return results
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(worker(first))
            for _ in range(min(workers - 1, queue.promised)):
                group.create_task(latecomer())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        if release and queue.left:
            with suppress(ArchiveError):  # then their lease must end
                await release(queue.left)
    return results


class _Queue(Generic[Task]):
    """Tasks that are claimed, handed out in portions. To find the newest few costs as much as to find many."""

    def __init__(self, room: Budget, claim: Claim[Task], portion: Portion[Task]) -> None:
        self._room = room
        self._claim = claim
        self._portion = portion
        self._alone = asyncio.Event()  # no portion of several is handed out
        self._alone.set()
        self._waiting: deque[Task] = deque()
        self._turn = asyncio.Lock()
        self._many = FEW
        self._claimed_at = float("-inf")
        self._out = 0  # tasks handed out that are not done
        self._short = False  # the last claim gave less than was wanted: there is no more for now

    @property
    def left(self) -> list[Task]:
        """The tasks that nobody got to."""
        return list(self._waiting)

    @property
    def promised(self) -> int:
        """How many more workers may find a task."""
        return len(self._waiting) if self._short else MANY

    async def next(self, *, done: int = 0) -> list[Task]:
        """The next portion, if there is one, as far as there is room; ``done``: so many the caller saw to their end.

        When there were no more, only who did the last one asks again: what was announced meanwhile, or waits once more.
        """
        self._out -= done
        if done > 1:
            self._alone.set()
        if not self._room.take():
            return []
        async with self._turn:
            if not self._waiting and not (self._short and self._out):
                await self._fill()
            if not self._waiting:
                self._room.give_back()
                return []
            size = self._portion(self._waiting)
            if size > 1:  # while one portion is stored the next would only be in its way
                await self._alone.wait()
            some = [self._waiting.popleft()]
            while len(some) < size and self._room.take():
                some.append(self._waiting.popleft())
            if len(some) > 1:
                self._alone.clear()
            self._out += len(some)
            return some

    async def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        self._many = min(self._many * 2, MANY) if now - self._claimed_at < _QUICK else FEW
        self._claimed_at = now
        left = self._room.left
        wanted = self._many if left is None else min(self._many, left + 1)
        found = await self._claim(wanted)
        self._short = len(found) < wanted
        self._waiting.extend(found)
