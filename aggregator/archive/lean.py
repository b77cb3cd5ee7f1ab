"""sqlite-utils without pandas and numpy; whoever needs it has it from here.

Where they are installed (the extra ``markets`` brings pandas), it imports them, so that rows may be given in their
types, which nobody does here: together 0.9 s and 80 MB at every start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """What is imported meanwhile finds these not installed, but for those that have been imported before."""
    hidden = [module for module in modules if module not in sys.modules]
    for module in hidden:
        sys.modules[module] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        yield
    finally:
        for module in hidden:
            del sys.modules[module]


with without("pandas", "numpy"):
    from sqlite_utils import Database, Migrations

__all__ = ["Database", "Migrations"]
