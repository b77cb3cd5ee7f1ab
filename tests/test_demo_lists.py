"""The replica's other lists, 7x24, columns and companies, through the whole pipeline; and nobody's data is kept."""

from __future__ import annotations

import asyncio
import gzip
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from demo_client import NOW

from aggregator.app import App, open_app, poll_feed
from aggregator.config import Settings, parse
from aggregator.demo import Replica
from aggregator.demo.columns import COLUMNS
from aggregator.demo.flashes import COMMENT, PAGED_AFTER, READER, STAFF, headline, paged
from aggregator.demo.ledger import Published
from aggregator.model import Report

PEOPLE = (*STAFF, *READER, COMMENT)
ROOT = Path(__file__).resolve().parent.parent
_FEEDS = {
    "live": ("sina-live", "https://zhibo.sina.com.cn/api/zhibo/feed?zhibo_id=152"),
    "newer": ("sina-live", "https://app.cj.sina.com.cn/api/news/pc?tag=0"),
    "column": ("sina-column", "https://finance.sina.com.cn/roll/c/56592.shtml"),
    "news": ("sina-company", "https://vip.stock.finance.sina.com.cn/corp/go.php/vCB_AllNewsStock/symbol/{}.phtml"),
    "bulletins": ("sina-company", "https://vip.stock.finance.sina.com.cn/corp/go.php/vCB_AllBulletin/stockid/{}.phtml"),
    "roll": ("sina-roll", "https://feed.mix.sina.com.cn/api/roll/get?pageid=384&lid=2671"),
}


@dataclass
class Clock:
    """The replica's time, and the program's."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Lived:
    """A replica that was polled: twice, with some minutes and news in between; what came of each feed's polls."""

    folder: Path
    replica: Replica
    symbol: str
    reports: dict[str, list[Report]]
    early: dict[str, bool]  # of each article: whether its flash named its page at the first poll

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "archive.db")) as db:
            return db.execute(sql, values).fetchall()


def told(replica: Replica, *desks: str) -> list[Published]:
    """What its lists tell of these desks, newest first."""
    good = [item for item in replica.ledger if item.listed and item.expect == "article" and not item.note]
    some = [item for item in good if not desks or item.story.desk.name in desks]
    return sorted(some, key=lambda item: item.ctime, reverse=True)


def settings_for(folder: Path, replica: Replica, symbol: str) -> Settings:
    stock = {"news": symbol, "bulletins": symbol[2:]}
    feeds = "".join(
        f'  - {{name: {name}, source: {source}, url: "{url.format(stock.get(name))}", categories: [甲, 乙, {name}]}}\n'
        for name, (source, url) in _FEEDS.items()
    )
    hosts = ", ".join(f'"{host}": "{at}"' for host, at in replica.connect_to().items())
    network = f"{{connect_to: {{{hosts}}}, per_host: {{interval: 0s}}}}"
    text = f"archive: archive.db\nnetwork: {network}\nfeeds:\n{feeds}"
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return parse(text, folder / "config.yaml")


async def polled(opened: App, into: dict[str, list[Report]]) -> None:
    for name, feed in opened.desk.feeds.items():
        into.setdefault(name, []).append(await poll_feed(opened, feed))


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder, clock = tmp_path_factory.mktemp("lists"), Clock()
    with Replica(clock) as replica:
        symbol = next(item.story.companies[0][1] for item in told(replica, "ashare") if item.story.companies)
        here = Lived(folder, replica, symbol, {}, {})

        async def scene() -> None:
            replica.publish(20)
            here.early = {item.id: paged(item, clock()) for item in told(replica)}
            async with open_app(settings_for(folder, replica, symbol), clock) as opened:
                await polled(opened, here.reports)
                clock.at += PAGED_AFTER + timedelta(minutes=2)
                replica.publish(1)
                await polled(opened, here.reports)
                (folder / "wal.bin").write_bytes((folder / "archive.db-wal").read_bytes())

        asyncio.run(scene())
        yield here


def test_each_list_is_read_and_nothing_fails(lived: Lived) -> None:
    assert lived.reports.keys() == _FEEDS.keys()
    for name, (first, second) in lived.reports.items():
        assert (first.status, first.error, second.error) == ("ok", None, None), name
        assert name == "roll" or first.failed == second.failed == 0  # which has what the replica breaks on purpose
        assert first.listed > 0
    assert lived.reports["live"][0].listed == 100
    assert lived.reports["newer"][0].listed == 50
    assert lived.reports["newer"][0].new == 0
    assert lived.reports["live"][1].new == 1


