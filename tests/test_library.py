"""The package used from Python, as the README shows it."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from world import CATEGORIES, Clock, Site, desk, feed, item, rss, urls

import aggregator
from aggregator.app import open_app, utc_now
from aggregator.config import parse, starter
from aggregator.demo import Replica
from aggregator.errors import ArchiveError, FetchError
from aggregator.pipeline import discover, poll

ROOT = Path(__file__).resolve().parent.parent


def archive(folder: Path) -> Path:
    wire = feed()
    site = Site(Clock(), {wire.url: rss(item(1), item(2)), **urls([1, 2])})

    async def run() -> None:
        async with desk(folder / "archive.db", site, wire) as one:
            await poll(one, wire)

    asyncio.run(run())
    return folder / "archive.db"


def test_open_archive_gives_every_article(tmp_path: Path) -> None:
    with aggregator.open_archive(archive(tmp_path)) as opened:
        rows = list(opened.articles())
    assert [row["title"] for row in rows] == ["第1号快讯", "第2号快讯"]
    assert rows[0]["categories"] == list(CATEGORIES)
    with pytest.raises(ArchiveError):
        aggregator.open_archive(tmp_path / "none.db")


def test_the_readmes_example_runs(tmp_path: Path) -> None:
    archive(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    assert len([line for line in example.splitlines() if line]) <= 6
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()


def test_fetch_article_needs_no_archive() -> None:
    started = utc_now()
    with Replica(lambda: started) as replica:
        good = next(one for one in replica.ledger.good() if one.template == "finance2026")
        article = aggregator.fetch_article(good.url, connect_to=replica.connect_to())
        assert (article.title, article.rule) == (good.title, "sina-finance-2018")
    with pytest.raises(FetchError) as refused:
        aggregator.fetch_article("http://127.0.0.1:9/")
    assert refused.value.kind == "refused"


def test_two_hundred_polls_with_nothing_new_cost_less_than_half_a_kilobyte_each(tmp_path: Path) -> None:
    started = utc_now()
    with Replica(lambda: started) as replica:
        settings = parse(starter(), tmp_path / "config.yaml")
        network = settings.network.model_copy(update={"connect_to": replica.connect_to()})
        settings = settings.model_copy(update={"network": network})

        async def grown() -> int:
            async with open_app(settings) as app:
                listed = settings.feed_list()[0]
                assert (await discover(app.desk, listed)).status == "ok"
                before = size(settings.archive)
                statuses = {(await discover(app.desk, listed)).status for _ in range(200)}
                assert statuses == {"unchanged"}
                return size(settings.archive) - before

        assert asyncio.run(grown()) <= 200 * 500


def size(path: Path) -> int:
    """Bytes of the archive, whatever of it is still in the write-ahead log."""
    with closing(sqlite3.connect(path)) as reader:
        (pages,), (page_size,) = (reader.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    return int(pages) * int(page_size)
