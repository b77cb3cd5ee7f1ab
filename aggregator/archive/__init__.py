"""The archive: what was announced, what was fetched, every version of it, and what is still to do."""

from aggregator.archive.lock import holder
from aggregator.archive.protocol import Archive
from aggregator.archive.reading import Reader
from aggregator.archive.sqlite import SqliteArchive

__all__ = ["Archive", "Reader", "SqliteArchive", "holder"]
