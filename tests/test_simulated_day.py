"""The daemon's day in virtual time, with fewer feeds than ``simulated_day.py`` has when it is run as a program."""

from __future__ import annotations

from pathlib import Path

from simulated_day import DEAD, REFUSING, broken, figures, simulated


def test_a_simulated_day_keeps_what_the_schedule_promises(tmp_path: Path) -> None:
    day = simulated(tmp_path, 100, 12)
    print(figures(day))
    assert broken(day) == []
    # Whoever is dead is asked each half hour and feed, whoever refuses is asked by one feed for all, ever more rarely.
    assert len(day.starts[DEAD]) <= 5 * (2 * 12 + 6)
    assert 3 <= len(day.starts[REFUSING]) <= 12
