"""One writer per archive: a lock the kernel releases when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from aggregator.errors import ArchiveError


def _beside(archive: Path) -> Path:
    """The lock's file, the same by whatever name the archive is known."""
    real = archive.resolve()
    return real.with_name(real.name + ".lock")


class WriterLock:
    """An exclusive ``flock`` on ``<archive>.lock``, whose text names the holder's process id for people."""

    def __init__(self, archive: Path) -> None:
        self._path = _beside(archive)
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock at once.

        Raises:
            ArchiveError: kind ``locked``, naming the process that holds it.
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            hint = "Give this user the right to write the archive's folder"
            raise ArchiveError(str(error.strerror), kind="no_rights", where=str(self._path), hint=hint) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(file, 64).decode(errors="replace").strip() or "unknown"
            os.close(file)
            hint = "Wait for it, or stop it; `status`, `show` and `export` work beside it"
            message = f"process {holder} is writing to this archive"
            raise ArchiveError(message, kind="locked", where=str(self._path)[: -len(".lock")], hint=hint) from error
        os.ftruncate(file, 0)
        with suppress(OSError):  # a full disk: it is held all the same, only its holder is not named
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def holder(archive: Path) -> str | None:
    """The process id of the writer that holds the archive's lock now, as text; ``None`` when nobody does.

    Creates nothing. The lock is tried, shared and for a moment, only where its file names somebody.
    """
    try:
        file = os.open(_beside(archive), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        named = os.read(file, 64).decode(errors="replace").strip()
        if not named:
            return None
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return named
    finally:
        os.close(file)
    return None
