"""A page with no evidence of being the article asked for neither creates a body nor replaces one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlite_utils import Database
from test_drift import HOST, ROLL, answered, published
from world import Clock, Site, desk, feed, item, link, page, rss

from aggregator.demo.ledger import Published
from aggregator.demo.mutations import MUTATIONS
from aggregator.model import Feed
from aggregator.pipeline import poll

BODY = "".join(f"<p>第{n}段，说明背景、规模与前景，足够让人以为这是一篇文章。</p>" for n in range(8))
UNPROVEN = {
    "another title": f"<html><title>站内公告</title><body><h1>站内公告</h1><article>{BODY}</article></body></html>",
    "another address": '<link rel="canonical" href="https://wire.example/news/2.html">'
    f"<h1>另一条</h1><article>{BODY}</article>",
    "a front page": f"<title>电讯</title><h1>要闻</h1><article>{BODY}</article>",
    "nothing": "",
}
# Changes of the replica after which a page proves nothing.
OF_SINA = ("another_article", "challenge", "front_page")


def held(path: Path) -> list[tuple[object, ...]]:
    """Every revision of the archive, and each article's current one with its document."""
    db = Database(path)
    found = [
        *db.execute("SELECT article, n, title, body, fingerprint FROM revisions ORDER BY id").fetchall(),
        *db.execute("SELECT id, revision, document, reason FROM articles ORDER BY id").fetchall(),
    ]
    db.close()
    return found


def kinds(path: Path) -> list[str]:
    db = Database(path)
    found = [row[0] for row in db.execute("SELECT error_kind FROM work")]
    db.close()
    return found


def polled(path: Path, site: Site, one: Feed) -> None:
    async def run() -> None:
        async with desk(path, site, one) as opened:
            assert (await poll(opened, one)).error is None

    asyncio.run(run())


@pytest.mark.parametrize("name", UNPROVEN)
@pytest.mark.parametrize("known", [False, True])
def test_a_page_of_a_host_without_rules(tmp_path: Path, name: str, known: bool) -> None:
    path, site = tmp_path / "a.db", Site(Clock(), {feed().url: rss(item(1, "工厂今日投产"))})
    site.answers[link(1)] = page(1, title="工厂今日投产") if known else UNPROVEN[name].encode()
    polled(path, site, feed())
    before = held(path)
    assert len(before) == (2 if known else 1)
    if known:  # an edit, so that its page is asked for again
        site.clock.move(hours=1)
        site.answers |= {feed().url: rss(item(1, "工厂今日投产（更新）")), link(1): UNPROVEN[name].encode()}
        asked = site.asked[link(1)]
        polled(path, site, feed())
        assert site.asked[link(1)] == asked + 1
        assert held(path) == before
    assert kinds(path) == ["wrong_page"]
    assert known or before[0][1:] == (None, None, None)


def listing_of(one: Published, title: str) -> bytes:
    comos = f'"docid": "comos:{one.id}", "url": "{one.url}", "title": "{title}", "ctime": "1790596800"'
    return f'{{"result": {{"status": {{"code": 0}}, "data": [{{{comos}}}]}}}}'.encode()


@pytest.mark.parametrize("name", OF_SINA)
@pytest.mark.parametrize("known", [False, True])
def test_a_page_of_sina(tmp_path: Path, name: str, known: bool) -> None:
    assert name in MUTATIONS
    one = next(published(1))
    assert HOST in one.url
    wire = Feed("wire", "sina-roll", ROLL, ("甲", "乙", "丙"))
    path, site = tmp_path / "a.db", Site(Clock())
    address = f"{ROLL}&num=50&page=1"
    site.answers = {address: listing_of(one, "题"), one.url: answered(one, None if known else name).body}
    polled(path, site, wire)
    before = held(path)
    assert len(before) == (2 if known else 1)
    if known:
        site.clock.move(hours=1)
        site.answers = {address: listing_of(one, "新题"), one.url: answered(one, name).body}
        polled(path, site, wire)
        assert site.asked[one.url] == 2
        assert held(path) == before
    assert kinds(path) == ["wrong_page"]
