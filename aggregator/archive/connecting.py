"""A connection to the archive's file, and the size of its log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal

_BUSY_MS = 30_000


def connect(path: Path, mode: Literal["ro", "rw", "rwc"]) -> sqlite3.Connection:
    """A connection in autocommit. One thread uses it, but that need not be the one that opened it."""
    quoted = str(path.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return sqlite3.connect(
        f"file:{quoted}?mode={mode}", uri=True, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
    )


def log_size(path: Path) -> int:
    """The bytes of an archive's log, ``archive.db-wal``: commits that are not yet folded into the file."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return 0
