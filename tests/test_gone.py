"""Gone and back: a page that is not there any more is an event with its evidence, and the text stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import live, program
from test_articles import DOC, finance
from test_rechecks import PLAN, WIRE, causes, hours_of_looks, looks, rows
from test_revisions import TEXT
from test_revisions import listing as edited
from typer.testing import CliRunner
from web_server import reply
from world import Clock, Site, desk, feed, link, page

from aggregator.archive import Reader
from aggregator.articles.absence import is_notice, notice_in
from aggregator.articles.rules import built_in
from aggregator.cli import app as command
from aggregator.model import Page
from aggregator.pipeline import Desk, poll, recheck

NOTICE = "<html><head><title>提示</title></head><body><p>抱歉，该文章已被删除。</p></body></html>".encode()
GONE_WAYS = {"404": 404, "410": 410, "notice": NOTICE, "english": b"<title>Oops</title><p>Page not found</p>"}


def state(folder: Path) -> tuple[object, ...]:
    (row,) = rows(folder, "SELECT absence, evidence FROM rechecks")
    return tuple(row.values())


def events(folder: Path) -> list[tuple[object, ...]]:
    return [
        tuple(row.values())
        for row in rows(folder, 'SELECT kind, status, c.at FROM events JOIN commits c ON seq = "commit"')
    ]


async def _lost(one: Desk, site: Site, answers: Sequence[bytes | int]) -> list[str | None]:
    """What each look says, an hour apart, while the page answers so."""
    found = []
    for answer in answers:
        site.clock.move(hours=1)
        site.answers[link(1)] = answer
        found += [look.absence for look in await recheck(one)]
    return found


@pytest.mark.parametrize("answer", GONE_WAYS.values(), ids=GONE_WAYS)
def test_an_article_is_gone_when_a_second_look_agrees_and_its_text_stays(tmp_path: Path, answer: bytes | int) -> None:
    site = Site(Clock())

    async def work(one: Desk) -> list[str | None]:
        found = await _lost(one, site, [answer])
        assert (state(tmp_path)[0], events(tmp_path)) == ("missing", [])
        return found + await _lost(one, site, [answer] * 30)

    assert looks(tmp_path, site, work) == ["missing", "gone", "gone", "gone"]  # the last two as planned: 6 h and 24 h
    status = answer if isinstance(answer, int) else 200
    assert events(tmp_path) == [("gone", status, "2026-11-23T10:00:00.000Z")]
    assert causes(tmp_path) == ["first"]
    with Reader(tmp_path / "a.db") as reader:
        row = reader.article("url:https://wire.example/news/1.html")
        assert row is not None
        assert (row["absence"], row["absent_since"], row["reason"]) == ("gone", "2026-11-23T09:00:00Z", None)
        assert "第1号工厂今日投产" in str(row["document"])
        (event,) = rows(tmp_path, "SELECT page, article FROM events")
        assert event["article"] == row["id"]
        kept = event["page"] and reader.page(int(str(event["page"])))
    assert kept == (None if isinstance(answer, int) else answer)


def test_one_odd_404_is_not_believed(tmp_path: Path) -> None:
    site = Site(Clock())
    found = looks(tmp_path, site, lambda one: _lost(one, site, [404, page(1), page(1), page(1), page(1), page(1), 404]))
    assert found == ["missing", None, None]  # there again after an hour, and as planned 4 hours later
    assert (state(tmp_path), events(tmp_path)) == ((None, None), [])


def test_what_was_gone_is_back(tmp_path: Path) -> None:
    site = Site(Clock())
    new = page(1, "第1号工厂今日停产，原因尚在调查之中，预计下月恢复。")
    found = looks(tmp_path, site, lambda one: _lost(one, site, [404, 404, 404, 404, 404, new]))
    assert found == ["missing", "gone", None]
    assert [event[:2] for event in events(tmp_path)] == [("gone", 404), ("back", 200)]
    assert (causes(tmp_path), state(tmp_path)) == (["first", "changed"], (None, None))


def test_gone_is_kept_after_the_plan_is_over_and_trouble_of_a_host_is_no_end(tmp_path: Path) -> None:
    site = Site(Clock())
    found = looks(tmp_path, site, lambda one: _lost(one, site, [404, 503, 503, 404]))
    assert found == ["missing", None, None, "gone"]
    assert [event[0] for event in events(tmp_path)] == ["gone"]


def test_what_was_never_there_comes(tmp_path: Path) -> None:
    site = Site(Clock(), answers={link(1): 404})

    async def work(one: Desk) -> list[str | None]:
        assert state(tmp_path) == (None, None)
        return await _lost(one, site, [404, 404, 404, 404, 404, page(1)])

    assert looks(tmp_path, site, work) == [None, None]
    assert events(tmp_path) == []
    with Reader(tmp_path / "a.db") as reader:
        assert [row.content.reason for row in reader.revisions()] == ["not_found", None]
        ((_, document),) = reader.documents()
    assert "第1号工厂今日投产" in document


def test_an_edit_whose_page_is_not_there_takes_no_text_away(tmp_path: Path) -> None:
    clock, wire = Clock(), feed(recheck=PLAN)
    site = Site(clock)

    async def run() -> list[list[str | None]]:
        found = []
        async with desk(tmp_path / "a.db", site, wire) as one:
            for edit, answer in enumerate((finance(TEXT).encode(), 404)):
                site.answers |= {wire.url: edited(edit), DOC: answer}
                await poll(one, wire)
                clock.move(minutes=10)
            clock.move(hours=1)
            found.append([look.absence for look in await recheck(one)])
        return found

    assert asyncio.run(run()) == [["gone"]]
    assert causes(tmp_path) == ["first"]
    assert rows(tmp_path, "SELECT * FROM work") == []
    with Reader(tmp_path / "a.db") as reader:
        assert "利率走势平稳" in next(reader.documents())[1]


def test_a_page_whose_body_is_only_a_notice_is_gone(tmp_path: Path) -> None:
    clock, wire = Clock(), feed(recheck=PLAN)
    site = Site(clock, answers={wire.url: edited(0), DOC: finance(TEXT).encode()})

    async def run() -> list[str | None]:
        async with desk(tmp_path / "a.db", site, wire) as one:
            await poll(one, wire)
            site.answers[DOC] = finance("<p>该文章已被删除</p>").encode()
            found = []
            for _ in range(2):
                clock.move(hours=1)
                found += [look.absence for look in await recheck(one)]
            return found

    assert asyncio.run(run()) == ["missing", "gone"]
    assert causes(tmp_path) == ["first"]


ADDRESS = "https://finance.sina.com.cn/roll/2026-11-23/doc-inabcdef1234567.shtml"


@pytest.mark.parametrize(
    ("html", "arrived", "told"),
    [
        ("<body>您访问的页面不存在</body>", ADDRESS, "a notice: 页面不存在"),
        ("<body>很抱歉，您要访问的页面没有找到！</body>", ADDRESS, "a notice: 页面没有找到"),
        ("<title>404 Not Found</title>", ADDRESS, "a notice: 404 Not Found"),
        ("<body>此文章已被作者删除</body>", ADDRESS, "a notice: 文章已被作者删除"),
        ("<title>新浪财经</title><body>要闻</body>", "https://finance.sina.com.cn/", "redirected to the home page https://finance.sina.com.cn/"),
        ("<body>请完成安全验证</body>", ADDRESS, None),
        ("<body>" + "央行今日开展公开市场操作。" * 40 + "有网页不存在的说法。</body>", ADDRESS, None),
        ("", ADDRESS, None),
    ],
)  # fmt: skip
def test_notices(html: str, arrived: str, told: str | None) -> None:
    assert notice_in(Page(ADDRESS, arrived, 200, {}, html.encode(), Clock()()), built_in()) == told


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("该文章已被删除", True),
        ("对不起，内容已下线。", True),
        ("公司官网新闻稿已被删除，" + "引发市场关注。" * 10, False),
        ("", False),
    ],
)
def test_a_text_that_is_nothing_but_a_notice(text: str, is_one: bool) -> None:
    assert is_notice(text, built_in()) == is_one


def test_over_the_wire_and_as_the_commands_tell_it(tmp_path: Path) -> None:
    async def run() -> None:
        clock = Clock()
        async with program(tmp_path, clock) as (app, server):
            await live(app, clock, hours=0.5)
            server.routes["/good/1"] = lambda _: reply(404)
            server.routes["/good/2"] = lambda _: reply(302, Location="/")
            server.routes["/"] = lambda _: reply(200, "<title>首页</title><body>要闻</body>".encode())
            await live(app, clock, hours=4)

    asyncio.run(run())
    (tmp_path / "config.yaml").write_text("archive: archive.db\n", encoding="utf-8")
    config = ["--config", str(tmp_path / "config.yaml")]
    told = json.loads(CliRunner().invoke(command, ["status", "--json", *config]).stdout)
    assert (told["totals"]["gone"], told["totals"]["missing"]) == (2, 0)
    assert {one["evidence"] for one in told["absences"]} == {
        "HTTP 404",
        "redirected to the home page http://good.example/",
    }
    shown = CliRunner().invoke(command, ["show", "http://good.example/good/1", *config]).stdout
    assert "gone since 2026-11-23 17:00: HTTP 404" in shown
    assert "第1号工厂今日投产" in shown
    assert "gone" in CliRunner().invoke(command, ["status", *config]).stdout


def test_hours_of_looks_end_with_the_plan_when_gone(tmp_path: Path) -> None:
    site = Site(Clock())

    async def work(one: Desk) -> list[int]:
        site.answers[link(1)] = 404
        return await hours_of_looks(one, site.clock, 400)

    assert looks(tmp_path, site, work, wire=replace(WIRE, recheck=(3_600, 604_800))) == [1, 2, 168]
