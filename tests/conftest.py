"""Fixtures every test may use."""

from __future__ import annotations

import os
import re
import signal
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


_FIGURE = re.compile(r"\b\d+/\d+\b|\bF1\b|\bstock\b")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures tests have measured, also those of tests that passed."""
    reports = [one for outcome in ("passed", "failed") for one in terminalreporter.stats.get(outcome, ())]
    lines = [line for report in reports for line in report.capstdout.splitlines() if _FIGURE.search(line)]
    if lines:
        terminalreporter.section("figures", sep="-")
        terminalreporter.write("".join(f"{line}\n" for line in lines))
