"""Told to end at random moments, again and again, the daemon ends with its state saved."""

from __future__ import annotations

from pathlib import Path

from stops import live


def test_o3_told_to_end_six_times_it_loses_and_doubles_nothing(tmp_path: Path) -> None:
    result = live(tmp_path, stops=6, seed=4)
    late = [one for one in result.wrong if one.endswith("s to end")]  # for the script: this machine may be busy
    assert [one for one in result.wrong if one not in late] == []
    assert result.stops.total() == 6
    assert result.orderly > 0
    assert result.equal["versions"] > 100
