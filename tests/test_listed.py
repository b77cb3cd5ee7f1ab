"""Articles that their listings carry are read and stored many at once, and become what each alone becomes."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from test_controls import terms
from world import Clock, Site, desk, feed, item, rss, urls

from aggregator.model import Entry, Feed, Pending
from aggregator.pipeline import Budget, Outcome, collect, discover
from aggregator.pipeline.listed import portion_of

OTHER = "https://other.example/feed.xml"
# But for when, and in which order: how much is stored in one commit is what differs.
_TABLES = {"articles": "key", "revisions": "article", "work": "article", "image_work": "url", "keys": "key"}
_APART = {"commit", "id", "revision"}


def full(text: str, sentences: int = 30) -> str:
    """An item's content that is whole."""
    return f"<content:encoded><![CDATA[<p>{text}</p><p>{'工厂今日投产。' * sentences}</p>]]></content:encoded>"


def listings() -> Site:
    """Two feeds: whole texts and short ones, some to be dropped, with images, announced twice, without a link."""
    one = [item(number, extra=full(f"第{number}段。")) for number in range(30)]
    one[3] = item(3, "基金广告", extra=full("第三段。"))
    one[4] = item(4, extra=full("今日有优惠价。"))
    one[11] = item(11, extra=full("今日有优惠价。"))
    one[5] = item(5)  # has a page
    one[6] = item(6, extra=full('<img src="https://wire.example/a.png"/>'))
    one[7] = f"<item><title>无链接</title><guid isPermaLink='false'>x7</guid>{full('第七段。')}</item>"
    one[8] = item(8, extra=full("长文。", 3_000))
    two = [item(number, extra=full(f"第{number}段。")) for number in (4, 9, 10)]
    return Site(Clock(), {feed().url: _named(rss(*one)), OTHER: _named(rss(*two)), **urls(range(30))})


def _named(listing: bytes) -> bytes:
    return listing.replace(b"<rss ", b'<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" ')


def feeds() -> tuple[Feed, Feed]:
    """Of the first a text may be unwanted, of the second the images are kept."""
    return feed(drop=terms("[{title: 广告}, {body: 优惠价}]")), feed("other", OTHER, images="all")


def collected(path: Path, most: int | None) -> tuple[list[list[Outcome]], list[list[dict[str, object]]]]:
    """What comes of the articles of both feeds, collected in runs of so many at most, and what is stored then."""

    async def run() -> list[list[Outcome]]:
        runs = []
        async with desk(path, listings(), *feeds()) as one:
            for each in feeds():
                await discover(one, each)
            while outcomes := await collect(one, None, Budget(most)):
                runs.append(outcomes)
        return runs

    runs = asyncio.run(run())
    with closing(sqlite3.connect(path)) as db:
        return runs, [_rows(db, table, order) for table, order in _TABLES.items()]


def _rows(db: sqlite3.Connection, table: str, order: str) -> list[dict[str, object]]:
    found = db.execute(f"SELECT * FROM {table} ORDER BY {order}")
    names = [column[0] for column in found.description]
    return [{name: value for name, value in zip(names, row, strict=True) if name not in _APART} for row in found]


def test_many_at_once_become_what_each_alone_becomes(tmp_path: Path) -> None:
    singly, by_one = collected(tmp_path / "alone.db", 1)
    (together,), by_many = collected(tmp_path / "together.db", None)
    assert by_many == by_one
    assert sorted(together, key=lambda one: one.key) == sorted(chain(*singly), key=lambda one: one.key)
    fresh, dropped = (sum(getattr(one, name) for one in together) for name in ("fresh", "dropped"))
    assert (len(together), fresh, dropped) == (31, 29, 2)  # one is said otherwise by the other feed, which wants it


def test_a_budget_is_spent_on_each_of_a_portion(tmp_path: Path) -> None:
    runs, _ = collected(tmp_path / "a.db", 7)
    assert [len(outcomes) for outcomes in runs] == [7, 7, 7, 7, 3]


def task(**more: Any) -> Pending:
    """A task whose listing carries its article."""
    entry = Entry("1", "https://wire.example/1", "题", original="文" * 1_000, full_text=True)
    return replace(Pending(1, "k", entry, "wire", ("甲", "乙", "丙"), Clock()(), feeds=("wire",)), **more)


def test_read_together_is_what_waits_for_nothing_and_is_no_edit() -> None:
    known = {"wire": feed(), "paged": feed("paged", OTHER, pages="true")}

    def size(*tasks: Pending) -> int:
        return portion_of(known, tasks)

    light, edit = task(), task(revisions=1)
    heavy = task(entry=replace(light.entry, original="文" * 190_000))
    assert size(*[light] * 160) == 100
    assert size(light, light, edit, light) == 2
    assert size(edit, light) == 1
    assert size(light, task(feeds=("wire", "paged")), light) == 1
    assert size(light, task(entry=replace(light.entry, full_text=False))) == 1
    assert size(*[heavy] * 3) == 1
    assert size(*[light] * 5, heavy, *[light] * 20) == 11
