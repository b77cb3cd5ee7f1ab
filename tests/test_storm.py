"""Hours of refusals, resets and absence, short: nothing that was published is lost, and nothing is archived twice."""

from __future__ import annotations

from pathlib import Path

from storm import lived


def test_after_a_storm_all_is_there_once_and_coverage_shows_no_gap(tmp_path: Path) -> None:
    result = lived(tmp_path, 300, 1)
    assert list(result.wrong()) == []
    assert result.published == 300
    assert min(result.faults.values()) > 20
