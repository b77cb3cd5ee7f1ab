"""The archive: what was announced, what was fetched, every version of it, and what is still to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aggregator.lazy import names_of

if TYPE_CHECKING:
    from aggregator.archive.lock import holder
    from aggregator.archive.protocol import Archive
    from aggregator.archive.reading import Reader
    from aggregator.archive.sqlite import SqliteArchive
    from aggregator.archive.turns import DueFeed

__all__ = ["Archive", "DueFeed", "Reader", "SqliteArchive", "holder"]
__getattr__ = names_of(
    __name__,
    {
        "lock": "holder",
        "protocol": "Archive",
        "reading": "Reader",
        "sqlite": "SqliteArchive",
        "turns": "DueFeed",
    },
)
