"""What the disk and other programs do to the archive: the catalogue's S1 and S4 to S6, a test per entry."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hostile import program
from stopwatch import Stopwatch
from test_archive import WIRE, announced, found, settled, using
from world import Clock, Site, desk, item, link, listened, page, rss, urls

from aggregator.archive import SqliteArchive, holder
from aggregator.errors import ArchiveError, ParseError
from aggregator.export.hexo import export, export_news
from aggregator.pipeline import poll
from aggregator.schedule import REST, Daemon


def test_s1_an_export_that_was_cut_short_is_done_again_by_the_next(tmp_path: Path) -> None:
    """What is new is counted from the last export that came to its end, not from the last commit before this run."""
    marks: list[str] = []

    def cut_short() -> Iterator[tuple[str, str]]:
        yield "a/one.md", "1"
        raise KeyboardInterrupt

    export([("a/zero.md", "0")], tmp_path, "1 aa")
    with pytest.raises(KeyboardInterrupt):
        export_news(lambda mark: (marks.append(mark) or "2 bb", cut_short()), tmp_path)
    (tmp_path / ".export-1.tmp").write_text("half a docu", encoding="utf-8")
    export_news(lambda mark: (marks.append(mark) or "3 cc", [("a/one.md", "1"), ("a/two.md", "2")]), tmp_path)
    export_news(lambda mark: (marks.append(mark) or "4 dd", []), tmp_path)
    assert marks == ["1 aa", "1 aa", "3 cc"]
    assert sorted(one.name for one in tmp_path.rglob("*.*")) == [".export", "one.md", "two.md", "zero.md"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: the kernel's own full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("at", ["listing", "article"])
def test_s4_where_no_file_may_grow_nothing_is_marked_seen_and_all_comes_with_room(tmp_path: Path, at: str) -> None:
    async def scene() -> None:
        site = Site(Clock(), urls(range(9)), etags={WIRE.url: '"1"'})
        site.answers[WIRE.url] = rss(*(item(n) for n in range(2)))
        async with desk(tmp_path / "a.db", site, WIRE) as full:
            await poll(full, WIRE)
            site.answers[WIRE.url] = rss(*(item(n) for n in range(9)))
            site.answers[link(8)] = page(8, "".join(chr(0x4E00 + n) for n in range(20_000)))
            site.etags[WIRE.url] = '"2"'
            room = (tmp_path / "a.db-wal").stat().st_size + (200_000 if at == "article" else 5_000)
            with largest_file(room), pytest.raises(ArchiveError) as refused:
                await poll(full, WIRE)
            assert refused.value.kind == "disk_full"
            noted = (await full.archive.state(WIRE)).validators.etag
            assert noted == ('"1"' if at == "listing" else '"2"')
            if at == "article":
                site.clock.move(minutes=16)  # the lease of what was under way
            await poll(full, WIRE)
        assert rows(tmp_path, "SELECT count(*) FROM articles WHERE revision IS NOT NULL") == [(9,)]
        assert rows(tmp_path, "SELECT count(*) FROM work") == [(0,)]
        assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]

    asyncio.run(scene())


HOLDER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
db.execute("COMMIT")
"""


