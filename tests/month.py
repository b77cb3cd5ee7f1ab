"""A month of a newsroom in virtual time, polled by the real pipeline over a network that fails now and then.

    python tests/month.py [--days N] [--articles-a-day N] [--poll-every MIN MAX] [--channels N] [--seed N]

A newsroom with the replica's desks publishes, edits, withdraws and publishes late, with its own ledger of every
version; its lists and pages are the replica's. 5 % of all answers are faulty: no answer in time, 500, cut off, another
page, 429 with a Retry-After. The program is restarted now and then, and sometimes killed in the middle of a poll. Each
request takes virtual time, so that the newsroom works on while it is read. The same seed gives the same month.

Printed, and exit code 1 if it does not hold: every version of the ledger is archived once, or it is listed as missed
with the reason why nothing could have seen it; page GETs whose answer was good are at most 1.05 per announced version
(what faults cost is told apart); and at random instants the archive as of then equals what plain SQL saw then.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import sqlite3
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from newsroom_month import START, Hours, Killed, Newsroom, Version, Wire, feeds
from world import desk

from aggregator.archive import Reader, SqliteArchive
from aggregator.model import Feed
from aggregator.pipeline import Desk, collect, discover

QUIET = timedelta(days=3)  # at the end, in which what still waits is had
MOST_GETS = 1.05  # good answers to page GETs, per announced version
_MARK = re.compile(r"编号([a-z]{7}\d{7})第(\d+)稿")


# --- the truth ------------------------------------------------------------------------------------


@dataclass
class Log:
    """What plain SQL saw in the archive just before each move of the clock: only what is new since the last look."""

    path: Path
    hours: Hours
    instants: list[datetime] = field(default_factory=list)
    changes: list[list[tuple[str, int | None, str | None]]] = field(default_factory=list)
    _db: sqlite3.Connection | None = None
    _article: int = 0
    _revision: int = 0

    def look(self) -> None:
        """Write down the articles, current versions and documents that have come."""
        if self._db is None:
            if not self.path.exists():
                return
            self._db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
        fresh = self._db.execute("SELECT id, key FROM articles WHERE id > ?", [self._article]).fetchall()
        settled = self._db.execute(
            "SELECT r.id, a.key, r.n, a.document FROM revisions r JOIN articles a ON a.revision = r.id WHERE r.id > ?",
            [self._revision],
        ).fetchall()
        if fresh or settled:
            self._article = max([self._article, *(row[0] for row in fresh)])
            self._revision = max([self._revision, *(row[0] for row in settled)])
            self.instants.append(self.hours())
            new = [(key, None, None) for _, key in fresh]
            self.changes.append([*new, *((key, n, digest(document)) for _, key, n, document in settled)])

    def close(self) -> None:
        """Let go of the archive."""
        if self._db is not None:
            self._db.close()


def digest(document: str) -> str:
    """A document's sha256."""
    return hashlib.sha256(document.encode()).hexdigest()


# --- the month ------------------------------------------------------------------------------------


@dataclass
class Month:
    """A month that was lived: its ledger, its network's book, and the log of its archive."""

    path: Path
    room: Newsroom
    wire: Wire
    log: Log
    feeds: list[Feed]
    restarts: int = 0
    kills: int = 0
    polls: int = 0


def live(path: Path, days: int, articles_a_day: int, every: tuple[int, int], seed: int, channels: int) -> Month:
    """Let a month pass. ``every``: the least and the most minutes between two rounds of polls."""
    hours = Hours()
    room = Newsroom(hours, Random(f"{seed}/newsroom"))
    room.schedule(days, articles_a_day)
    month = Month(path, room, Wire(hours, room, Random(f"{seed}/network")), Log(path, hours), feeds(channels))
    hours.before, hours.after = month.log.look, room.work
    dice = Random(f"{seed}/program")
    while hours() < START + timedelta(days=days) + QUIET:
        asyncio.run(_run(month, dice, every, START + timedelta(days=days) + QUIET))
        month.restarts += 1
    month.log.look()
    month.log.close()
    return month


async def _run(month: Month, dice: Random, every: tuple[int, int], end: datetime) -> None:
    """One process's life: rounds of polls, until it is stopped, or killed in the middle of one."""
    async with desk(month.path, month.wire, *month.feeds) as opened:  # type: ignore[arg-type]
        one = replace(opened, workers=1)
        for left in range(dice.randint(40, 400), 0, -1):
            month.wire.round += 1
            month.wire.kill = dice.randint(2, 9) if left == 1 and dice.random() < 0.7 else 0
            try:
                await one_round(month, one)
            except BaseExceptionGroup as group:
                if group.subgroup(Killed) is None:
                    raise
                month.kills += 1
                break
            except Killed:
                month.kills += 1
                break
            month.wire.clock.move(timedelta(minutes=dice.uniform(*every)))
            if month.wire.clock() > end:
                break


async def one_round(month: Month, one: Desk) -> None:
    """Poll the feeds that are due, then have what waits."""
    assert isinstance(one.archive, SqliteArchive)
    for name, _ in await one.archive.due_feeds():
        await discover(one, one.feeds[name])
        month.polls += 1
    await collect(one)
    month.wire.rounds[month.wire.round] = month.wire.clock()


# --- what came of it ------------------------------------------------------------------------------


