"""The archive's upkeep by the daemon: each job when it is due and once at a time, with what came of it stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hostile import program
from sqlite_utils import Database
from test_archive import WIRE
from test_keeping import checked, command
from test_observe import read
from world import Clock, Site, desk, item, listened, rss, urls

from aggregator.app import App, poll_feed
from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.backup import backup_into
from aggregator.archive.connecting import log_size
from aggregator.archive.opening import KEPT_LOG, open_reader
from aggregator.archive.retention import Due, Keep
from aggregator.config import parse
from aggregator.errors import ArchiveError, ConfigError
from aggregator.logs import Log
from aggregator.observe import Metrics, Pulse
from aggregator.pipeline import poll
from aggregator.schedule import Daemon
from aggregator.upkeep import JOBS, Job, Upkeep

DAY = timedelta(days=1)


@asynccontextmanager
async def kept(folder: Path, clock: Clock, settings: str = "") -> AsyncIterator[App]:
    """The program with two feeds that are polled once; ``settings`` are further lines of its configuration."""
    async with program(folder, clock) as (app, _):
        for feed in app.desk.feeds.values():
            await poll_feed(app, feed)
        rest = parse(f"{settings}\nfeeds: []\n", folder / "config.yaml")
        yield replace(app, settings=app.settings.model_copy(update={"backup": rest.backup}))


async def once(app: App, *names: str) -> list[dict[str, object]]:
    """The daemon starts and does what is due of these jobs; what is stored of all."""
    upkeep = Upkeep(app, listened()[0], [job for job in JOBS if job.name in names])
    await upkeep.tick()
    await upkeep.idle()
    with Reader(app.archive.path) as reader:
        return reader.jobs()


def test_a_weekly_job_is_done_by_a_daemon_that_is_started_each_day(tmp_path: Path) -> None:
    async def run() -> list[object]:
        clock, ends = Clock(), []
        async with kept(tmp_path, clock) as app:
            for _ in range(15):
                (told,) = await once(app, "optimise")
                ends.append(told["ended"])
                clock.move(days=1)
        return ends

    assert len(set(asyncio.run(run()))) == 3


def test_each_job_runs_once_at_a_time_and_whatever_it_dies_of_is_stored(tmp_path: Path) -> None:
    begun: list[str] = []

    async def run() -> tuple[dict[str, dict[str, object]], list[object]]:
        clock, hold = Clock(), asyncio.Event()

        async def long(_: App, __: Log) -> str:
            begun.append("long")
            await hold.wait()
            return "done"

        async def broken(_: App, __: Log) -> str:
            begun.append("broken")
            raise KeyError("never meant to be")

        jobs = [
            Job("long", lambda _: DAY, long),
            Job("broken", lambda _: DAY, broken),
            Job("off", lambda _: None, long),
        ]
        async with kept(tmp_path, clock) as app:
            log, said = listened()
            upkeep = Upkeep(app, log, jobs)
            for times in range(3):
                await upkeep.tick()
                clock.move(days=2)
                while len(said) == times or "broken" in upkeep.under_way:
                    await asyncio.sleep(0)
            hold.set()
            await upkeep.idle()
            with Reader(app.archive.path) as reader:
                return {str(job["name"]): job for job in reader.jobs()}, [one["event"] for one in said]

    jobs, events = asyncio.run(run())
    assert begun == ["long", "broken", "broken", "broken"]
    assert set(jobs) == {"long", "broken"}
    assert (jobs["long"]["said"], jobs["long"]["failures"], jobs["long"]["error"]) == ("done", 0, None)
    assert (jobs["broken"]["failures"], jobs["broken"]["error_kind"]) == (3, "internal")
    assert jobs["broken"]["error"] == "KeyError: 'never meant to be'"
    assert events == ["upkeep.failed"] * 3 + ["upkeep.done"]


@pytest.mark.parametrize(
    ("moves", "times"),
    [
        ([timedelta(minutes=59)], 1),
        ([timedelta(hours=1)], 2),  # what failed is tried again
        ([timedelta(minutes=30), timedelta(minutes=30)], 2),
        ([timedelta(days=-30)], 2),  # a clock that is set back does not put it off for a month
    ],
)
def test_what_failed_is_tried_again(tmp_path: Path, moves: list[timedelta], times: int) -> None:
    begun = []

    async def broken(_: App, __: Log) -> str:
        begun.append(1)
        raise ArchiveError("no room", kind="disk_full")

    async def run() -> None:
        clock = Clock()
        async with kept(tmp_path, clock) as app:
            upkeep = Upkeep(app, listened()[0], [Job("broken", lambda _: DAY, broken)])
            for move in (timedelta(), *moves):
                clock.at += move
                await upkeep.tick()
                await upkeep.idle()

    asyncio.run(run())
    assert len(begun) == times


def test_copies_are_made_and_the_oldest_go(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    others = ("archive.db", "archive-old.db", "other-20200101T000000Z.db", "archive-20200101T000000Z.db.gz")

    async def run() -> None:
        clock = Clock()
        async with kept(tmp_path, clock, "backup: {dir: copies, every: 1d, keep: 2}") as app:
            copies.mkdir()
            for name in others:
                (copies / name).touch()
            (copies / ".archive-20200101T000000Z.db.part").touch()  # of a daemon that was killed
            for _ in range(3):
                (told,) = await once(app, "backup")
                clock.move(days=1)
        assert told["said"] == f"{copies}/archive-20261125T080000Z.db"
        assert told["error"] is None

    asyncio.run(run())
    made = {file.name for file in copies.iterdir()} - set(others)
    assert made == {"archive-20261124T080000Z.db", "archive-20261125T080000Z.db"}
    assert checked(copies / "archive-20261125T080000Z.db").damages == ()


def test_a_folder_that_is_not_there_is_told_everywhere_and_not_made(tmp_path: Path) -> None:
    async def run() -> None:
        clock = Clock()
        async with kept(tmp_path, clock, "backup: {dir: missing/copies}") as app:
            metrics = Metrics(app.archive.path, clock, Pulse())
            (told,) = await once(app, "backup")
            assert (told["ended"], told["failures"], told["error_kind"]) == (None, 1, "config")
            assert "no such folder" in str(told["error"])
            found = read(metrics.text().decode())
            assert found["aggregator_job_failures{job=backup}"] == 1
            assert found["aggregator_job_last_success_timestamp_seconds{job=backup}"] == 0
            status = json.loads(command(tmp_path, "status", "--json"))
            assert [(job["name"], job["error"]) for job in status["jobs"]] == [("backup", told["error"])]
            assert "no such folder" in " ".join(command(tmp_path, "status").split())
            assert not (tmp_path / "missing").exists()
            (tmp_path / "missing/copies").mkdir(parents=True)
            (told,) = await once(app, "backup")  # the next start does not wait
            assert (told["failures"], told["error_kind"], told["error"]) == (0, None, None)
            assert read(metrics.text().decode())["aggregator_job_last_success_timestamp_seconds{job=backup}"] > 1.7e9

    asyncio.run(run())


def test_without_configuration_nothing_is_copied_or_dropped(tmp_path: Path) -> None:
    async def run() -> list[object]:
        async with kept(tmp_path, Clock()) as app:
            return [job["name"] for job in await once(app, *(job.name for job in JOBS))]

    assert asyncio.run(run()) == ["optimise"]


@pytest.mark.parametrize("step", ["copying", "checking"])
def test_a_copy_that_is_cut_short_leaves_nothing_and_takes_nothing(tmp_path: Path, step: str) -> None:
    path, copies = tmp_path / "archive.db", tmp_path / "copies"
    copies.mkdir()
    clock = Clock()
    asyncio.run(filled(path, clock, 40))
    older = backup_into(path, copies, 1, clock(), lambda *_: None)
    clock.move(days=1)

    def watch(what: str, _: int, __: int) -> None:
        if what == step:
            raise InterruptedError("the daemon ends")

    with pytest.raises((InterruptedError, ArchiveError)):
        backup_into(path, copies, 1, clock(), watch)
    assert list(copies.iterdir()) == [older]


async def filled(path: Path, clock: Clock, number: int) -> None:
    """An archive with so many articles."""
    site = Site(clock, urls(range(number)))
    site.answers[WIRE.url] = rss(*map(item, range(number)))
    async with desk(path, site, WIRE) as at:
        await poll(at, WIRE)


def test_what_polls_left_is_indexed_without_a_poll(tmp_path: Path) -> None:
    async def run() -> tuple[int, int, str]:
        async with kept(tmp_path, Clock()) as app:
            await app.archive.clear_index()
            before = await app.archive.unindexed()
            (told,) = await once(app, "catch-up")
            return before, await app.archive.unindexed(), str(told["said"])

    assert asyncio.run(run()) == (4, 0, "4 versions indexed or compared")


def test_pages_are_looked_at_again_although_no_poll_is_due(tmp_path: Path) -> None:
    async def run() -> list[object]:
        clock = Clock()
        async with program(tmp_path, clock, defaults="every: 1d") as (app, _):
            for feed in app.desk.feeds.values():
                await poll_feed(app, feed)
            clock.move(hours=1)
            assert await app.archive.due_feeds() == []
            return [job["said"] for job in await once(app, "recheck")]

    assert asyncio.run(run()) == ["4 pages looked at again, 0 edited"]


def test_a_log_that_a_reader_kept_is_folded_in_once_it_is_gone(tmp_path: Path) -> None:
    async def run() -> None:
        clock = Clock()
        async with kept(tmp_path, clock) as app:
            path = app.archive.path
            reader = open_reader(path)
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM feeds").fetchone()
            writer = Database(path)
            writer.execute("CREATE TABLE filler (bytes BLOB)")
            writer.execute("INSERT INTO filler VALUES (zeroblob(?))", [KEPT_LOG])
            writer.conn.commit()
            assert log_size(path) > KEPT_LOG
            assert await once(app, "fold") == []  # it does not wait for a reader
            reader.close()
            (told,) = await once(app, "fold")
            assert log_size(path) < KEPT_LOG / 100
            assert str(told["said"]).startswith("the log has 0 bytes, had ")
            writer.close()

    asyncio.run(run())


def test_the_index_is_merged_in_turns_and_finds_the_same(tmp_path: Path) -> None:
    async def run() -> int:
        path = tmp_path / "archive.db"
        site = Site(Clock(), urls(range(60)))
        async with desk(path, site, WIRE) as at:
            archive = at.archive
            assert isinstance(archive, SqliteArchive)
            for upto in range(10, 70, 10):
                site.answers[WIRE.url] = rss(*map(item, range(upto)))
                await poll(at, WIRE)
                await archive.catch_up(at.rules)
            turns = await archive.tending.merge()
        assert checked(path).damages == ()
        return turns

    assert asyncio.run(run()) > 1


def test_retention_goes_in_portions_and_says_the_whole(tmp_path: Path) -> None:
    clock = Clock()
    asyncio.run(filled(tmp_path / "archive.db", clock, 120))
    clock.move(days=10)
    keep = {"wire": Keep(86_400, 86_400)}

    async def run() -> tuple[list[Due], list[Due]]:
        async with desk(tmp_path / "archive.db", Site(clock), WIRE) as at:
            assert isinstance(at.archive, SqliteArchive)
            with Reader(at.archive.path) as reader:
                said = reader.no_longer_kept(clock(), keep, Keep())
            return said, await at.archive.retain(keep, Keep())

    said, done = asyncio.run(run())
    assert done == said
    assert len(said[0].texts) == 120
    sizes = [(len(part.pages), len(part.texts)) for part in said[0].portions()]
    assert sizes == [(50, 0)] * 4 + [(40, 0)] + [(0, 50)] * 2 + [(0, 20)]
    assert checked(tmp_path / "archive.db").damages == ()


def test_what_others_wrote_meanwhile_is_not_dropped(tmp_path: Path) -> None:
    clock = Clock()
    asyncio.run(filled(tmp_path / "archive.db", clock, 2))
    clock.move(days=10)
    keep = {"wire": Keep(86_400, 86_400)}

    async def run() -> None:
        async with desk(tmp_path / "archive.db", Site(clock), WIRE) as at:
            assert isinstance(at.archive, SqliteArchive)
            with Reader(at.archive.path) as reader:
                (said,) = reader.no_longer_kept(clock(), keep, Keep())
            db = Database(at.archive.path)
            db.execute("INSERT INTO work (article, host, state) VALUES (1, 'wire.example', 'failed')")
            db.conn.commit()
            db.close()
            parts = [await at.archive._run(dropping(keep, clock), part) for part in said.portions()]
            assert [part.texts for part in parts if part.texts] == [(2,)]

    asyncio.run(run())


def dropping(keep: dict[str, Keep], clock: Clock) -> Callable[[Database, Due], Due]:
    from aggregator.archive import retention

    return lambda db, some: retention.drop(db, clock, keep, Keep(), some)


def test_the_daemon_does_it_all_beside_its_polls_and_stops_it_when_it_ends(tmp_path: Path) -> None:
    async def run() -> list[dict[str, object]]:
        async with kept(tmp_path, Clock(), "backup: {dir: .}") as app:
            log, said = listened()
            daemon = Daemon(app, log)
            await daemon.start()
            while sum(one["event"] == "upkeep.done" for one in said) < 2:
                await asyncio.sleep(0)
            await daemon.stop(5.0)
            with Reader(app.archive.path) as reader:
                return reader.jobs()

    assert [(job["name"], job["failures"]) for job in asyncio.run(run())] == [("backup", 0), ("optimise", 0)]


@pytest.mark.parametrize("wrong", ["{keep: 0}", "{every: never}", "{folder: a}"])
def test_a_wrong_configuration_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match="backup"):
        parse(f"backup: {wrong}\nfeeds: []\n", tmp_path / "config.yaml")
