"""The file: power cuts, copies, damage and readers that never leave. Ids S2, S3, S7, S8 of the catalogue."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database
from test_archive import WIRE, announced, found, using
from test_keeping import archive, checked, command, polled
from world import Clock

from aggregator.archive import SqliteArchive
from aggregator.archive.backup import backup
from aggregator.archive.verifying import kept_head
from aggregator.errors import ArchiveError, ConfigError

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
        assert alone.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'entries'").fetchone() == (0,)
    alone.close()
    assert facts(copy) == facts(path)
    assert kept_head(copy) == kept_head(path)
    assert checked(copy).damages == ()


def test_a_backup_is_of_one_moment_while_a_writer_goes_on(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    steps: list[int] = []

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        for number in range(60):
            await archive.note(WIRE, found(announced(number, summary="长" * 90_000)))
        taking = asyncio.create_task(asyncio.to_thread(backup, path, copy, lambda _, done, __: steps.append(done)))
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


def scramble(path: Path, at: float = 0.5, size: int = 8192) -> None:
    """Overwrite some bytes of a file, at a fraction of its length."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * at) // 4096 * 4096
    data[start : start + size] = bytes((byte * 7 + 13) % 256 for byte in data[start : start + size])
    path.write_bytes(data)
