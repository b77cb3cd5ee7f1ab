"""Telling, beside the polls: each hook goes its own way from commit to commit, so that none waits for another.

A hook looks at what was committed since it last looked, over a connection that only reads; what it is to tell is
stored together with how far it has looked, then sent, then stored as told. Between the last two the process may end:
then the same event, with the same id, is sent once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.hooks import Due, Fact
from aggregator.articles.rules import Rules
from aggregator.errors import AggregatorError, ArchiveError, FetchError
from aggregator.hooks.rules import Event, told, wanted
from aggregator.hooks.sinks import Hook, Sink
from aggregator.logs import Log
from aggregator.model import Clock

# Seconds from one attempt to the next, as Standard Webhooks advises: about three days in all.
AGAIN = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
_JITTER = 0.2
_LOOK = 1.0  # seconds between two looks at what was committed
_REST = 30.0  # after the archive refused
_COMMITS = 200  # looked at in one go
_UNSTORED = 1_000  # commits with nothing to tell that may be looked at twice after a kill
_LONGEST_REST = 300.0  # seconds a receiver that fails is left alone before the next of its events is tried
_FINAL = frozenset({"gone", "erased"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What telling needs: an archive, a log, the time and chance; ``rules`` find the text in a body."""

    archive: SqliteArchive
    rules: Rules
    log: Log
    clock: Clock
    chance: Callable[[], float]


class Teller:
    """One hook at its work."""

    def __init__(self, hook: Hook, sink: Sink, around: Surroundings) -> None:
        self._hook = hook
        self._sink = sink
        self._around = around
        self._seen = 0
        self._failures = 0

    async def run(self) -> None:
        """Look and tell until cancelled."""
        while True:
            try:
                rest = await self.step()
            except Exception as error:  # mostly the archive's refusal; whatever it is, the hook goes on after a rest
                self._log("error", "hook.waits", error=error)
                rest = _REST
            await asyncio.sleep(rest)

    async def settle(self) -> None:
        """Store how far it has looked, so that another rule under its name begins there."""
        stored, _ = await self._around.archive.deliveries.place(self._hook.name)
        if self._seen > stored:
            await self._around.archive.deliveries.plan(self._hook.name, self._seen, ())

    async def step(self) -> float:
        """Look at what was committed, tell what is due; after how many seconds to do it again."""
        more = await self._look()
        due = await self._around.archive.deliveries.due(self._hook.name, self._sink.most)
        if not due:
            return 0.0 if more else _LOOK
        if await self._tell(due):
            self._failures = 0
            return 0.0
        self._failures += 1
        return min(_LOOK * 2.0 ** min(self._failures, 20), _LONGEST_REST)

    async def _look(self) -> bool:
        """Plan what is to be told of the next commits; whether there may be more."""
        deliveries = self._around.archive.deliveries
        stored, head = await deliveries.place(self._hook.name)
        after = max(stored, self._seen)
        until = min(head, after + _COMMITS)
        if until == after:
            return False
        found = await asyncio.to_thread(self._wanted, after, until)
        if found or until - stored >= _UNSTORED:
            await deliveries.plan(self._hook.name, until, found)
        self._seen = until
        return until < head

    def _wanted(self, after: int, until: int) -> list[Fact]:
        with Reader(self._around.archive.path) as reader:
            facts = reader.facts(after, until)
        return [fact for fact in facts if wanted(self._hook.when, fact, self._around.rules)]

    async def _tell(self, due: Sequence[Due]) -> bool:
        """Tell what is due; whether it was taken."""
        numbers = [one.id for one in due]
        events = await asyncio.to_thread(self._events, due)
        names = [one.event for one in due]
        try:
            if not events:
                raise AggregatorError("its text was erased", kind="erased")
            said = await self._sink.send(events)
        except ArchiveError:
            raise
        except AggregatorError as error:
            again = None if error.kind in _FINAL else self._again(due[0].attempts, error)
            await self._around.archive.deliveries.failed(numbers, error.kind, error.message[:500], again)
            self._log(
                "warning",
                "hook.failed",
                event_id=names,
                kind=error.kind,
                error=error.message,
                said=error.hint,
                again=again,
            )
            return error.kind in _FINAL
        await self._around.archive.deliveries.done(numbers)
        self._log("info", "hook.told", event_id=names, said=said)
        return True

    def _events(self, due: Sequence[Due]) -> list[Event]:
        with Reader(self._around.archive.path) as reader:
            return [told(fact) for one in due if (fact := reader.fact(one.kind, one.row))]

    def _again(self, attempts: int, error: AggregatorError) -> datetime | None:
        """When to try again after so many attempts before this one; ``None``: it is given up."""
        if attempts >= len(AGAIN):
            return None
        now = self._around.clock()
        seconds = AGAIN[attempts] * (1 + _JITTER * self._around.chance())
        advised = error.retry_at if isinstance(error, FetchError) else None
        return max(now + timedelta(seconds=seconds), advised or now)

    def _log(self, level: str, event: str, **fields: object) -> None:
        getattr(self._around.log, level)(event, hook=self._hook.name, **fields)


@asynccontextmanager
async def telling(pairs: Sequence[tuple[Hook, Sink]], around: Surroundings) -> AsyncIterator[None]:
    """Tell until the block ends. What was not told then waits for the next start."""
    await around.archive.deliveries.enrol([hook.name for hook, _ in pairs])
    tellers = [Teller(hook, sink, around) for hook, sink in pairs]
    tasks = [asyncio.create_task(teller.run()) for teller in tellers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(ArchiveError):
            for teller in tellers:
                await teller.settle()
