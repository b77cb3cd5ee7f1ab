"""Opening the file: for its one writer, or for readers; never over something else, never a newer schema."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from aggregator.archive.connecting import connect, log_size
from aggregator.archive.lean import Database
from aggregator.archive.rows import transaction
from aggregator.archive.schema import APPLICATION_ID, known_migrations, migrations
from aggregator.errors import ArchiveError

# Bytes of SQLite's pages. Texts take two to ten kB a row, of which rarely two fit a page of the usual 4096: that left
# 4 of 22 kB an article empty. It costs no time, and a commit writes half as much.
_PAGE = 2048
KEPT_LOG = 16_000_000  # bytes the log keeps on the disk, once no reader needs more of it
# Bytes of log that are folded in at once; 1,000 pages, which is usual, are a fourth. Most pages are written more than
# once meanwhile, and each fold writes them once.
_FOLDED = KEPT_LOG // 2
MUCH_LOG = 64_000_000  # bytes: then a reader has kept it from being folded in for long
# Bytes of an archive that is looked through each time it is opened for writing: that takes 0.5 ms a MB. A larger one is
# once an hour, up to so many, and any that was not closed, or was closed while somebody read it; else `verify` looks.
_ALWAYS_CHECKED = 16_000_000
_CHECKED = 256_000_000
_EVERY = 60  # minutes; SQLite's user_version, which nothing else uses, is the minute (of the epoch) of the last look
_LARGEST = 64_000_000  # bytes of a value or row for strangers; the largest an archive takes in are half of that
_SALVAGE = "Nothing was written to it. Restore a backup, or copy what can be read: aggregator salvage NEWFILE"


def open_writer(path: Path, now: datetime | None = None) -> Database:
    """The archive at ``path`` for writing, created if there is nothing, migrated forward if it is older.

    Without ``now`` it is looked through for damage whenever that was.

    WAL with ``synchronous=FULL``: what a commit says is stored survives a power cut.

    Raises:
        ArchiveError: ``missing`` (no such folder), ``no_rights``, ``not_an_archive``, ``newer_schema``, ``damaged``.
    """
    with _explained(path):  # a folder this user may not enter is no folder that is missing
        has_folder = path.parent.is_dir()
    if not has_folder:
        hint = f"Create it (mkdir -p '{path.parent}') or change `archive` in the configuration"
        raise ArchiveError("the archive's folder does not exist", kind="missing", where=str(path), hint=hint)
    with _explained(path):
        if path.is_dir():
            raise _not_an_archive(path, "it is a folder")
        if not path.exists():
            _create(path.resolve())
        if path.stat().st_size == 0:
            raise _not_an_archive(path, "the file is empty")
        db = Database(connect(path, "rw"), execute_plugins=False)
        try:
            _configure(db, path, None if now is None else int(now.timestamp()) // 60)
        except BaseException:
            db.close()
            raise
        return db


def open_reader(path: Path, *, older: bool = False) -> Database:
    """The archive at ``path`` for reading only; never creates anything. ``older``: also one of an older version.

    Raises:
        ArchiveError: as ``open_writer``, ``missing`` when there is no archive yet, ``older_schema``.
    """
    with _explained(path):
        if not path.exists():
            raise ArchiveError(
                "there is no archive yet", kind="missing", where=str(path), hint="Run `aggregator fetch` first"
            )
        db = Database(connect(path, "ro"), execute_plugins=False)
        try:
            if _identify(db, path) < known_migrations() and not older:
                hint = "Run any command that writes, such as `aggregator fetch`; it brings the archive forward"
                raise ArchiveError(
                    "an older version made this archive", kind="older_schema", where=str(path), hint=hint
                )
        except BaseException:
            db.close()
            raise
        return db


def open_damaged(path: Path) -> Database:
    """What is left of the archive at ``path``, for reading only, whatever its schema. Raises as ``open_reader``."""
    with _explained(path):
        if not path.exists():
            raise ArchiveError("there is no archive", kind="missing", where=str(path), hint="Look at `archive`")
        db = Database(connect(path, "ro"), execute_plugins=False)
        try:
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise _not_an_archive(path, "it is an SQLite file of something else")
            db.execute("PRAGMA table_info(commits)").fetchall()
        except sqlite3.DatabaseError as error:
            db.close()
            hint = "Restore a backup; `sqlite3 archive.db .recover` may find rows"
            raise ArchiveError(
                f"not even its schema is left: {error}", kind="damaged", where=str(path), hint=hint
            ) from error
        except BaseException:
            db.close()
            raise
        return db


def confine(connection: sqlite3.Connection) -> None:
    """See to it that SQL of strangers attaches no other file and makes no enormous value on a reader's connection."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ``ArchiveError`` with the reason and the next step."""
    with _explained(path):
        yield


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise _error(path, error) from error