def archived(path: Path) -> Counter[Version]:
    """Which versions the archive's revisions hold, by what each says itself."""
    with closing(sqlite3.connect(path)) as db:
        bodies = [row[0] for row in db.execute("SELECT body FROM revisions WHERE reason IS NULL")]
    return Counter((found[1], int(found[2])) for body in bodies for found in [_MARK.search(body)] if found)


def missed(month: Month) -> dict[Version, str]:
    """The versions that are not archived, each with the reason; "" where there is none, which must not be."""
    room, wire, held = month.room, month.wire, archived(month.path)
    return {version: _reason(version, room, wire) for version in room.begun if version not in held}


def _reason(version: Version, room: Newsroom, wire: Wire) -> str:
    ended = room.ended.get(version)
    if ended is None or wire.shown[version]:
        return ""
    if version not in wire.listed:
        return "replaced before a list showed it"
    if wire.vain[version]:
        return "asked for in vain until it was replaced"
    done = wire.rounds.get(wire.listed[version])
    return "replaced between list and page" if done is None or ended <= done else ""


def unlike(month: Month, count: int, seed: int) -> list[str]:
    """Random instants at which the archive as of then is not what was seen then; an eighth each at, 1 ms before and
    1 ms after a change. All documents are compared once per commit and state, one article at every instant."""
    dice = Random(f"{seed}/instants")
    log, tick = month.log, timedelta(milliseconds=1)
    first, last = log.instants[0], log.instants[-1] + timedelta(hours=1)
    edges = [dice.choice(log.instants) + dice.choice((-tick, timedelta(), tick)) for _ in range(count * 3 // 8)]
    whole = [first + timedelta(milliseconds=dice.randint(0, (last - first) // tick)) for _ in range(count - len(edges))]
    keys = sorted({key for changes in log.changes for key, _, _ in changes})
    seen: set[tuple[int, int]] = set()
    truth: dict[str, tuple[int | None, str | None]] = {}
    wrong: list[str] = []
    applied = 0
    with Reader(month.path) as reader:
        for at in sorted(max(at, first) for at in (*edges, *whole)):
            reached = bisect_right(log.instants, at)
            for changes in log.changes[applied:reached]:
                truth |= {key: (n, sha) for key, n, sha in changes}
            applied, until = reached, reader.commit_at(at)
            if (until, reached) not in seen:
                seen.add((until, reached))
                wrong += [f"{at}: documents"] * (_documents(reader, until) != _expected(truth))
            key = dice.choice(keys)
            wrong += [f"{at}: {key}"] * (_shown(reader, key, until) != truth.get(key))
    return wrong


def _expected(truth: dict[str, tuple[int | None, str | None]]) -> dict[str, str]:
    return {key: sha for key, (_, sha) in truth.items() if sha}


def _documents(reader: Reader, until: int) -> dict[str, str]:
    """Each article's document of then; what ``export`` writes must be the same texts."""
    found = {str(row["key"]): digest(str(row["document"])) for row in reader.articles(until)}
    written = Counter(digest(text) for _, text, _ in reader.documents_until(until))
    return found if written == Counter(found.values()) else {}


def _shown(reader: Reader, key: str, until: int) -> tuple[int | None, str | None] | None:
    """What ``show`` tells of an article as of a commit."""
    row = reader.article(key, until=until)
    if row is None:
        return None
    revision, document = row["revision"], row["document"]
    assert revision is None or isinstance(revision, int)
    assert (row["state"] == "pending") == (revision is None)
    return revision, digest(str(document)) if document is not None else None


def figures(month: Month) -> dict[str, object]:
    """The month in numbers."""
    held, gone = archived(month.path), missed(month)
    good = month.wire.asked["page good"]
    return {
        "articles": len(month.room.ledger.published),
        "versions": len(month.room.begun),
        "archived once": sum(count == 1 for count in held.values()),
        "archived twice": sum(count > 1 for count in held.values()),
        "missed": dict(Counter(gone.values())),
        "archived as seen": held.keys() == month.wire.shown.keys(),
        "announced versions": len(month.wire.listed),
        "page GETs per announced version": round(good / len(month.wire.listed), 3),
        "asked": dict(sorted(month.wire.asked.items())),
        "polls": month.polls,
        "restarts": month.restarts,
        "killed": month.kills,
        "states of the archive": len(month.log.instants),
    }


def main() -> int:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--articles-a-day", type=int, default=60)
    parser.add_argument("--poll-every", type=int, nargs=2, default=(5, 30), metavar=("MIN", "MAX"))
    parser.add_argument("--channels", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--instants", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="month-") as folder:
        path, began = Path(folder) / "archive.db", time.process_time()
        month = live(path, asked.days, asked.articles_a_day, tuple(asked.poll_every), asked.seed, asked.channels)
        told = figures(month) | {"CPU seconds of the month": round(time.process_time() - began)}
        began = time.process_time()
        wrong = unlike(month, asked.instants, asked.seed)
        told |= {"instants unlike": wrong[:9], "CPU seconds of the instants": round(time.process_time() - began)}
        unexplained = [version for version, reason in missed(month).items() if not reason]
        missing = {f"{comos} {n}": reason for (comos, n), reason in missed(month).items()}
    print(json.dumps(told | {"missed versions": missing}, ensure_ascii=False, indent=1))
    ratio = float(str(told["page GETs per announced version"]))
    return int(
        bool(wrong or unexplained or told["archived twice"] or not told["archived as seen"] or ratio > MOST_GETS)
    )


if __name__ == "__main__":
    sys.exit(main())
