"""What makes it fast, counted: calls, connections, modules. Times are for tests/benchmarks."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from aggregator.pipeline.crew import work_through
from aggregator.pipeline.desk import Budget


@pytest.mark.parametrize(("waiting", "asked"), [(0, 1), (3, 6)])
def test_after_a_poll_without_news_the_archive_is_asked_once_for_work(waiting: int, asked: int) -> None:
    tasks, claims = list(range(waiting)), 0

    async def claim() -> list[int]:
        nonlocal claims
        claims += 1
        return [tasks.pop()] if tasks else []

    async def attempt(task: int) -> int:
        return task

    done = asyncio.run(work_through(3, Budget(), claim, attempt))
    assert (sorted(done), claims) == (list(range(waiting)), asked)


@pytest.mark.parametrize(
    ("command", "unwanted"),
    [
        ("import aggregator.archive", "pandas numpy"),
        ("import aggregator.cli.fetching", "pandas numpy feedparser trafilatura apscheduler exchange_calendars"),
    ],
)
def test_what_takes_long_to_load_is_loaded_by_who_needs_it(command: str, unwanted: str) -> None:
    program = f"import sys\n{command}\nprint(*[one for one in {unwanted.split()} if sys.modules.get(one)])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