def _create(path: Path) -> None:
    """An archive with its tables, under its name only when it is whole: a process may be killed at any time."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    db = Database(connect(new, "rwc"), execute_plugins=False)
    try:
        db.execute(f"PRAGMA page_size = {_PAGE}")
        db.execute("PRAGMA journal_mode = MEMORY")  # who reads it would find no journal under the other name
        migrations.apply(db)
    finally:
        db.close()
    for log in ("-wal", "-shm"):  # of an archive that is not there any more; SQLite would take them for the new one's
        path.with_name(path.name + log).unlink(missing_ok=True)
    new.rename(path)


def _configure(db: Database, path: Path, minute: int | None) -> None:
    _identify(db, path)
    if doubtful := _is_doubtful(db, path, minute):
        _refuse_damaged(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA journal_size_limit = {KEPT_LOG}")
    ((page,),) = db.execute("PRAGMA page_size").fetchall()
    db.execute(f"PRAGMA wal_autocheckpoint = {_FOLDED // page}")
    db.execute("PRAGMA foreign_keys = ON")
    if migrations.pending(db):
        with transaction(db):  # all of them or none: an archive half-way between two versions is neither's
            migrations.apply(db)
    if doubtful and minute is not None and not _is_fresh(db, minute):  # a small one may be large when it is opened next
        db.execute(f"PRAGMA user_version = {minute}")


def _is_doubtful(db: Database, path: Path, minute: int | None) -> bool:
    """Whether the file is to be looked through for damage before anything is written to it."""
    size = path.stat().st_size
    if log_size(path) > 0 or size <= _ALWAYS_CHECKED:
        return True
    return size <= _CHECKED and (minute is None or not _is_fresh(db, minute))


def _is_fresh(db: Database, minute: int) -> bool:
    """Whether it was looked through within the hour."""
    return 0 <= minute - int(db.execute("PRAGMA user_version").fetchone()[0]) < _EVERY


def _refuse_damaged(db: Database, path: Path) -> None:
    """A damaged file takes writes without a word, and they make it worse."""
    said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise ArchiveError(f"the archive is damaged: {said}", kind="damaged", where=str(path), hint=_SALVAGE)


def _identify(db: Database, path: Path) -> frozenset[str]:
    """Refuse what is no archive of ours, and one that a later version of this program made; its migrations."""
    found = db.execute("PRAGMA application_id").fetchone()[0]
    if found != APPLICATION_ID:
        raise _not_an_archive(path, "it is an SQLite file of something else")
    applied = [migration.name for migration in migrations.applied(db)]
    known = known_migrations()
    newer = [name for name in applied if name not in known]
    if newer:
        hint = "Upgrade aggregator; an older version must not write to it"
        raise ArchiveError(
            f"a newer version made this archive ({newer[-1]})", kind="newer_schema", where=str(path), hint=hint
        )
    return frozenset(applied)


def _not_an_archive(path: Path, why: str) -> ArchiveError:
    hint = "Nothing was changed; name another file as `archive` in the configuration, or move this one away"
    return ArchiveError(f"this is no archive of ours: {why}", kind="not_an_archive", where=str(path), hint=hint)


def _error(path: Path, error: Exception) -> ArchiveError:
    text = str(error)
    if "file is not a database" in text:
        return _not_an_archive(path, "it is no SQLite file")
    for needle, kind, hint in _REASONS:
        if needle in text or needle in type(error).__name__:
            return ArchiveError(text, kind=kind, where=str(path), hint=hint)
    return ArchiveError(text, kind="damaged", where=str(path), hint=_SALVAGE)


_REASONS = (
    ("locked", "locked", "Another program is writing to it; wait for it or stop it"),
    ("disk is full", "disk_full", "Make room; everything committed so far is safe"),
    ("disk I/O error", "disk_full", "Look at the disk's space and health; everything committed so far is safe"),
    (
        "readonly",
        "no_rights",
        # SQLite makes the log's index anew for whoever comes first, a reader too (sqlite.org/wal.html, section 5).
        f"Give this user ({os.getuid()}) the right to write the file and its folder, or read while a daemon runs",
    ),
    (
        "unable to open",
        "no_rights",
        f"Give this user ({os.getuid()}) the right to read and write the file and its folder",
    ),
    ("PermissionError", "no_rights", f"Give this user ({os.getuid()}) the right to read and write it"),
    ("IsADirectoryError", "not_an_archive", "Name a file as `archive` in the configuration"),
)
