"""What makes it fast, counted: calls, connections, modules. Times are for tests/benchmarks."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from world import Clock, Site, desk, feed

from aggregator.archive.questions import LOOKS, at
from aggregator.model import Announced, Article, Discovery, Entry, Noted, Settled
from aggregator.pipeline.crew import FEW, MANY, one_by_one, work_through
from aggregator.pipeline.desk import Budget


@dataclass
class Work:
    """Tasks that wait, as an archive hands them out; what was asked for, and given back."""

    waiting: list[int]
    asked: list[int] = field(default_factory=list)
    released: list[int] = field(default_factory=list)

    async def claim(self, most: int) -> list[int]:
        self.asked.append(most)
        claimed, self.waiting = self.waiting[:most], self.waiting[most:]
        return claimed

    async def attempt(self, task: int) -> int:
        if task < 0:
            raise ValueError(task)
        await asyncio.sleep(0)
        return task

    async def release(self, tasks: Sequence[int]) -> None:
        self.released += tasks

    def done(self, room: Budget) -> list[int]:
        return asyncio.run(work_through(3, room, self.claim, one_by_one(self.attempt), release=self.release))


def test_after_a_poll_without_news_the_archive_is_asked_once_for_work() -> None:
    work = Work([])
    assert (work.done(Budget()), len(work.asked)) == ([], 1)


def test_where_little_waits_the_archive_is_asked_once_more_when_it_is_done() -> None:
    work = Work([1, 2, 3, 4, 5])
    assert (sorted(work.done(Budget())), len(work.asked)) == ([1, 2, 3, 4, 5], 2)


def test_what_comes_while_the_last_is_worked_on_is_done_too() -> None:
    work = Work([1, 2, 3])

    async def attempt(task: int) -> int:
        await asyncio.sleep(0)
        if task == 3:
            work.waiting += [4, 5]
        return task

    assert sorted(asyncio.run(work_through(3, Budget(), work.claim, one_by_one(attempt)))) == [1, 2, 3, 4, 5]


def test_work_is_claimed_in_portions_that_grow_while_it_goes_quickly() -> None:
    work = Work(list(range(2_500)))
    assert sorted(work.done(Budget())) == list(range(2_500))
    assert work.asked[:4] == [FEW, 2 * FEW, 4 * FEW, 8 * FEW]
    assert max(work.asked) == MANY


@pytest.mark.parametrize(("room", "done", "asked"), [(0, 0, []), (1, 1, [1]), (25, 25, [20, 5])])
def test_no_more_is_claimed_than_there_is_room_for(room: int, done: int, asked: list[int]) -> None:
    work = Work(list(range(500)))
    assert (len(work.done(Budget(room))), work.asked, work.released) == (done, asked, [])


def test_what_nobody_got_to_is_given_back() -> None:
    work = Work([1, -2, 3, 4, 5, 6, 7, 8, 9])
    with pytest.raises(ValueError, match="-2"):
        work.done(Budget())
    assert work.released == [5, 6, 7, 8, 9]


def test_one_portion_is_attempted_at_a_time_and_of_no_more_than_there_is_room_for() -> None:
    work, sizes = Work(list(range(100))), []
    under_way, most = 0, 0

    async def attempt(tasks: Sequence[int]) -> Sequence[int]:
        nonlocal under_way, most
        sizes.append(len(tasks))
        under_way += len(tasks)
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= len(tasks)
        return tasks

    def portion(waiting: Sequence[int]) -> int:
        return min(len(waiting), 8) if waiting[0] != 16 else 1  # which goes by itself

    done = work_through(8, Budget(90), work.claim, attempt, release=work.release, portion=portion)
    assert sorted(asyncio.run(done)) == list(range(90))
    assert (most, sizes[:4], sum(sizes)) == (9, [8, 8, 1, 3], 90)


@pytest.mark.parametrize("bad", [0, 2])
def test_what_is_settled_together_is_one_commit_and_what_cannot_be_stored_is_set_apart(
    tmp_path: Path, bad: int
) -> None:
    titles = [str(n) if n != bad else "\ud800" for n in range(4)]  # half a surrogate pair cannot be stored
    found, again = asyncio.run(_settled_together(tmp_path / "archive.db", titles, [(f"{n}.md",) for n in range(4)]))
    assert found == ["unstorable" if n == bad else True for n in range(4)]
    assert again == [f"url:https://wire.example/{bad}"]
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        assert db.execute('SELECT count(*), count(DISTINCT "commit") FROM revisions').fetchone() == (3, 1)
        assert db.execute("SELECT count(*) FROM commits WHERE digest IS NULL").fetchone() == (0,)
        stored = [(title,) for title in titles if title != "\ud800"]
        assert db.execute("SELECT title FROM revisions ORDER BY id").fetchall() == stored


def test_documents_that_are_settled_together_each_have_a_file_of_their_own(tmp_path: Path) -> None:
    files = [("0.md",), ("甲.md", "甲-1.md"), ("甲.MD", "甲-1.md"), ("甲.md", "甲-1.md")]
    found, again = asyncio.run(_settled_together(tmp_path / "archive.db", list("0123"), files))
    assert (found, again) == ([True, True, True, "damaged"], ["url:https://wire.example/3"])
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        kept = db.execute("SELECT file FROM articles WHERE file NOT NULL ORDER BY id").fetchall()
        assert kept == [("0.md",), ("甲.md",), ("甲-1.md",)]


async def _settled_together(
    path: Path, titles: Sequence[str], files: Sequence[tuple[str, ...]]
) -> tuple[list[object], list[str]]:
    """What became of articles of these titles and files, and which still wait."""
    site = Site(Clock())
    wire = feed()
    async with desk(path, site, wire) as one:
        entries = [Entry(str(n), f"https://wire.example/{n}", str(n)) for n in range(len(titles))]
        announced = tuple(Announced((f"url:{entry.link}",), entry, None) for entry in entries)
        await one.archive.note(wire, Discovery("ok", announced, len(titles)))
        tasks = sorted(await one.archive.pending(wire, len(titles)), key=lambda task: task.entry.title)
        done = [
            Settled(Article("u", title), "d", "none", names, title, None, "first")
            for title, names in zip(titles, files, strict=True)
        ]
        found = await asyncio.gather(*map(one.archive.settle, tasks, done), return_exceptions=True)
        await one.archive.release(tasks)
        waiting = await one.archive.pending(wire, len(titles))
        return [getattr(outcome, "kind", outcome) for outcome in found], [task.key for task in waiting]


def test_polls_that_end_together_are_one_commit_and_an_entry_that_cannot_be_stored_is_set_apart(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    feeds = [feed(str(n), f"https://{n}.example/") for n in range(4)]

    def listed(number: int) -> Discovery:
        titles = ["新", "\ud800" if number == 2 else "闻"]
        entries = [Entry(title, f"https://{number}.example/{n}", title) for n, title in enumerate(titles)]
        return Discovery("ok", tuple(Announced((f"url:{one.link}",), one, None) for one in entries), 2)

    async def run() -> list[Noted]:
        async with desk(path, Site(Clock()), *feeds) as one:
            return await asyncio.gather(*(one.archive.note(each, listed(n)) for n, each in enumerate(feeds)))

    noted = asyncio.run(run())
    assert [one.new for one in noted] == [2, 2, 1, 2]
    assert [bool(one.remark) for one in noted] == [False, False, True, False]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute('SELECT count(*), count(DISTINCT "commit") FROM entries').fetchone() == (7, 1)
        assert db.execute("SELECT kind FROM events").fetchall() == [("unstorable",)]


def test_polls_that_announce_nothing_share_a_transaction_and_each_is_noted(tmp_path: Path) -> None:
    path, clock = tmp_path / "archive.db", Clock()
    feeds = [feed(str(n), f"https://{n}.example/") for n in range(6)]

    async def run() -> list[Noted | BaseException]:
        async with desk(path, Site(clock), *feeds) as one:
            for each in feeds:
                await one.archive.note(each, Discovery("ok", digest="d", fetched_at=clock()))
            clock.move(minutes=5)
            quiet = Discovery("unchanged", fetched_at=clock())
            unknown = feed("stranger", "https://stranger.example/")
            polls = [one.archive.note(each, quiet) for each in (*feeds, unknown)]
            return await asyncio.gather(*polls, return_exceptions=True)

    *noted, refused = asyncio.run(run())
    assert noted == [Noted(waiting=False)] * 6
    assert getattr(refused, "kind", None) == "missing"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT DISTINCT status, last_polled FROM feeds").fetchall() == [
            ("unchanged", "2026-11-23T08:05:00Z")
        ]


def test_which_looks_are_due_is_asked_of_what_is_due(tmp_path: Path) -> None:
    """Also where SQLite learnt that there are none: it then began with all articles, after every poll."""
    path = tmp_path / "archive.db"

    async def empty() -> None:
        async with desk(path, Site(Clock()), feed()):
            pass

    asyncio.run(empty())
    with closing(sqlite3.connect(path)) as db:
        db.execute("ANALYZE")
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {LOOKS}", at(Clock()()))]
    assert "SEARCH k USING INDEX rechecks_due (due<?)" in plan
    assert "SEARCH a USING INTEGER PRIMARY KEY (rowid=?)" in plan


@pytest.mark.parametrize(
    ("command", "unwanted"),
    [
        ("from aggregator.archive import SqliteArchive, Reader", "pandas numpy"),
        ("from aggregator.web import Client", "click rich pygments"),
        ("import aggregator.cli.polling", "pandas numpy feedparser trafilatura apscheduler exchange_calendars rich"),
        ("import aggregator.cli.fetching", "pandas numpy feedparser trafilatura apscheduler exchange_calendars"),
    ],
)
def test_what_takes_long_to_load_is_loaded_by_who_needs_it(command: str, unwanted: str) -> None:
    program = f"import sys\n{command}\nprint(*[one for one in {unwanted.split()} if sys.modules.get(one)])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("told", [None, "2"])
def test_numpy_begins_no_threads_unless_told_to(told: str | None) -> None:
    program = (
        "import os, aggregator.identity.minhash\n"
        "print(len(os.listdir('/proc/self/task')), os.environ.get('OPENBLAS_NUM_THREADS'))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": told} if told else {}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    threads, left = done.stdout.split()
    assert left == str(told)
    assert told or threads == "1"
