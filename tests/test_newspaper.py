"""The synthetic archive of the pages' benchmark is a whole one, and every page that is measured answers."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import browse
from newspaper import make


def test_every_page_that_is_measured_answers(tmp_path: Path) -> None:
    from aggregator.browse.serving import datasette_for

    path = tmp_path / "archive.db"
    make(path, 400)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        ((day,),) = db.execute("SELECT date(max(published)) FROM articles").fetchall()
    served = datasette_for(path)
    measured = {name: address.format(last=380, day=day) for name, address in browse.pages().items()}
    measured |= {"lean": browse.LEAN}

    async def statuses() -> dict[str, int]:
        return {name: (await served.client.get(address)).status_code for name, address in measured.items()}

    assert {name: status for name, status in asyncio.run(statuses()).items() if status != 200} == {}
    assert set(measured) >= browse.MORE
