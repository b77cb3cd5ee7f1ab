"""What a poll of 50 new entries costs as the archive grows, and how much room an article takes, table by table.

    python tests/benchmarks/growth.py [ARTICLES ...] [--rounds N] [--dir DIR]

Without numbers 10,000, 100,000 and 1,000,000 articles. Each archive is filled with copies of one article that the
archive itself has stored, under other keys, with random texts a third as long as Sina's; then rounds of polls note 50
new entries and settle them. Counted are the steps of SQLite's virtual machine, which other work on the machine does not
change, and the least CPU time of a round. Exits with 1 where the largest archive's cost is more than 1.3 times that of
the smallest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator.archive import SqliteArchive
from aggregator.model import Announced, Article, Discovery, Entry, Feed, Page, Pending, Settled, Signs, Validators

SIZES = (10_000, 100_000, 1_000_000)
MOST = 1.3  # the largest archive's cost, in that of the smallest
NEW = 50  # entries of a poll
STEP = 1_000  # of SQLite's virtual machine, between two looks
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
WIRE = Feed("wire", "feed", "https://wire.example/feed.xml", ("甲", "乙", "丙"))
_KEY = "url:https://wire.example/news/"
_TEXT, _PAGE, _ITEM = 500, 1_500, 300  # characters, bytes, bytes


@dataclass(frozen=True)
class Cost:
    """What a round of polls costs at a size: virtual machine steps, CPU seconds; and the bytes an article takes."""

    articles: int
    steps: int
    cpu: float
    room: dict[str, int]


def announced(number: int) -> Announced:
    """The entry of an article."""
    link = f"https://wire.example/news/{number}"
    raw = f"<item>{number:0{_ITEM}}</item>".encode()
    entry = Entry(f"g{number}", link, f"第{number}号快讯", AT, AT, raw=raw)
    return Announced((f"{_KEY}{number}", f"guid:wire:g{number}"), entry, AT + timedelta(seconds=number))


def settled(task: Pending) -> Settled:
    """Its article, with a page that was read by a rule."""
    text = task.key * (_TEXT // len(task.key))
    page = Page(task.entry.link or "", task.entry.link or "", 200, {}, text.encode(), AT)
    article = Article(page.url, task.entry.title, AT, html=f"<p>{text}</p>", text=text)
    signs = Signs("rule", True, True, True, True, len(text), "utf-8", '"', (1, 2, 3))
    return Settled(
        article, f"\n---\n{text}", "picsum", (f"甲/乙/丙/{task.key[-20:]}.md",), task.key, page, "first", signs
    )


def measured(path: Path, articles: int, rounds: int) -> Cost:
    """Fill an archive and poll it."""
    asyncio.run(_polled(path, 0, 1, 1))
    _fill(path, articles)
    steps, cpu = asyncio.run(_polled(path, articles + 1, NEW, rounds))
    return Cost(articles, steps, round(cpu, 4), _room(path))


async def _polled(path: Path, first: int, count: int, rounds: int) -> tuple[int, float]:
    """The least steps and CPU seconds of some polls with as many new entries each, their articles settled."""
    now = AT
    archive = await SqliteArchive.open(path, lambda: now, parser="p", rules="r")
    costs: list[tuple[int, float]] = []
    try:
        await archive.enrol([WIRE])
        ticks = [0]
        assert archive._db is not None

        def tick() -> int:
            ticks[0] += 1
            return 0

        archive._db.conn.set_progress_handler(tick, STEP)
        for number in range(rounds):
            now += timedelta(minutes=5)
            ticks[0], began = 0, time.process_time()
            some = tuple(announced(first + number * count + n) for n in range(count))
            await archive.note(WIRE, Discovery("ok", some, count, f"d{number}", Validators("e")))
            for _ in some:
                (task,) = await archive.pending(limit=1)
                await archive.settle(task, settled(task))
            costs.append((ticks[0] * STEP, time.process_time() - began))
    finally:
        await archive.close()
    return min(steps for steps, _ in costs), min(cpu for _, cpu in costs)


# What is another one in each copy of the row that the archive stored; i counts the copies.
_OTHER: dict[str, dict[str, str]] = {
    "commits": {"seq": "i", "digest": "lower(hex(randomblob(32)))"},
    "pages": {"id": "i", "sha256": "lower(hex(randomblob(32)))", "bytes": f"randomblob({_PAGE})", '"commit"': "i"},
    "articles": {
        **{"id": "i", "key": f"'{_KEY}old-' || i", "revision": "i", "file": "'甲/' || i", "file_key": "'甲/' || i"},
        **{"date": "strftime('%Y-%m-%dT%H:%M:%SZ', '2020-01-01', '+' || i || ' seconds')"},
        **{"document": f"hex(randomblob({_TEXT}))", '"commit"': "i"},
    },
    "keys": {"key": f"'{_KEY}old-' || i", "article": "i", '"commit"': "i"},
    "entries": {"id": "i", "article": "i", "guid": "'old-' || i", "page": "i", '"commit"': "i"},
    "revisions": {
        **{"id": "i", "article": "i", "page": "i", "body": f"hex(randomblob({_TEXT}))", '"commit"': "i"},
        **{"fingerprint": "hex(randomblob(16))", "document_sha256": "lower(hex(randomblob(32)))"},
    },
    "readings": {"id": "i", "article": "i", "page": "i", '"commit"': "i"},
}


def _fill(path: Path, articles: int) -> None:
    """Copy the first row of each table until there are so many."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        first = db.execute("SELECT max(id) FROM pages").fetchone()[0] + 2
        for table, other in _OTHER.items():
            names = [
                f'"{row[1]}"' if row[1] == "commit" else row[1] for row in db.execute(f"PRAGMA table_info({table})")
            ]
            values = ", ".join(other.get(name, f"one.{name}") for name in names)
            db.execute(
                f"WITH RECURSIVE counted(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM counted"
                f" WHERE i < {articles}) INSERT INTO {table} ({', '.join(names)}) SELECT {values}"
                f" FROM counted, (SELECT * FROM {table} ORDER BY rowid LIMIT 1) AS one"
                if table != "keys"
                else f'INSERT INTO keys SELECT key, id, "commit" FROM articles WHERE id >= {first}'
            )
            db.commit()


def _room(path: Path) -> dict[str, int]:
    """Bytes per article of each table and index, the largest first."""
    with closing(sqlite3.connect(path)) as db:
        count = db.execute("SELECT count(*) FROM articles").fetchone()[0]
        rows = db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC").fetchall()
    return {name: round(size / count) for name, size in rows if size / count >= 1}


def main() -> int:
    """Measure each size, and compare the last with the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", nargs="*", type=int, default=SIZES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--dir", type=Path, help="where the archives are made, and deleted; else the system's")
    asked = parser.parse_args()
    costs: list[Cost] = []
    for articles in asked.articles:
        with tempfile.TemporaryDirectory(prefix="growth-", dir=asked.dir) as folder:
            costs.append(measured(Path(folder) / "archive.db", articles, asked.rounds))
        told = costs[-1]
        print(
            f"{articles:>9,} articles: {told.steps:,} steps, {told.cpu:.3f} s CPU a poll of {NEW} new entries",
            flush=True,
        )
    print("bytes per article:", json.dumps(costs[-1].room))
    steps, cpu = costs[-1].steps / costs[0].steps, costs[-1].cpu / costs[0].cpu
    print(f"growth: {steps:.2f} times the steps, {cpu:.2f} times the CPU time; bound {MOST}")
    return int(max(steps, cpu) > MOST)


if __name__ == "__main__":
    sys.exit(main())
