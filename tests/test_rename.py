"""``feeds rename``: the name changes in the configuration and in the archive, or in neither, wherever it is cut."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database
from world import Clock, Site, desk, item, page, rss

from aggregator.app import rename_feed
from aggregator.archive import SqliteArchive
from aggregator.archive.rows import commit, transaction
from aggregator.archive.watching import observe_listing
from aggregator.config import load, parse, set_feed, write_config
from aggregator.errors import ArchiveError, ConfigError
from aggregator.pipeline import poll

ROOT = Path(__file__).resolve().parent.parent
URL = "https://wire.example/feed.xml"
CONFIG = f"""# mine
archive: archive.db
feeds:
  - name: wire # the one
    source: feed
    url: {URL}
  - name: wire:2
    source: feed
    url: https://wire.example/other.xml
"""
BARE = "<item><title>{0}</title><guid>bare-{0}</guid><description>{0}</description></item>"
NAMELESS = "<item><title>{0}</title><description>{0}</description></item>"


def listing(*words: str) -> bytes:
    return rss(item(1), *(BARE.format(word) + NAMELESS.format(word) for word in words))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a configuration and an archive, in which both feeds have articles named by their guids alone."""
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    assert polled(tmp_path, "wire", "甲") == (3, 0)
    assert polled(tmp_path, "wire:2", "乙") == (2, 1)
    return tmp_path


def polled(home: Path, name: str, *words: str) -> tuple[int, int]:
    """What a poll of a feed by this name finds: new and known entries."""
    settings = load(home / "config.yaml")
    feed = next(feed for feed in settings.feed_list() if feed.name == name)
    site = Site(Clock(), {feed.url: listing(*words), "https://wire.example/news/1.html": page(1)})

    async def work() -> tuple[int, int]:
        async with desk(settings.archive, site, *settings.feed_list()) as ready:
            report = await poll(ready, feed)
            return report.new, report.known

    return asyncio.run(work())


def names(home: Path) -> list[str]:
    db = Database(home / "archive.db")
    found = [row[0] for row in db.execute("SELECT name FROM feeds ORDER BY id")]
    db.close()
    return found


def keys(home: Path) -> dict[str, set[str]]:
    db = Database(home / "archive.db")
    found = {table: {row[0] for row in db.execute(f"SELECT key FROM {table}")} for table in ("articles", "keys")}
    assert db.execute("SELECT count(*) FROM feeds WHERE renaming_to NOT NULL").fetchone() == (0,)
    db.close()
    return found


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    raise InterruptedError


def rename(home: Path, new: str = "news", *, end: Callable[[], None] | None = None, late: bool = False) -> None:
    """Rename ``wire``; ``end`` cuts it short before the configuration changes, or after that if ``late``."""
    path = home / "config.yaml"
    edited = set_feed(path.read_text(encoding="utf-8"), "wire", "name", new)

    def write() -> None:
        if end and not late:
            end()
        write_config(path, edited)
        if end:
            end()

    asyncio.run(rename_feed(load(path), parse(edited, path), "wire", new, write))


def open_again(home: Path) -> None:
    """What every command that writes does first."""

    async def work() -> None:
        archive = await SqliteArchive.open(home / "archive.db", Clock(), parser="t", rules="t")
        await archive.enrol(load(home / "config.yaml").feed_list())
        await archive.close()

    asyncio.run(work())


def test_its_history_goes_along(home: Path) -> None:
    before = keys(home)
    rename(home)
    assert (home / "config.yaml").read_text(encoding="utf-8") == CONFIG.replace("name: wire #", "name: news #")
    assert names(home) == ["news", "wire:2"]
    after = keys(home)
    for table in ("articles", "keys"):
        mine = {key for key in before[table] if key.startswith("guid:wire:") and not key.startswith("guid:wire:2:")}
        assert len(mine) >= 2
        renamed = {key.replace("guid:wire:", "guid:news:") for key in mine}
        assert after[table] == before[table] - mine | renamed
    assert polled(home, "news", "甲", "丙") == (2, 3)
    assert polled(home, "wire:2", "乙", "丁") == (2, 3)