@contextmanager
def foreign_writer(file: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Another program, which knows nothing of our lock, in the middle of a write."""
    call = [sys.executable, "-c", HOLDER, str(file), str(seconds)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_s5_a_lock_of_six_seconds_is_waited_for(tmp_path: Path) -> None:
    async def work(archive: SqliteArchive) -> float:
        await archive.enrol([WIRE])
        with foreign_writer(tmp_path / "a.db", 6):
            watch = Stopwatch()
            assert (await archive.note(WIRE, found(announced(1)))).new == 1
            return watch.seconds

    assert using(tmp_path, Clock(), work) > 5


def test_s5_a_lock_of_more_than_thirty_seconds_is_a_typed_error(tmp_path: Path) -> None:
    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        assert await archive._run(lambda db: db.execute("PRAGMA busy_timeout").fetchone()) == (30_000,)
        await archive._run(lambda db: db.execute("PRAGMA busy_timeout = 200").fetchone())
        with foreign_writer(tmp_path / "a.db", 60), pytest.raises(ArchiveError, match="Another program") as refused:
            await archive.note(WIRE, found(announced(1)))
        assert refused.value.kind == "locked"
        assert (await archive.state(WIRE)).validators.etag is None
        assert (await archive.note(WIRE, found(announced(1)))).new == 1

    using(tmp_path, Clock(), work)


def test_s5_whatever_is_written_begins_with_the_lock(tmp_path: Path) -> None:
    """A transaction that reads first and then wants to write fails at once, however long it would wait."""
    said: list[str] = []

    async def work(archive: SqliteArchive) -> None:
        await archive._run(lambda db: db.conn.set_trace_callback(said.append))
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(*(announced(n) for n in range(3))))
        first, second, _ = await archive.pending(WIRE)
        await archive.settle(first, settled(first))
        await archive.fail(second, ArchiveError("no", kind="x"), None)
        await archive.blame(WIRE, "failed", ArchiveError("no", kind="x"), None)
        await archive.hold([])

    using(tmp_path, Clock(), work)
    outside = "".join("w" if sql.startswith(("INSERT", "UPDATE", "DELETE")) else _bracket(sql) for sql in said)
    assert outside.count("(") > 5
    assert all(part in ("", "w" * len(part)) for part in outside.replace("(", ")").split(")")[1::2])
    assert not any(part for part in outside.replace("(", ")").split(")")[0::2])
    assert {sql for sql in said if sql.startswith("BEGIN")} == {"BEGIN IMMEDIATE"}


def _bracket(sql: str) -> str:
    return {"BEGIN IMMEDIATE": "(", "COMMIT": ")"}.get(sql, "")


def test_s5_the_daemon_rests_and_goes_on(tmp_path: Path) -> None:
    log, said = listened()

    async def scene() -> None:
        clock = Clock()
        async with program(tmp_path, clock) as (app, _):
            daemon = Daemon(app, log)
            await app.archive._run(lambda db: db.execute("PRAGMA busy_timeout = 100").fetchone())
            with foreign_writer(tmp_path / "archive.db", 60):
                await daemon.tick()
                await daemon.drain()
            assert {(one["event"], one["kind"], one["again_in"]) for one in said} == {("archive.refused", "locked", 30)}
            said.clear()
            await daemon.tick()
            await daemon.drain()
            assert said == []
            clock.at += REST
            await daemon.tick()
            await daemon.drain()
            told = sorted((one["feed"], one["status"], one["listed"]) for one in said)
            assert told == [("bad", "ok", 2), ("good", "ok", 2)]

    asyncio.run(scene())


HALF = "半\ud83d"  # of a surrogate pair: no UTF-8 has it
BAD = {
    "title": {"title": HALF},
    "link": {"link": f"https://wire.example/{HALF}"},
    "guid": {"id": HALF},
    "author": {"author": HALF},
    "categories": {"categories": ("好", HALF)},
    "updated": {"updated": datetime.min.replace(tzinfo=timezone(timedelta(hours=8)))},
    "published": {"published": datetime.max.replace(tzinfo=timezone(timedelta(hours=-8)))},
    "full_text": {"full_text": 1 << 70},
}


@pytest.mark.parametrize("what", [*BAD, "key"])
def test_s6_one_bad_entry_of_250_is_set_apart_and_the_others_are_stored(tmp_path: Path, what: str) -> None:
    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        entries = [announced(n) for n in range(250)]
        bad = announced(117, **BAD.get(what, {}))
        entries[117] = replace(bad, keys=(f"url:{HALF}",)) if what == "key" else bad
        first = await archive.note(WIRE, found(*entries))
        assert (first.new, first.known) == (249, 0)
        assert first.remark
        assert "an entry cannot be stored: " in first.remark
        head = await archive.head()
        again = await archive.note(WIRE, found(*entries, digest="d2"))
        assert await archive.head() == head  # nothing happened: no commit
        assert (again.new, again.known, again.remark) == (0, 249, None)
        assert (await archive.note(WIRE, found(*(announced(n) for n in range(251))))).new == 2

    using(tmp_path, Clock(), work)
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(251,)]
    ((place, item_page),) = rows(tmp_path, "SELECT place, page FROM events WHERE kind = 'unstorable'")
    assert place == "the list of wire"
    assert rows(tmp_path, f"SELECT kind, size FROM pages WHERE id = {item_page}") == [("item", 16)]
    assert rows(tmp_path, "SELECT count(*) FROM keys WHERE article NOT IN (SELECT id FROM articles)") == [(0,)]
    assert rows(tmp_path, "SELECT count(*) FROM commits WHERE digest IS NULL") == [(0,)]


def test_s6_an_article_that_cannot_be_stored_fails_alone(tmp_path: Path) -> None:
    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(announced(1), announced(2)))
        first, second = await archive.pending(WIRE)
        with pytest.raises(ParseError) as refused:
            await archive.settle(first, settled(first, title=HALF))
        assert refused.value.kind == "unstorable"
        await archive.fail(first, refused.value, None)
        assert await archive.settle(second, settled(second))

    using(tmp_path, Clock(), work)
    assert rows(tmp_path, "SELECT error_kind FROM work") == [("unstorable",)]


def rows(folder: Path, sql: str, name: str = "a.db") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / name)) as db:
        return db.execute(sql).fetchall()


def test_s5_what_fails_while_it_is_opened_or_closed_is_typed_and_lets_go_of_it(tmp_path: Path) -> None:
    async def begun() -> SqliteArchive:
        return await SqliteArchive.open(tmp_path / "a.db", Clock(), parser="p", rules="r")

    async def scene() -> None:
        archive = await begun()
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(announced(1)))
        await archive.pending(WIRE)
        await archive.close()  # as after a crash: the lease is given back at the next start
        with largest_file(0), pytest.raises(ArchiveError) as refused:
            await begun()
        assert refused.value.kind == "disk_full"
        archive = await begun()
        assert len(await archive.pending(WIRE)) == 1
        await archive._run(lambda db: db.execute("ALTER TABLE commits RENAME TO elsewhere"))
        with pytest.raises(ArchiveError, match="no such table"):
            await archive.close()
        assert holder(tmp_path / "a.db") is None

    asyncio.run(scene())
