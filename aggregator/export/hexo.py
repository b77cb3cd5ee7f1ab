"""The archive's documents as a tree of files, ``C1/C2/C3/<name>.md``: a projection that can be made again any time.

Beside them lies ``.export``: the lock of the one export that writes here at a time, and the mark of the last whole one.
Hexo reads no file whose name begins with a dot.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aggregator.errors import ArchiveError

_STATE = ".export"
_MOST = 200  # bytes of a mark

Documents = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Exported:
    """How many documents an export wrote, how many were as they should be, and how many copies of images it wrote."""

    written: int = 0
    unchanged: int = 0
    images: int = 0


def export(documents: Documents, folder: Path, mark: str = "") -> Exported:
    """Write each (path, text) below ``folder``; a file that is right already is not touched. Nothing is deleted.

    ``mark`` is what ``export_news`` is to go on from.

    Raises:
        ArchiveError: as ``put``.
    """
    return export_news(lambda _: (mark, documents), folder)


def export_news(news: Callable[[str], tuple[str, Documents]], folder: Path) -> Exported:
    """Write what is new since the last export into ``folder`` that came to its end, however many were cut short.

    ``news`` gets that one's mark, empty if there is none, and returns this one's with the documents to write. It is
    asked when no other export writes here, so that an older text never replaces a newer one.

    Raises:
        ArchiveError: as ``put``.
    """
    root = folder.resolve()
    written = unchanged = 0
    with _alone(root) as state:
        mark, documents = news(os.pread(state, _MOST, 0).decode("ascii", "replace"))
        for name, text in documents:
            changed = put(root, name, text.encode())
            written, unchanged = written + changed, unchanged + (not changed)
        with _told(root / _STATE):
            os.ftruncate(state, 0)
            os.pwrite(state, mark.encode("ascii"), 0)
    return Exported(written, unchanged)


def put(folder: Path, name: str, data: bytes) -> bool:
    """Write one file below a folder, unless it is right already; whether it had to be written.

    It appears whole or not at all: written beside, synced, renamed. Nothing outside is written.

    Raises:
        ArchiveError: kind ``no_rights`` or ``disk_full``, naming the file; ``damaged`` for a path that leads outside.
    """
    root = folder.resolve()
    target = _inside(root, name)
    with _told(target):
        # Not made of the target's name, which may already be as long as a name can be.
        return _write(target, data, root / f".export-{os.getpid()}.tmp")


@contextmanager
def _alone(root: Path) -> Iterator[int]:
    """The state's file, open and locked; the kernel gives the lock back however its holder ends."""
    with _told(root / _STATE):
        root.mkdir(parents=True, exist_ok=True)
        state = os.open(root / _STATE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        with _told(root / _STATE):
            fcntl.flock(state, fcntl.LOCK_EX)
            for left in root.glob(".export-*.tmp"):  # by an export that was cut short
                left.unlink()
        yield state
    finally:
        os.close(state)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
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


def _write(target: Path, data: bytes, scratch: Path) -> bool:
    """Whether the file had to be written."""
    if target.is_file() and not target.is_symlink() and target.read_bytes() == data:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
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