def test_what_is_odd_about_its_list_is_odd_under_the_new_name(home: Path) -> None:
    db = Database(home / "archive.db")
    with transaction(db):
        stamp = commit(db, Clock())
        observe_listing(db, lambda: stamp, "wire", ["no dates"])
    db.close()
    rename(home)
    assert polled(home, "news", "甲", "丙") == (2, 3)
    db = Database(home / "archive.db")
    events = db.execute("SELECT kind, place, subject FROM events ORDER BY id").fetchall()
    db.close()
    before = ("the list of wire", "the list of wire: no dates")
    after = ("the list of news", "the list of news: no dates")
    assert events == [("drift", *before), ("drift_over", *before), ("drift", *after), ("drift_over", *after)]


def test_a_new_feed_by_the_old_name_shares_nothing_with_it(home: Path) -> None:
    rename(home)
    path = home / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: wire:2", "name: wire"), encoding="utf-8")
    assert polled(home, "wire", "甲") == (2, 1)
    assert names(home) == ["news", "wire:2", "wire"]


def test_cut_short_before_the_configuration_changed_nothing_has(home: Path) -> None:
    before = keys(home)
    with pytest.raises(InterruptedError):
        rename(home, end=stop)
    open_again(home)
    assert names(home) == ["wire", "wire:2"]
    assert keys(home) == before
    assert polled(home, "wire", "甲", "丙") == (2, 3)
    rename(home)
    assert names(home) == ["news", "wire:2"]


def test_cut_short_after_the_configuration_changed_the_archive_follows(home: Path) -> None:
    with pytest.raises(InterruptedError):
        rename(home, end=stop, late=True)
    assert names(home) == ["wire", "wire:2"]
    assert polled(home, "news", "甲", "丙") == (2, 3)
    assert names(home) == ["news", "wire:2"]


@pytest.mark.parametrize("late", [False, True])
def test_killed_at_the_worst_moment_it_is_the_same(home: Path, late: bool) -> None:
    script = f"from test_rename import *; rename(Path({str(home)!r}), end=die, late={late})"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    name = "news" if late else "wire"
    assert load(home / "config.yaml").feeds[0].name == name
    assert polled(home, name, "甲", "丙") == (2, 3)
    assert names(home) == [name, "wire:2"]
    assert keys(home)


def test_a_name_under_which_the_archive_keeps_something_is_refused(home: Path) -> None:
    path = home / "config.yaml"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[: whole.index("  - name: wire:2")], encoding="utf-8")
    open_again(home)
    before = keys(home), path.read_bytes()
    with pytest.raises(ConfigError, match="another feed's history") as caught:
        rename(home, "wire:2")
    assert caught.value.hint
    assert (keys(home), path.read_bytes()) == before


def test_a_name_that_begins_others_keys_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG.replace("wire:2", "news:2"), encoding="utf-8")
    assert polled(tmp_path, "news:2", "乙") == (3, 0)
    with pytest.raises(ConfigError, match="another feed's history"):
        rename(tmp_path, "news")


def test_without_an_archive_only_the_configuration_changes(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    rename(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]
    assert load(tmp_path / "config.yaml").feeds[0].name == "news"


def test_a_feed_that_was_never_polled(home: Path) -> None:
    path = home / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: wire ", "name: fresh "), encoding="utf-8")
    edited = set_feed(path.read_text(encoding="utf-8"), "fresh", "name", "newer")
    write = lambda: write_config(path, edited)  # noqa: E731
    asyncio.run(rename_feed(load(path), parse(edited, path), "fresh", "newer", write))
    assert names(home) == ["wire", "wire:2", "newer"]


def test_beside_a_writer_it_is_refused(home: Path) -> None:
    with (home / "archive.db.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ArchiveError) as caught:
            rename(home)
    assert caught.value.kind == "locked"
    assert (home / "config.yaml").read_text(encoding="utf-8") == CONFIG


def aggregator(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", "aggregator", "feeds", "rename", *words]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("words", "code", "fragment"),
    [
        (("wire", "news"), 0, "renamed wire to news"),
        (("wire", "wire"), 2, "its name already"),
        (("wire", "wire:2"), 2, "already the name of the feed on line"),
        (("wir", "x"), 2, "Did you mean wire?"),
        (("wire", "--", "-x"), 2, "no - at its start"),
        (("wire", "a://b"), 2, "must be a short name"),
    ],
)
def test_the_command(home: Path, words: tuple[str, ...], code: int, fragment: str) -> None:
    done = aggregator(home, *words)
    assert done.returncode == code, done.stderr
    assert fragment in done.stderr
    assert "Traceback" not in done.stderr
    assert names(home)[0] == ("wire" if code else "news")
    assert load(home / "config.yaml").feeds[0].name == names(home)[0]
