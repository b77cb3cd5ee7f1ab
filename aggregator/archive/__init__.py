"""The archive: what was announced, what was fetched, every version of it, and what is still to do."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aggregator.archive.lock import holder
    from aggregator.archive.protocol import Archive
    from aggregator.archive.reading import Reader
    from aggregator.archive.sqlite import SqliteArchive
    from aggregator.archive.turns import DueFeed

__all__ = ["Archive", "DueFeed", "Reader", "SqliteArchive", "holder"]
# Where each name is at home, which is loaded when it is first asked for: a command that needs one waits for no other.
_HOMES = {
    "holder": "aggregator.archive.lock",
    "Archive": "aggregator.archive.protocol",
    "Reader": "aggregator.archive.reading",
    "SqliteArchive": "aggregator.archive.sqlite",
    "DueFeed": "aggregator.archive.turns",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
