"""Nothing to do: told without opening the archive for writing, and only where opening it would change nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from world import START, Clock, Site, desk, feed, item, rss, urls

from aggregator.archive import SqliteArchive
from aggregator.archive.idle import Versions, is_idle
from aggregator.archive.lock import WriterLock
from aggregator.articles.rules import built_in
from aggregator.model import Feed
from aggregator.pipeline import poll

WIRE = feed(recheck=(3600,))
OTHER = feed("other", "https://other.example/feed.xml", recheck=())
ROBOTS = "UPDATE work SET state = 'failed', error_kind = 'robots'"
WORK = "INSERT INTO work (article, host, state, next_try) VALUES (1, 'wire.example', 'pending', '9999')"
IMAGE = "INSERT INTO image_work (url, host, state, next_try) VALUES ('u', 'h', 'pending', '9999')"


@pytest.fixture
def polled(tmp_path: Path) -> Path:
    """An archive in which everything is done: two feeds polled, an article archived, indexed and compared."""
    path = tmp_path / "archive.db"
    site = Site(Clock(), urls([1]) | {WIRE.url: rss(item(1)), OTHER.url: rss()})

    async def work() -> None:
        async with desk(path, site, WIRE, OTHER) as one:
            for each in (WIRE, OTHER):
                await poll(one, each)
            while await one.archive.catch_up(built_in()):
                pass

    asyncio.run(work())
    return path


def idle(
    path: Path,
    feeds: Sequence[Feed] = (WIRE, OTHER),
    *,
    minutes: float = 1,
    wanted: Sequence[str] = ("wire", "other"),
    rules: str = "test",
    calendars: str | None = None,
    robots: bool = False,
) -> bool:
    clock = Clock()
    clock.move(minutes=minutes)
    return is_idle(path, feeds, wanted, clock(), Versions(lambda: rules, lambda: calendars), robots=robots)


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def test_what_is_idle_stays_as_it_is_when_it_is_opened(polled: Path) -> None:
    assert idle(polled)
    before = dump(polled)
    clock = Clock()
    clock.move(minutes=1)

    async def opened() -> None:
        archive = await SqliteArchive.open(polled, clock, parser="test", rules="test")
        await archive.enrol([WIRE, OTHER])
        assert await archive.revive("robots") == await archive.revive_images("robots") == 0
        assert await archive.due_feeds() == []
        assert await archive.due() == await archive.due_images() == await archive.rechecks_due() == 0
        assert not await archive.chores(None)
        await archive.close()

    asyncio.run(opened())
    assert dump(polled) == before
    assert not polled.with_name("archive.db-wal").exists()


def test_a_feed_is_due_and_not_before(polled: Path) -> None:
    assert idle(polled, minutes=4.4)
    assert not idle(polled, minutes=4.6)  # half a minute early, for who asks only now and then
    assert not idle(polled, minutes=5.1)
    assert idle(polled, minutes=5.1, wanted=())
    change(polled, "UPDATE feeds SET next_due = '9999-01-01T00:00:00Z' WHERE name = 'wire'")
    assert not idle(polled)  # a clock was wrong


def test_a_page_is_to_be_looked_at_again(polled: Path) -> None:
    change(polled, f"UPDATE feeds SET next_due = '{START:%Y-%m-%dT23:00:00Z}'")
    assert idle(polled, minutes=59)
    assert not idle(polled, minutes=61)


@pytest.mark.parametrize(
    "statements",
    [
        (WORK, "UPDATE work SET next_try = '2000'"),
        (WORK, "UPDATE work SET claimed_until = '2000'"),
        (WORK, ROBOTS),
        (WORK, "UPDATE work SET rules = 'older', error_kind = 'extract_failed'"),
        (IMAGE, "UPDATE image_work SET next_try = '2000'"),
        (IMAGE, "UPDATE image_work SET claimed_until = '2000'"),
        (IMAGE, "UPDATE image_work SET state = 'failed', error_kind = 'robots'"),
        ("UPDATE rechecks SET claimed_until = '2000'",),
        ("UPDATE feeds SET renaming_to = 'new' WHERE name = 'wire'",),
        ("UPDATE feeds SET every = 301",),
        ("UPDATE feeds SET way = 1, way_url = 'https://gone.example/' WHERE name = 'wire'",),
        ("UPDATE feeds SET active = 0 WHERE name = 'wire'",),
        ("UPDATE indexed SET revision = 0",),
        ("UPDATE indexed SET version = 0",),
        ("DELETE FROM compared",),
        ("DELETE FROM _sqlite_migrations WHERE id = 3",),
        ("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('aggregator', 'm999_of_a_later_version')",),
        ("DROP TABLE work",),
    ],
)
def test_what_waits_is_seen(polled: Path, statements: Sequence[str]) -> None:
    change(polled, *statements)
    assert not idle(polled)


def test_what_waits_for_later_does_not_count(polled: Path) -> None:
    change(polled, WORK, IMAGE, "UPDATE work SET rules = 'test', error_kind = 'extract_failed'")
    assert idle(polled)
    assert not idle(polled, rules="others")
    change(polled, ROBOTS)
    assert idle(polled, robots=True)


def test_trading_days_are_filled_in_where_symbols_are_named(polled: Path) -> None:
    assert idle(polled, calendars="4.5")
    change(polled, "INSERT INTO symbols (symbol, article, revision) VALUES ('sh600519', 1, 1)")
    assert idle(polled)
    assert not idle(polled, calendars="4.5")
    change(polled, f"INSERT INTO calendars (version, filled) VALUES ('4.5', '{START:%Y-%m-%dT%H:%M:%SZ}')")
    assert idle(polled, calendars="4.5")
    assert not idle(polled, calendars="4.6")


@pytest.mark.parametrize(
    "feeds",
    [
        (OTHER, WIRE),
        (WIRE,),
        (WIRE, OTHER, feed("third", "https://third.example/")),
        (WIRE, feed("another", OTHER.url, recheck=())),
        (WIRE, replace(OTHER, url="https://other.example/rss")),
        (WIRE, replace(OTHER, enabled=False)),
        (WIRE, replace(OTHER, every=600)),
        (),
    ],
)
def test_another_configuration_is_something_to_do(polled: Path, feeds: Sequence[Feed]) -> None:
    assert not idle(polled, feeds)


def test_a_feed_that_has_moved_is_the_same(polled: Path) -> None:
    change(polled, "UPDATE feeds SET moved_to = 'https://new.example/', host = 'new.example' WHERE name = 'wire'")
    assert idle(polled)


def test_whoever_opens_it_says_what_is_wrong(polled: Path, tmp_path: Path) -> None:
    lock = WriterLock(polled)
    lock.acquire()
    assert not idle(polled)
    lock.release()
    assert not idle(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()
    assert not idle(tmp_path)
    (tmp_path / "text").write_text("no archive " * 1000)
    assert not idle(tmp_path / "text")
    with closing(sqlite3.connect(polled)) as reader:  # as a process that was killed leaves it
        reader.execute("UPDATE feeds SET failures = 1")
        reader.commit()
        assert polled.with_name("archive.db-wal").stat().st_size
        assert not idle(polled)


def test_fetch_that_has_nothing_to_do_loads_no_more_than_that_takes(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    row = "{name: wire, source: feed, url: 'https://wire.example/', enabled: false}"
    config.write_text(f"archive: a.db\nfeeds:\n- {row}\n")
    program = "import sys; from aggregator.cli import run\ntry: run()\nfinally: print(*sorted(sys.modules))\n"
    command = [sys.executable, "-c", program, "fetch", "--due", "--config", str(config)]
    heavy = {"httpx", "sqlite_utils", "rich", "asyncio", "lxml", "selectolax", "zstandard", "aggregator.cli.polling"}
    loaded = []
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0
        assert "0 articles archived, 0 failed" in done.stderr
        loaded.append(heavy.intersection(done.stdout.split()))
    assert "sqlite_utils" in loaded[0]  # it made the archive
    assert loaded[1] == set()
