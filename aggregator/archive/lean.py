"""sqlite-utils without pandas and numpy; whoever needs it has it from here.

Where they are installed (the extra ``markets`` brings pandas), it imports them, so that rows may be given in their
types, which nobody does here: together 0.9 s and 80 MB at every start.
"""

from __future__ import annotations

from aggregator.lean import without

with without("pandas", "numpy"):
    from sqlite_utils import Database, Migrations

__all__ = ["Database", "Migrations"]
