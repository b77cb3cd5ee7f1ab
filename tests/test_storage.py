"""The file: power cuts, copies, damage and readers that never leave. Ids S2, S3, S7, S8 of the catalogue."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database
from test_archive import WIRE, announced, found, using
from test_keeping import archive, checked, command, polled, using_nothing
from world import START, Clock, Site, desk, item, rss, urls

from aggregator.archive import SqliteArchive
from aggregator.archive.backup import backup
from aggregator.archive.connecting import log_size
from aggregator.archive.opening import KEPT_LOG, MUCH_LOG, open_writer
from aggregator.archive.verifying import kept_head
from aggregator.errors import ArchiveError, ConfigError
from aggregator.pipeline import poll

__all__ = ["archive"]
_FACTS = {
    "articles": "key, title, document, file",
    "entries": "title, link",
    "revisions": "title, fingerprint, n",
    "keys": "key",
}


def facts(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """What an archive knows, by its words and not by its numbers."""
    db = Database(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = {table: set(db.execute(f"SELECT {columns} FROM {table}")) for table, columns in _FACTS.items()}
    db.close()
    return rows


def watch(*_: object) -> None:
    """Look at nothing."""


def test_s3_a_copy_of_the_file_alone_is_older_and_a_backup_is_not(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        await archive.note(WIRE, found(*(announced(n) for n in range(20))))
        shutil.copy(path, tmp_path / "file-alone.db")
        head = backup(path, copy, watch)
        assert head
        assert head.seq == await archive.head()

    using(tmp_path, Clock(), work)
    with sqlite3.connect(tmp_path / "file-alone.db") as alone:  # opens as if nothing were wrong
        assert alone.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    alone.close()
    assert facts(copy) == facts(path)
    assert kept_head(copy) == kept_head(path)
    assert checked(copy).damages == ()


def test_a_backup_is_of_one_moment_while_a_writer_goes_on(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    steps: list[int] = []

    def told(step: str, done: int, _: int) -> None:
        steps.extend([done] if step == "copying" else [])

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        for number in range(60):
            await archive.note(WIRE, found(announced(number, summary="长" * 90_000)))
        taking = asyncio.create_task(asyncio.to_thread(backup, path, copy, told))
        while not taking.done():
            number += 1
            await archive.note(WIRE, found(announced(number)))
        head = await taking
        assert head
        assert 60 <= head.seq < await archive.head()
        assert sorted(file.name for file in tmp_path.iterdir() if "copy" in file.name) == ["copy.db"]
        assert kept_head(copy) == head

    using(tmp_path, Clock(), work)
    assert len(steps) > 1
    assert steps == sorted(steps)  # it never began anew
    assert checked(copy).damages == ()


def test_a_restored_archive_goes_on_without_loss_or_double(archive: Path) -> None:
    home = archive.parent
    command(home, "backup", str(home / "kept.db"))
    polled(archive, 3, 4)
    before = facts(archive)
    for name in ("archive.db", "archive.db-wal", "archive.db-shm"):
        (home / name).unlink(missing_ok=True)
    shutil.copy(home / "kept.db", archive)
    polled(archive, 3, 4)
    assert facts(archive) == before
    assert checked(archive, kept_head(home / "kept.db").digest).damages == ()  # type: ignore[union-attr]


def test_a_backup_replaces_nothing_unless_told_and_never_the_archive(archive: Path) -> None:
    home = archive.parent
    copy = home / "copy.db"
    first = json.loads(command(home, "backup", str(copy), "--json"))
    assert first["head"]["digest"] == kept_head(archive).digest  # type: ignore[union-attr]
    polled(archive, 4)
    before = copy.read_bytes()
    command(home, "backup", str(copy), code=2)
    command(home, "backup", str(home / "no" / "copy.db"), code=2)
    for force in (True, False):
        with pytest.raises(ConfigError):
            backup(archive, archive, watch, force=force)
    assert copy.read_bytes() == before
    command(home, "backup", str(copy), "--force")
    assert kept_head(copy) == kept_head(archive)
    (home / "copy.db-wal").write_bytes(b"of another")
    command(home, "backup", str(copy), "--force", code=2)


def test_a_damaged_archive_gives_no_copy(archive: Path) -> None:
    copy = archive.parent / "copy.db"
    copy.write_bytes(b"the last good one")
    scramble(archive)
    with pytest.raises(ArchiveError) as refused:
        backup(archive, copy, watch, force=True)
    assert refused.value.kind == "damaged"
    assert copy.read_bytes() == b"the last good one"


@pytest.mark.parametrize("at", [0.2, 0.4, 0.6, 0.8])
def test_s7_a_scrambled_archive_takes_no_write(archive: Path, at: float) -> None:
    scramble(archive, at)
    before = archive.read_bytes()
    for _ in range(2):
        with pytest.raises(ArchiveError) as refused:
            polled(archive, 4)
        assert refused.value.kind == "damaged"
    assert archive.read_bytes() == before
    assert json.loads(command(archive.parent, "verify", "--json", code=3))["damages"]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (lambda path: path.write_bytes(b"no archive at all\n" * 999), "not_an_archive"),
        (lambda path: path.write_bytes(b""), "not_an_archive"),
        (lambda path: path.mkdir(), "not_an_archive"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(4080)), "not_an_archive"),
        (lambda path: newer(path), "newer_schema"),
        (lambda path: path.parent.rmdir(), "missing"),
    ],
)
def test_s7_what_is_no_archive_of_ours_is_refused_with_the_reason(
    tmp_path: Path, made: Callable[[Path], object], kind: str
) -> None:
    path = tmp_path / "home" / "archive.db"
    path.parent.mkdir()
    made(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ArchiveError) as refused:
        polled(path, 1)
    assert refused.value.kind == kind
    assert refused.value.hint
    assert (path.read_bytes() if path.is_file() else None) == before


def newer(path: Path) -> None:
    """An archive of a later version."""
    polled(path, 1)
    db = Database(path)
    db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('aggregator', 'm999', 'x')")
    db.conn.commit()
    db.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_s7_a_file_that_may_only_be_read_is_refused(archive: Path) -> None:
    archive.chmod(0o444)
    with pytest.raises(ArchiveError) as refused:
        polled(archive, 4)
    assert refused.value.kind == "no_rights"


def test_s2_after_a_power_cut_it_opens_whole_and_what_was_lost_is_fetched_again(tmp_path: Path) -> None:
    path, numbers = tmp_path / "archive.db", (1, 2, 3, 4)
    site = Site(Clock(), urls(numbers))
    saved: dict[str, bytes] = {}

    async def work() -> None:
        async with desk(path, site, WIRE) as at:
            for last in numbers:
                site.answers[WIRE.url] = rss(*map(item, numbers[:last]))
                assert (await poll(at, WIRE)).new == 1
            saved.update({name: (tmp_path / name).read_bytes() for name in ("archive.db", "archive.db-wal")})

    asyncio.run(work())
    whole, log, chance, lost = facts(path), saved["archive.db-wal"], random.Random(2), 0
    for number in range(100):
        (tmp_path / "archive.db-shm").unlink(missing_ok=True)
        path.write_bytes(saved["archive.db"])
        kept = chance.randrange(len(log) // 2, len(log))
        tail = [b"", bytes(len(log) - kept), chance.randbytes(len(log) - kept)][number % 3]
        (tmp_path / "archive.db-wal").write_bytes(log[:kept] + tail)
        using_nothing(path)
        lost += facts(path) != whole
        assert checked(path).damages == ()
        if number % 4 == 0:
            polled(path, *numbers)
            assert facts(path) == whole
    assert lost > 50


def test_s8_a_reader_that_stays_is_named_and_the_log_shrinks_when_it_goes(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(archive.parent, "status")
    assert "log has grown" not in capsys.readouterr().err

    async def work() -> None:
        async with desk(archive, Site(Clock()), WIRE) as at:
            reader = Database(archive)
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM articles").fetchone()
            for number in range(10, 20):
                await at.archive.note(
                    WIRE, found(*(announced(100 * number + n, summary="长" * 60_000) for n in range(50)))
                )
            assert log_size(archive) > MUCH_LOG
            command(archive.parent, "status")
            assert "a reader that never ends" in capsys.readouterr().err
            reader.close()
            for number in range(3):
                await at.archive.note(WIRE, found(announced(number)))
            assert log_size(archive) <= 16_000_000

    asyncio.run(work())
    assert checked(archive).damages == ()


@pytest.mark.parametrize("page", [2048, 4096])  # of today, and of archives of the first releases
def test_the_log_is_folded_in_before_it_is_as_large_as_is_kept(tmp_path: Path, page: int) -> None:
    path = tmp_path / "a.db"
    open_writer(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute(f"PRAGMA page_size = {page}")
        db.execute("VACUUM")
    with closing(open_writer(path)) as db:
        db.execute("CREATE TABLE filler (bytes BLOB)")
        sizes = []
        for _ in range(40):
            db.execute("INSERT INTO filler VALUES (zeroblob(1000000))")
            sizes.append(path.stat().st_size)
        assert KEPT_LOG / 2 <= log_size(path) <= KEPT_LOG
    assert 3 <= len({*sizes}) <= 8  # times that it was folded in


@pytest.mark.parametrize("at", [0.15, 0.35, 0.65, 0.8, 0.95])
def test_s7_what_can_be_read_is_salvaged_and_the_rest_is_fetched_again(tmp_path: Path, at: float) -> None:
    path, new, numbers = tmp_path / "archive.db", tmp_path / "new.db", tuple(range(1, 41))
    polled(path, *numbers[:20])
    polled(path, *numbers)
    whole = facts(path)
    scramble(path, at)
    told = json.loads(command(tmp_path, "salvage", str(new), "--json"))
    assert checked(new).damages == ()
    polled(new, *numbers)
    polled(new, *numbers)
    after = facts(new)
    for table in ("articles", "entries"):
        assert whole[table] <= after[table]
    assert len(after["articles"]) == len(numbers)
    assert {row[:2] for row in whole["revisions"]} == {row[:2] for row in after["revisions"]}
    assert sum(told["rows"].values()) > 200
    command(tmp_path, "salvage", str(new), code=2)


def test_a_large_archive_is_looked_through_once_an_hour(archive: Path) -> None:
    with closing(sqlite3.connect(archive)) as db, db:
        db.execute("CREATE TABLE filler (bytes BLOB)")
        db.execute("INSERT INTO filler VALUES (zeroblob(16_000_000))".replace("_", ""))
    clock = Clock()
    open_writer(archive, clock()).close()
    scramble(archive)
    clock.move(minutes=59)
    open_writer(archive, clock()).close()
    clock.move(minutes=1)
    for now in (clock(), None, START - timedelta(days=1)):  # a clock that was set back counts for nothing
        with pytest.raises(ArchiveError, match="damaged") as refused:
            open_writer(archive, now)
        assert refused.value.kind == "damaged"


def test_s7_without_a_schema_nothing_is_salvaged(archive: Path) -> None:
    data = archive.read_bytes()
    archive.write_bytes(data[:100] + bytes(4096 - 100) + data[4096:])
    command(archive.parent, "salvage", str(archive.parent / "new.db"), code=3)
    assert not (archive.parent / "new.db").exists()


def test_s7_salvage_of_a_whole_archive_loses_nothing(archive: Path) -> None:
    new = archive.parent / "new.db"
    assert json.loads(command(archive.parent, "salvage", str(new), "--json"))["lost"] == []
    assert facts(new) == facts(archive)
    assert kept_head(new) == kept_head(archive)


def scramble(path: Path, at: float = 0.5) -> None:
    """Overwrite 8 kB of a file, at a fraction of its length or behind it, that hold nothing of the schema.

    Without its schema a file is lost, which is another test's; its pages lie wherever the tables before left room.
    """
    with closing(sqlite3.connect(path)) as db:
        held = {page for (page,) in db.execute("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema'")}
        (size,) = db.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    first, pages = int(len(data) * at) // size, 8192 // size
    fit = (page for page in range(first, len(data) // size) if held.isdisjoint(range(page + 1, page + 1 + pages)))
    start = size * next(fit)
    data[start : start + 8192] = bytes((byte * 7 + 13) % 256 for byte in data[start : start + 8192])
    path.write_bytes(data)
