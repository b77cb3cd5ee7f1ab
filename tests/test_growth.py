"""An archive that has grown is no slower: the short form of ``benchmarks/growth.py``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

from growth import MOST, measured


def test_a_poll_of_50_new_entries_costs_no_more_in_an_archive_ten_times_as_large(tmp_path: Path) -> None:
    """In steps of SQLite's virtual machine, which other work on the machine does not change."""
    small, large = (measured(tmp_path / f"{articles}.db", articles, 2) for articles in (2_000, 20_000))
    assert large.steps <= MOST * small.steps
    assert sum(large.room.values()) < 10_000
