"""The archive's documents as a tree of files, ``C1/C2/C3/<name>.md``: a projection that can be made again any time."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aggregator.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class Exported:
    """How many documents an export wrote, how many were as they should be, and how many copies of images it wrote."""

    written: int = 0
    unchanged: int = 0
    images: int = 0


def export(documents: Iterable[tuple[str, str]], folder: Path) -> Exported:
    """Write each (path, text) below ``folder``; a file that is right already is not touched. Nothing is deleted.

    Raises:
        ArchiveError: as ``put``.
    """
    written = unchanged = 0
    for name, text in documents:
        changed = put(folder, name, text.encode())
        written, unchanged = written + changed, unchanged + (not changed)
    return Exported(written, unchanged)


def put(folder: Path, name: str, data: bytes) -> bool:
    """Write one file below a folder, unless it is right already; whether it had to be written.

    It appears whole or not at all: written beside, synced, renamed. Nothing outside is written.

    Raises:
        ArchiveError: kind ``no_rights`` or ``disk_full``, naming the file; ``damaged`` for a path that leads outside.
    """
    target = _inside(folder.resolve(), name)
    try:
        return _write(target, data)
    except OSError as error:
        kind = "disk_full" if error.errno in (28, 122) else "no_rights"
        hint = "Make room or give this user the right to write there, then export again"
        raise ArchiveError(str(error.strerror), kind=kind, where=str(target), hint=hint) from error


def withdraw(name: str | None, text: str | None, folder: Path) -> Path | None:
    """Delete an exported document; its file, if something else stands in it, which is then left alone.

    Raises:
        ArchiveError: kind ``no_rights``.
    """
    if name is None or text is None:
        return None
    target = _inside(folder.resolve(), name)
    try:
        if not target.is_file():
            return None
        if target.read_bytes() != text.encode():
            return target
        target.unlink()
    except OSError as error:
        hint = "Give this user the right to delete there, then run the same command again"
        raise ArchiveError(str(error.strerror), kind="no_rights", where=str(target), hint=hint) from error
    return None


def _inside(root: Path, name: str) -> Path:
    """The file's place, which is below the root whatever a title tried and wherever links lead."""
    target = root / name
    if ".." in Path(name).parts or not Path(os.path.realpath(target.parent)).is_relative_to(root):
        hint = "Remove the link that stands in its place, if there is one; else report this as a bug"
        raise ArchiveError("a document's path leads outside", kind="damaged", where=name, hint=hint)
    return target


def _write(target: Path, data: bytes) -> bool:
    """Whether the file had to be written."""
    if target.is_file() and not target.is_symlink() and target.read_bytes() == data:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not made of the target's name, which may already be as long as a name can be.
    scratch = target.parent / f".export-{os.getpid()}.tmp"
    file = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    return True
