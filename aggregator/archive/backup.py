"""A copy of the whole archive, of one moment, while a writer goes on."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aggregator.archive import chain
from aggregator.archive.chain import Head
from aggregator.archive.lean import Database
from aggregator.archive.opening import explained, open_reader
from aggregator.errors import ArchiveError, ConfigError

_STEP = 2_000  # pages of the file between two calls of ``watch``

_INSTRUCTIONS = 1_000_000  # of SQLite between two calls of it while the copy is checked

# Told what is done, and how much of how much; what it raises ends the copying.
Watch = Callable[[str, int, int], None]


def backup(path: Path, target: Path, watch: Watch, *, force: bool = False) -> Head | None:
    """Copy the archive at ``path`` to ``target`` and check the copy; the head of both.

    The copy appears whole or not at all: written beside, checked, synced, renamed. ``force`` replaces what is there.

    Raises:
        ConfigError: there is something at ``target``, or no folder for it.
        ArchiveError: the archive cannot be read, or the copy cannot be written or does not hold what it should.
    """
    _check(path, target, force=force)
    part = target.with_name(f".{target.name}.part")
    source = open_reader(path, older=True)
    try:
        with explained(path):
            source.execute("BEGIN")  # all steps copy this one state, and no commit starts them over
            head = _head(source)
        with explained(target):
            part.unlink(missing_ok=True)
            _copy(source, part, watch)
        _look(part, target, head, watch)
        with explained(target):
            _put(part, target)
    finally:
        source.close()
        part.unlink(missing_ok=True)
    return head


def backup_into(path: Path, folder: Path, keep: int, at: datetime, watch: Watch) -> Path:
    """Copy the archive at ``path`` into ``folder`` under the name of an instant, and keep the newest ``keep`` copies.

    The copy's path, as ``archive-20261127T031500Z.db`` for ``archive.db``. Files of other names are left alone.

    Raises:
        ConfigError, ArchiveError: as ``backup``. No older copy goes before the new one is whole.
    """
    target = folder / f"{path.stem}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}{path.suffix}"
    for part in _named(path, folder, rf"\.{{}}{re.escape('.part')}"):  # of one that was cut short
        part.unlink(missing_ok=True)
    backup(path, target, watch)
    for old in _named(path, folder, "{}")[:-keep]:
        old.unlink(missing_ok=True)
    return target


def _named(path: Path, folder: Path, form: str) -> list[Path]:
    """The files of a folder that bear the name of a copy, in a form, oldest first."""
    name = re.compile(form.format(rf"{re.escape(path.stem)}-\d{{8}}T\d{{6}}Z{re.escape(path.suffix)}"))
    return sorted(file for file in folder.iterdir() if name.fullmatch(file.name)) if folder.is_dir() else []


def _check(path: Path, target: Path, *, force: bool) -> None:
    if not target.parent.is_dir():
        raise ConfigError("there is no such folder", where=str(target.parent), hint="Create it, or name another one")
    if target.exists() and (not force or target.is_dir() or (path.exists() and target.samefile(path))):
        hint = "Name a new file; --force replaces an older copy, never the archive itself"
        raise ConfigError("there is something already", where=str(target), hint=hint)
    log = target.with_name(target.name + "-wal")
    if log.exists() and log.stat().st_size:  # it would be taken for the new copy's
        raise ConfigError("an older copy is in use, or was not closed", where=str(log), hint="Name a new file")


def _copy(source: Database, part: Path, watch: Watch) -> None:
    copy = sqlite3.connect(part)
    try:
        source.conn.backup(copy, pages=_STEP, progress=lambda _, left, total: watch("copying", total - left, total))
    finally:
        copy.close()


def _look(part: Path, target: Path, head: Head | None, watch: Watch) -> None:
    """Refuse a copy that is no whole archive with the same head."""
    watch("checking", 0, 1)
    # Nobody else has it: so no log and no index of one is made beside it.
    copy = Database(sqlite3.connect(f"{part.resolve().as_uri()}?immutable=1", uri=True), execute_plugins=False)
    try:
        with explained(target):
            copy.conn.set_progress_handler(lambda: watch("checking", 0, 1), _INSTRUCTIONS)
            said = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            found = _head(copy)
    finally:
        copy.close()
    if said != "ok" or found != head:
        what = f"the copy is not whole: {said if said != 'ok' else 'it has another head'}"
        hint = "Nothing was replaced; run `aggregator verify` on the archive, and look at the disk of the copy"
        raise ArchiveError(what, kind="damaged", where=str(target), hint=hint)


def _head(db: Database) -> Head | None:
    """The head, which an archive that an older version made has not."""
    has = any(column.name == "digest" for column in db["commits"].columns)
    return chain.head(db) if has else None


def _put(part: Path, target: Path) -> None:
    _sync(part)
    part.replace(target)
    _sync(target.parent)


def _sync(place: Path) -> None:
    file = os.open(place, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
