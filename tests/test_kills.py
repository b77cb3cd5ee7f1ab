"""Killed at the worst moments, again and again, the program loses, doubles, tears and half-writes nothing."""

from __future__ import annotations

from pathlib import Path

from kills import live


def test_s1_twenty_kills_leave_what_a_run_that_was_never_killed_leaves(tmp_path: Path) -> None:
    result = live(tmp_path, kills=20, seed=5)
    assert result.wrong == []
    assert result.kills.total() == 20
    assert {"parse", "commit", "page", "export", "birth"} <= result.kills.keys()
    assert result.workers > 0
    assert result.equal["versions"] > 100
