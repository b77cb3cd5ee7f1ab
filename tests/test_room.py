"""What an article takes in the archive, its page kept: the short form of a row of ``benchmarks/peers.py``."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import origin
from world import Clock, Site, desk, feed, rss

from aggregator.articles.rules import built_in
from aggregator.pipeline import poll

MOST = 20_000  # bytes; 18,000 are measured, and twice as many without dictionaries
SINA = feed(pages="true", recheck=())


async def filled(path: Path, numbers: range) -> int:
    """The bytes in use after these articles of 600 characters, each with its page of 68 kB."""
    addresses = [origin.address(number) for number in numbers]
    items = (
        f"<item><title>{origin.title(number)}</title><link>{address}</link><guid>{address}</guid></item>"
        for number, address in zip(numbers, addresses, strict=True)
    )
    bodies = {address: origin.page(number)[1] for number, address in zip(numbers, addresses, strict=True)}
    async with desk(path, Site(Clock(), {SINA.url: rss(*items), **bodies}), SINA) as one:
        report = await poll(one, SINA)
        assert (report.new, report.failed) == (len(numbers), 0)
        while await one.archive.catch_up(built_in()):
            pass
        await one.archive.tending.pack()
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT sum(pgsize) FROM dbstat").fetchone()[0])


def test_an_article_with_its_page_takes_no_more_than_so_much_however_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    few, many = (asyncio.run(filled(path, numbers)) for numbers in (range(100), range(100, 200)))
    assert few <= 100 * MOST
    assert many - few <= 100 * MOST
