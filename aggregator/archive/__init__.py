"""The archive: what was announced, what was fetched, every version of it, and what is still to do."""

from aggregator.archive import lean  # noqa: F401  # before any module that imports sqlite_utils

# isort: split
from aggregator.archive.lock import holder
from aggregator.archive.protocol import Archive
from aggregator.archive.reading import Reader
from aggregator.archive.sqlite import SqliteArchive
from aggregator.archive.turns import DueFeed

__all__ = ["Archive", "DueFeed", "Reader", "SqliteArchive", "holder"]
