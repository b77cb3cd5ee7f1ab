"""Changes asked for at about the same time, made in one transaction: a commit costs as much as what it commits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from aggregator.archive.apart import UNSTORABLE
from aggregator.archive.lean import Database
from aggregator.archive.rows import Stamp, transaction
from aggregator.errors import ArchiveError
from aggregator.model import Clock

C = TypeVar("C")
T = TypeVar("T")
Change: TypeAlias = Callable[[Database, Stamp], T]
Done: TypeAlias = T | Exception

REFUSED = (*UNSTORABLE, ArchiveError)
"""What a change raises that cannot be stored."""

MOST = 200  # changes of one transaction; nothing waits for more of them


class Together(Generic[C, T]):
    """Makes changes in the order in which they are asked for; what is asked for during one transaction is the next.

    ``make`` has several done in one transaction in the archive's thread, as ``all_of`` does.
    """

    def __init__(self, make: Callable[[Sequence[C]], Awaitable[Sequence[Done[T]]]]) -> None:
        self._make = make
        self._waiting: list[tuple[C, asyncio.Future[T]]] = []
        self._making: asyncio.Task[None] | None = None

    async def add(self, change: C) -> T:
        """Make a change, and return what it returns, when it is stored. Cancelled, it is made all the same."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever asked may be gone
        self._waiting.append((change, future))
        if self._making is None:
            self._making = asyncio.create_task(self._go_on())
        return await asyncio.shield(future)

    async def finished(self) -> None:
        """Wait until everything that was asked for is stored."""
        while self._making is not None:
            await self._making

    async def _go_on(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            outcomes: Sequence[Done[T]]
            try:
                outcomes = await self._make([change for change, _ in some])
            except Exception as error:
                outcomes = [error] * len(some)
            for (_, future), outcome in zip(some, outcomes, strict=True):
                _tell(future, outcome)
        self._making = None


def _tell(future: asyncio.Future[T], outcome: Done[T]) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def all_of(db: Database, clock: Clock, changes: Sequence[Change[T]]) -> list[Done[T]]:
    """Make changes in one transaction with one commit among them; of each what it returned, or why it is not stored.

    Nearly always all of them can be stored; where one cannot, they are made anew, and that one is taken back.
    """
    try:
        with transaction(db):
            stamp = Stamp(db, clock, careful=False)
            return [change(db, stamp) for change in changes]
    except REFUSED:
        with transaction(db):
            stamp = Stamp(db, clock)
            return [_made(db, stamp, change) for change in changes]


def _made(db: Database, stamp: Stamp, change: Change[T]) -> Done[T]:
    """What a change returned. As ``apart.attempt``, but that a change which says nothing new makes no commit."""
    db.execute("SAVEPOINT one")
    made = stamp.made
    done: Done[T]
    try:
        done = change(db, stamp)
    except REFUSED as error:  # what it is about is not there; the others have theirs
        db.execute("ROLLBACK TO one")
        stamp.take_back_to(made)
        done = error
    db.execute("RELEASE one")
    return done
