"""What any archive must do, over the SQLite one: nothing announced is lost, done twice, or overwritten."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database
from world import CATEGORIES, START, Clock, feed

from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.chain import COVERED
from aggregator.archive.schema import migrations
from aggregator.errors import ArchiveError, FetchError, ParseError
from aggregator.model import Announced, Article, Discovery, Entry, Hold, Page, Pending, Settled, Validators

WIRE = feed()


def announced(number: int, **more: object) -> Announced:
    values: dict[str, object] = {"published": START, "updated": START, "raw": b"<item>%d</item>" % number}
    values |= {"id": f"g{number}", "link": f"https://wire.example/{number}", "title": f"标题{number}"}
    entry = Entry(**(values | more))  # type: ignore[arg-type]
    return Announced((f"url:https://wire.example/{number}",), entry, START)


def found(*ones: Announced, status: str = "ok", digest: str = "d", etag: str | None = '"e"') -> Discovery:
    return Discovery(status, ones, len(ones), digest, Validators(etag))  # type: ignore[arg-type]


def settled(task: Pending, words: str = "正文", title: str | None = None) -> Settled:
    article = Article(task.entry.link or "", title or task.entry.title, html=f"<p>{words}</p>", text=words)
    name = "/".join(CATEGORIES) + f"/{article.title}"
    body = Page(article.url, article.url, 200, {}, words.encode(), START)
    return Settled(
        article, f"\n---\n{words}", "none", (f"{name}.md", f"{name}-{task.article}.md"), words, body, "first"
    )


def using(path: Path, clock: Clock, work: Callable[[SqliteArchive], Awaitable[object]], rules: str = "r") -> object:
    """Do something with the archive, opened and closed around it."""

    async def run() -> object:
        archive = await SqliteArchive.open(path / "a.db", clock, parser="p", rules=rules)
        try:
            return await work(archive)
        finally:
            await archive.close()

    return asyncio.run(run())


def test_entries_and_validators_come_together_and_blame_leaves_them(tmp_path: Path) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        noted = await archive.note(WIRE, found(announced(1), announced(2)))
        assert (noted.new, noted.known, noted.changed) == (2, 0, 0)
        state = await archive.state(WIRE)
        assert (state.validators.etag, state.digest, state.status) == ('"e"', "d", "ok")
        await archive.blame(WIRE, "failed", FetchError("no", kind="dns"), None)
        state = await archive.state(WIRE)
        assert (state.validators.etag, state.digest, state.status) == ('"e"', "d", "failed")
        assert (await archive.note(WIRE, found(announced(1), announced(2)))).new == 0

    using(tmp_path, clock, work)


def test_without_a_listing_to_compare_there_is_no_asking_whether_it_changed(tmp_path: Path) -> None:
    async def notes(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(announced(1)))

    async def asks(archive: SqliteArchive) -> object:
        return (await archive.state(WIRE)).validators

    using(tmp_path, Clock(), notes)
    assert using(tmp_path, Clock(), asks) == Validators('"e"')
    db = Database(tmp_path / "a.db")
    db.execute("UPDATE feeds SET digest = NULL")
    db.conn.commit()
    db.close()
    assert using(tmp_path, Clock(), asks) == Validators()


def test_a_failing_article_is_handed_out_again_and_again_and_then_stays_visible(tmp_path: Path) -> None:
    clock = Clock()
    error = FetchError("cut", kind="truncated", where="u")

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(announced(1)))
        for seconds in (60, 600, 3_600, 21_600, 86_400):
            (task,) = await archive.pending()
            await archive.fail(task, error, None)
            assert await archive.pending() == []
            clock.move(seconds=seconds - 1)
            assert await archive.due() == 0
            clock.move(seconds=1)
        (task,) = await archive.pending()
        await archive.fail(task, error, None)
        clock.move(days=400)
        assert await archive.pending() == []
        with Reader(tmp_path / "a.db") as reader:
            (trouble,) = reader.troubles()
        assert (trouble["state"], trouble["tries"], trouble["error_kind"]) == ("failed", 6, "truncated")
        assert await archive.revive() == 1
        assert len(await archive.pending()) == 1

    using(tmp_path, clock, work)


def test_new_rules_revive_what_older_ones_could_not_read(tmp_path: Path) -> None:
    clock = Clock()

    async def fails(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(announced(1), announced(2)))
        for kind in ("extract_failed", "timeout"):
            (task,) = await archive.pending(limit=1)
            await archive.fail(task, ParseError("no", kind=kind), Page("u", "u", 200, {}, b"<p>", START))

    async def count(archive: SqliteArchive) -> int:
        return await archive.due()

    using(tmp_path, clock, fails)
    assert using(tmp_path, clock, count, "r") == 0
    assert using(tmp_path, clock, count, "r2") == 1
    with Reader(tmp_path / "a.db") as reader:
        assert reader.page(3) == b"<p>"


@pytest.mark.parametrize("kind", ["held", "rate_limited", "blocked"])
def test_the_hosts_trouble_is_not_the_articles(tmp_path: Path, kind: str) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(announced(1)))
        for _ in range(9):
            (task,) = await archive.pending()
            await archive.fail(task, FetchError("later", kind=kind, retry_at=clock() + timedelta(hours=1)), None)
            assert await archive.pending() == []
            clock.move(hours=1)
        assert len(await archive.pending()) == 1

    using(tmp_path, clock, work)


def test_one_article_from_five_feeds_is_handed_out_once_and_stays_at_home(tmp_path: Path) -> None:
    clock = Clock()
    feeds = [feed(f"f{n}", f"https://wire.example/{n}.xml") for n in range(5)]
    other = ("甲", "乙", "丙")

    async def first(archive: SqliteArchive) -> None:
        await archive.enrol(feeds)
        for one in reversed(feeds):
            await archive.note(one, found(announced(1), announced(2)))
        tasks = [task for some in await asyncio.gather(*(archive.pending(limit=1) for _ in range(6))) for task in some]
        assert sorted(task.article for task in tasks) == [1, 2]
        assert {task.feed for task in tasks} == {"f0"}
        for task in tasks:
            assert await archive.settle(task, settled(task))

    async def second(archive: SqliteArchive) -> None:
        await archive.enrol([replace(one, categories=other) for one in reversed(feeds)])
        await archive.note(feeds[4], found(announced(1, updated=START + timedelta(hours=1))))
        (task,) = await archive.pending()
        assert task.feed == "f0"
        await archive.settle(task, settled(task, "改过的正文"))

    using(tmp_path, clock, first)
    with Reader(tmp_path / "a.db") as reader:
        before = reader.article("url:https://wire.example/1")
    using(tmp_path, clock, second)
    with Reader(tmp_path / "a.db") as reader:
        after = reader.article("url:https://wire.example/1")
        assert reader.totals()["sightings"] == 11
    assert before
    assert after
    assert (after["home_feed"], after["file"], after["date"]) == (before["home_feed"], before["file"], before["date"])
    assert (before["revision"], after["revision"], after["document"]) == (1, 2, "\n---\n改过的正文")


def test_an_edit_is_done_once_over_all_feeds_and_equal_content_makes_no_revision(tmp_path: Path) -> None:
    clock = Clock()
    feeds = [feed("a", "https://wire.example/a"), feed("b", "https://wire.example/b")]
    later = announced(1, updated=START + timedelta(hours=1))

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol(feeds)
        for one in feeds:
            await archive.note(one, found(announced(1)))
        (task,) = await archive.pending()
        await archive.settle(task, settled(task))
        assert [(await archive.note(one, found(later))).changed for one in feeds] == [1, 0]
        (task,) = await archive.pending()
        assert not await archive.settle(task, settled(task))
        assert [(await archive.note(one, found(later))).changed for one in feeds] == [0, 0]
        assert await archive.pending() == []

    using(tmp_path, clock, work)
    with Reader(tmp_path / "a.db") as reader:
        assert reader.totals()["revisions"] == 1


def test_equal_titles_are_two_articles_with_two_files_and_case_does_not_fool_it(tmp_path: Path) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(
            WIRE, found(*(announced(n, title=title) for n, title in enumerate(("LPR报价", "LPR报价", "lpr报价"))))
        )
        for task in await archive.pending():
            await archive.settle(task, settled(task))

    using(tmp_path, clock, work)
    with Reader(tmp_path / "a.db") as reader:
        names = [name.casefold() for name, _ in reader.documents()]
    assert len(set(names)) == 3


def test_doubts_about_a_listing_stay_until_it_is_read_without_any(tmp_path: Path) -> None:
    told = []

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        many = tuple(f"item {n}: odd" for n in range(1000))
        for warnings in (("broken bytes",), None, many, None, ()):
            await archive.note(WIRE, replace(found(announced(1)), warnings=warnings))
            with Reader(tmp_path / "a.db") as reader:
                told.append(reader.feeds()[0]["warnings"])

    using(tmp_path, Clock(), work)
    first = ["broken bytes"]
    cut = [*(f"item {n}: odd" for n in range(20)), "… and 980 more"]
    assert told == [first, first, cut, cut, []]
    db = Database(tmp_path / "a.db")
    assert [row[0] is None for row in db.execute("SELECT warnings FROM polls ORDER BY id")] == [False, False, True]
    db.close()


def test_a_poll_with_nothing_new_costs_next_to_nothing(tmp_path: Path) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(*(announced(n) for n in range(50))))
        await archive.note(WIRE, found(status="unchanged"))
        before = size(tmp_path)
        for _ in range(500):
            clock.move(minutes=5)
            await archive.note(WIRE, found(status="unchanged"))
        assert size(tmp_path) - before <= 500 * 500

    using(tmp_path, clock, work)


def size(path: Path) -> int:
    with sqlite3.connect(path / "a.db") as reader:
        (pages,), (page_size,) = (reader.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    reader.close()
    return int(pages) * int(page_size)


def test_clocks_that_go_back_do_not_turn_the_archive_back(tmp_path: Path) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        for number in range(4):
            await archive.note(WIRE, found(announced(number)))
            clock.move(hours=-1 if number % 2 else 2)

    using(tmp_path, clock, work)
    db = Database(tmp_path / "a.db")
    stamps = [row["at"] for row in db.query("select at from commits order by seq")]
    db.close()
    assert stamps == sorted(stamps)
    assert len(stamps) == 4


def test_held_hosts_are_left_alone_and_a_feed_that_left_keeps_its_history(tmp_path: Path) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(announced(1)))
        until = clock() + timedelta(hours=2)
        await archive.hold([Hold("wire.example", until, 3, "429")])
        assert await archive.holds() == [Hold("wire.example", until, 3, "429")]
        assert (await archive.state(WIRE)).held_until == until
        assert await archive.pending() == []
        await archive.hold([Hold("wire.example", None, 0)])
        assert len(await archive.pending()) == 1
        await archive.enrol([replace(WIRE, url="https://wire.example/moved")])
        assert (await archive.state(WIRE)).validators == Validators()
        await archive.enrol([])
        with Reader(tmp_path / "a.db") as reader:
            assert [(row["name"], row["active"], row["articles"]) for row in reader.feeds()] == [("wire", 0, 1)]

    using(tmp_path, clock, work)


def test_cancelled_while_it_settles_the_archive_is_whole(tmp_path: Path) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(*(announced(n) for n in range(20))))
        tasks = await archive.pending()
        for each in tasks:
            under_way = asyncio.create_task(archive.settle(each, settled(each)))
            await asyncio.sleep(0)
            under_way.cancel()
            with pytest.raises(asyncio.CancelledError):
                await under_way

    using(tmp_path, clock, work)
    with Reader(tmp_path / "a.db") as reader:
        totals = reader.totals()
    assert (totals["articles"], totals["revisions"], totals["pending"]) == (20, 20, 0)


# -- the file ---------------------------------------------------------------------------------------------------------


async def nothing(_: SqliteArchive) -> None:
    """Open and close."""


def test_what_is_no_archive_is_refused_and_left_alone(tmp_path: Path) -> None:
    foreign = Database(tmp_path / "foreign.db")
    foreign["t"].insert({"a": 1})  # type: ignore[union-attr]
    foreign.close()
    files = {"empty": b"", "text": b"hello " * 200, "foreign": (tmp_path / "foreign.db").read_bytes()}
    for name, data in files.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.db").write_bytes(data)
        with pytest.raises(ArchiveError) as refused:
            using(folder, Clock(), nothing)
        assert refused.value.kind == "not_an_archive"
        assert (folder / "a.db").read_bytes() == data


def test_a_newer_schema_a_missing_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as missing:
        using(tmp_path / "no", Clock(), nothing)
    assert missing.value.kind == "missing"
    with pytest.raises(ArchiveError) as unread:
        Reader(tmp_path / "a.db")
    assert (unread.value.kind, list(tmp_path.iterdir())) == ("missing", [])
    using(tmp_path, Clock(), nothing)
    db = Database(tmp_path / "a.db")
    db["_sqlite_migrations"].insert({"migration_set": "aggregator", "name": "m999_later", "applied_at": "x"})  # type: ignore[union-attr]
    db.close()
    for opened in (lambda: using(tmp_path, Clock(), nothing), lambda: Reader(tmp_path / "a.db")):
        with pytest.raises(ArchiveError) as newer:
            opened()
        assert newer.value.kind == "newer_schema"


HOLDER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from aggregator.archive import SqliteArchive
async def main():
    await SqliteArchive.open(Path(sys.argv[1]), lambda: datetime.now(UTC), parser="p", rules="r")
    print("open", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""


def test_a_second_process_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    call = [sys.executable, "-c", HOLDER, str(tmp_path / "a.db")]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(ArchiveError, match=f"process {holder.pid} is writing") as refused:
            using(tmp_path, Clock(), nothing)
        assert refused.value.kind == "locked"
        holder.kill()
        holder.wait()
    using(tmp_path, Clock(), nothing)


def test_s4_a_full_disk_is_told_and_nothing_is_torn(tmp_path: Path) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        db = archive._db
        assert db is not None
        limit = await archive._run(lambda one: one.execute("PRAGMA page_count").fetchone()[0])
        await archive._run(lambda one: one.execute(f"PRAGMA max_page_count = {limit + 2}").fetchone())
        with pytest.raises(ArchiveError) as full:
            await archive.note(WIRE, found(*(announced(n, summary="长" * 3000) for n in range(60))))
        assert full.value.kind == "disk_full"
        assert (await archive.state(WIRE)).digest is None
        await archive._run(lambda one: one.execute("PRAGMA max_page_count = 1000000").fetchone())
        assert (await archive.note(WIRE, found(*(announced(n) for n in range(60))))).new == 60

    using(tmp_path, clock, work)


def test_how_the_file_is_kept(tmp_path: Path) -> None:
    async def work(archive: SqliteArchive) -> Sequence[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [await archive._run(lambda db, name=name: db.execute(f"PRAGMA {name}").fetchone()[0]) for name in names]

    assert using(tmp_path, Clock(), work) == ["wal", 2, 1]


def test_every_table_of_facts_is_covered() -> None:
    db = Database(memory=True)
    migrations.apply(db)
    facts = {name for name in db.table_names() if "commit" in {column.name for column in db[name].columns}}
    aliases = {"keys"}  # a feed's new name changes them
    work = {"deliveries"}  # what is still to be told of a commit, until it is told
    assert {covered.table for covered in COVERED} == facts - aliases - work
    for covered in COVERED:
        assert covered.but <= {column.name for column in db[covered.table].columns}
    db.close()
