"""Fixtures every test may use."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast a shared machine draws examples says nothing about the program; what is asserted of them stays as it is.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

# Started in the background by a shell, this process ignores Ctrl-C, and so would every program that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the corpora, which are no part of this repository; tests that need it skip without it."""
    place = (ROOT / os.environ.get("AGGREGATOR_SHARED", "../shared")).resolve()
    if not (place / "corpus").is_dir():
        pytest.skip("the shared corpora are not here (AGGREGATOR_SHARED names their folder)")
    return place


@pytest.fixture(scope="session")
def demo_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that ``aggregator demo --dir`` makes: a day's news with images, edits, reprints, feeds that fail."""
    folder = tmp_path_factory.mktemp("demo")
    call = [sys.executable, "-m", "aggregator", "demo", "--dir", str(folder)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "archive.db"


_FIGURE = re.compile(r"\b\d+/\d+\b|\bF1\b|\bstock\b")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures tests have measured, also those of tests that passed."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    lines = [line for report in reports for line in report.capstdout.splitlines() if _FIGURE.search(line)]
    if lines:
        terminalreporter.section("figures", sep="-")
        terminalreporter.write("".join(f"{line}\n" for line in lines))