def test_a_flash_becomes_the_article_of_its_page(lived: Lived) -> None:
    """First a flash alone; minutes later it names its page, whose id is another key of the same article.

    Unless a list has announced that page in between.
    """
    new = [item for item in told(lived.replica)[1:21] if 2671 not in item.lids]
    fresh = [item for item in new if not lived.early[item.id]]
    now = [item for item in fresh if paged(item, lived.replica._clock())]
    assert len(now) >= 5
    for item in now:
        keys = lived.rows(
            "SELECT key FROM keys WHERE article = (SELECT article FROM keys WHERE key = ?)", f"sina:live:152:{item.oid}"
        )
        assert (f"sina:comos:{item.id}",) in keys
        bodies = lived.rows(
            "SELECT r.body FROM revisions r JOIN keys k ON k.article = r.article WHERE k.key = ? ORDER BY n",
            f"sina:live:152:{item.oid}",
        )
        assert [item.story.paragraphs[-1] in body for (body,) in bodies] == [False, True]


def test_a_flash_without_a_page_is_an_article_with_its_words_and_stocks(lived: Lived) -> None:
    alone = [item for item in told(lived.replica)[10:90] if not paged(item, lived.replica._clock())]
    assert len(alone) >= 10
    for item in alone:
        ((title, body, symbols),) = lived.rows(
            "SELECT r.title, r.body, r.symbols FROM revisions r JOIN keys k ON k.article = r.article WHERE k.key = ?",
            f"sina:live:152:{item.oid}",
        )
        assert title == headline(item.story)
        assert item.story.lead in body
        assert len(item.story.companies) == (symbols or "").count('"') // 2


def test_a_column_shows_the_articles_of_its_desks(lived: Lived) -> None:
    _, desks = COLUMNS[56592]
    wanted = {f"sina:comos:{item.id}" for item in told(lived.replica, *desks)}
    found = lived.rows(
        "SELECT DISTINCT a.key FROM entries e JOIN feeds f ON f.id = e.feed JOIN keys a ON a.article = e.article"
        " WHERE f.name = 'column' AND a.key LIKE 'sina:comos:%'"
    )
    assert {key for (key,) in found} == wanted
    dates = lived.rows(
        "SELECT e.link, e.published FROM entries e JOIN feeds f ON f.id = e.feed WHERE f.name = 'column'"
    )
    minutes = {item.url: item.ctime.strftime("%Y-%m-%dT%H:%M:00Z") for item in told(lived.replica, *desks)}
    assert dict(dates) == minutes


def test_a_companys_news_and_announcements_are_archived_with_its_symbol(lived: Lived) -> None:
    about = [item for item in told(lived.replica) if [code for _, code in item.story.companies[:1]] == [lived.symbol]]
    listed = "SELECT count(*) FROM entries e JOIN feeds f ON f.id = e.feed WHERE f.name = ? AND e.symbols LIKE ?"
    for name in ("news", "bulletins"):
        assert lived.rows(listed, name, f'%"{lived.symbol}"%') == [(len(about),)]
    announced = lived.rows(
        "SELECT r.title, r.body, r.rule FROM revisions r JOIN articles a ON a.id = r.article"
        " WHERE a.key LIKE 'sina:bulletin:%'"
    )
    assert len(announced) == len(about)
    name = about[0].story.companies[0][0]
    assert {rule for _, _, rule in announced} == {"sina-bulletin"}
    assert all(title.startswith(f"{name}：关于") for title, _, _ in announced)
    assert {body.count("<p>") for _, body, _ in announced} == {len(item.story.paragraphs) for item in about}


def test_nobody_whom_the_api_names_is_in_any_file(lived: Lived) -> None:
    """Neither in the archive and its log, nor in a copy, nor in what is exported."""
    pytest.importorskip("warcio")
    for words in (["backup", "copy.db"], ["export", "--warc", "all.warc.gz"], ["export", "--jsonl", "all.jsonl"]):
        call = [sys.executable, "-m", "aggregator", *words, "--config", "config.yaml"]
        done = subprocess.run(call, cwd=lived.folder, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert done.returncode == 0, done.stderr
    files = [file for file in lived.folder.rglob("*") if file.is_file()]
    assert {"archive.db", "wal.bin", "copy.db", "all.warc.gz", "all.jsonl"} <= {file.name for file in files}
    for file in files:
        content = file.read_bytes()
        content += gzip.decompress(content) if file.suffix == ".gz" else b""
        assert [one for one in PEOPLE if one.encode() in content] == [], file.name
