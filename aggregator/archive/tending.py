"""The writer's side of upkeep, as async methods: each is a short turn of the archive's thread, so that polls go on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from aggregator.archive import dictionaries, index, jobs, retention
from aggregator.archive.connecting import log_size
from aggregator.archive.dictionaries import Packed
from aggregator.archive.jobs import Ran
from aggregator.archive.lean import Database
from aggregator.archive.opening import explained, open_reader
from aggregator.archive.retention import Due, Keep
from aggregator.model import Clock
from aggregator.text.urls import host_of

Run = Callable[..., Awaitable[Any]]
# Rows an index is sampled by (sqlite.org/lang_analyze.html): what is learned of a table costs the same in any archive.
_SAMPLE = 1_000


class Tending:
    """What keeps an archive in order; ``run`` calls a function over its connection in its one thread."""

    def __init__(self, path: Path, run: Run, clock: Clock) -> None:
        self._path = path
        self._run = run
        self._clock = clock
        self._read: Counter[str] = Counter()  # pages that were stored, by host

    async def runs(self) -> dict[str, Ran]:
        """The jobs that ever began, by name."""
        found: dict[str, Ran] = await self._run(jobs.runs)
        return found

    async def begin(self, name: str) -> None:
        """Note that a job begins."""
        await self._run(jobs.begin, self._clock, name)

    async def end(self, name: str, said: str, seconds: float) -> None:
        """Note that a job came to its end, after so long, and what it did."""
        await self._run(jobs.end, self._clock, name, said, seconds)

    async def fail(self, name: str, kind: str, error: str) -> None:
        """Note why a job came to nothing."""
        await self._run(jobs.fail, self._clock, name, kind, error)

    async def merge(self) -> int:
        """Make the index for search one piece; in how many turns."""
        turns = 1
        more = await self._run(index.merge_some, begin=True)
        while more:
            more = await self._run(index.merge_some, begin=False)
            turns += 1
        return turns

    async def learn(self) -> None:
        """Have SQLite look again at how its tables have grown, where that matters to its plans."""
        await self._run(_learn)

    async def read(self, url: str) -> None:
        """A page was stored: once there are enough of its host, further ones are packed with what they share."""
        host = host_of(url)
        self._read[host] += 1
        if self._read[host] == dictionaries.LEARN:
            await self._run(dictionaries.learn, self._clock, host)

    async def pack(self, turns: int | None = None) -> Packed:
        """Learn what pages of each host share, and pack those anew that came before; at most so many turns."""
        for host in await self._run(dictionaries.wanted, self._clock):
            await self._run(dictionaries.learn, self._clock, host)
        done = Packed()
        for _ in count() if turns is None else range(turns):
            some: Packed = await self._run(dictionaries.pack_some)
            if not some.more:
                break
            done = Packed(done.pages + some.pages, done.before + some.before, done.after + some.after)
        return done

    async def fold(self) -> tuple[int, int]:
        """Fold the log into the file and cut it, as far as readers allow; its bytes before and after."""
        before = log_size(self._path)
        await self._run(_fold)
        return before, log_size(self._path)

    async def retain(self, kept: Mapping[str, Keep], removed: Keep) -> list[Due]:
        """Drop what is no longer kept of each feed, and of those that were removed; what it was.

        Cut short, it has dropped a part, and the next time drops the rest.
        """
        done: list[Due] = []
        for due in await asyncio.to_thread(self._due, kept, removed):
            parts = [await self._run(retention.drop, self._clock, kept, removed, part) for part in due.portions()]
            done.append(retention.joined(parts))
        if any(due.texts for due in done):
            await self.merge()  # until then their words stand in pages of the index that nothing points to
        return [due for due in done if due.pages or due.texts]

    def _due(self, kept: Mapping[str, Keep], removed: Keep) -> list[Due]:
        """What is due, by a reader of its own: finding it reads much of a large archive."""
        db = open_reader(self._path)
        try:
            with explained(self._path):
                return retention.due(db, self._clock(), kept, removed)
        finally:
            db.close()


def _learn(db: Database) -> None:
    db.execute(f"PRAGMA analysis_limit = {_SAMPLE}")
    db.execute("PRAGMA optimize")


def _fold(db: Database) -> None:
    (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute("PRAGMA busy_timeout = 0")  # a reader is not waited for: the next turn tries again
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.execute(f"PRAGMA busy_timeout = {patience}")
