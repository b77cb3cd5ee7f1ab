"""The short form of the growth benchmark: what it bounds for a million articles it bounds for twenty thousand, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parent / "benchmarks" / "search.py"


@pytest.mark.parametrize("what", ["growth", "clusters"])
def test_ten_times_the_articles_cost_at_most_three_times_as_much(what: str) -> None:
    command = [sys.executable, str(BENCHMARK), what, "--sizes", "2000", "20000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "newest 20 *" in done.stdout or "clusters *" in done.stdout
