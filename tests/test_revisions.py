"""What makes a new revision: an edit of the article by its source, and nothing else that moves on its page."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import pytest
from sqlite_utils import Database
from test_articles import DOC, QR, finance
from world import START, Clock, Site, desk, feed

from aggregator.archive import Reader
from aggregator.archive.revisions import Revision
from aggregator.articles.rules import built_in
from aggregator.pipeline import poll
from aggregator.text.dates import iso

PROMISE = "来新浪理财大学，听《港股入门》，10节课带你快速入门！"
TEXT = "<p>　　央行今日开展公开市场操作，市场流动性保持合理充裕。</p><p>　　分析人士认为利率走势平稳。</p>"


def listing(edit: int, title: str = "题") -> bytes:
    """An Atom feed whose one entry was updated for the ``edit``-th time."""
    updated = iso(START.replace(minute=edit))
    entry = f'<entry><id>x</id><title>{title}</title><link href="{DOC}"/><updated>{updated}</updated></entry>'
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>甲</title>{entry}</feed>'.encode()


def history(folder: Path, *pages: str, titles: tuple[str, ...] = ()) -> list[Revision]:
    """The revisions after the listing announced an edit per page, and each was read."""
    clock, wire = Clock(), feed()
    site = Site(clock)

    async def run() -> None:
        async with desk(folder / "a.db", site, wire) as one:
            for edit, page in enumerate(pages):
                site.answers |= {wire.url: listing(edit, titles[edit] if titles else "题"), DOC: page.encode()}
                await poll(one, wire)
                clock.move(minutes=10)

    asyncio.run(run())
    assert site.asked[DOC] == len(pages)
    with Reader(folder / "a.db") as reader:
        return list(reader.revisions())


MEDAL = "炒股就看金麒麟分析师研报，权威，专业，及时，全面，助您挖掘潜力主题机会！"
STYLED = f"{QR}<style>.appendQr_wrap {{color: red}}</style>"
MOVING = {
    "promotion": (f"<p>{PROMISE}直降300元&gt;&gt;</p>{TEXT}", f"<p>{PROMISE}618冰点价，最高直降50元&gt;&gt;</p>{TEXT}"),
    "promotion gone": (f"<p>{PROMISE}直降300元&gt;&gt;</p>{TEXT}", TEXT),
    "promotion come": (TEXT, f"<p>{MEDAL}</p>{TEXT}"),
    "app": (TEXT, f"{TEXT}<p>海量资讯、精准解读，尽在新浪财经APP</p>"),
    "qr code come": (TEXT, TEXT + STYLED),
    "qr code gone": (TEXT + STYLED, TEXT),
    "indices": (
        f'{TEXT}<div class="ct_hqimg"><p>上证 3,000.1</p></div>',
        f'<div class="ct_hqimg">上证 2.9</div>{TEXT}',
    ),
    "quotation": (f'{TEXT}<span id="quote_sz000001">(9.1, 0.1%)</span>', f'{TEXT}<span id="quote_sz000001"></span>'),
    "counters": (f"<p>阅读 123 评论 4</p>{TEXT}", f"<p>阅读 1.2万 评论 35</p>{TEXT}"),
    "buttons": (f"{TEXT}<p>收藏 | 分享到：微博 微信</p>", f"{TEXT}<p>点赞(3) 收藏 分享</p>"),
    "advertisements": (f'{TEXT}<ins class="sinaads">买甲</ins>', f'<div id="left_hzh_ad">买乙</div>{TEXT}'),
}


@pytest.mark.parametrize(("one", "other"), MOVING.values(), ids=MOVING)
def test_what_moves_around_an_article_is_no_edit(tmp_path: Path, one: str, other: str) -> None:
    assert one != other
    assert [row.n for row in history(tmp_path, finance(one), finance(other), finance(one))] == [1]


def test_the_known_false_update_is_no_edit(tmp_path: Path, shared: Path) -> None:
    file = shared / "corpus/sina/phbs_edited_article_two_versions_2020-06-18_SUBSET.csv"
    with file.open(encoding="utf-8-sig", newline="") as rows:
        bodies = ["".join(f"<p>{line}</p>" for line in row["content"].split(",")) for row in csv.DictReader(rows)]
    assert bodies[0] != bodies[1]
    assert [row.n for row in history(tmp_path, *map(finance, bodies))] == [1]


def test_an_edit_is_a_revision_that_says_where_it_comes_from(tmp_path: Path) -> None:
    first, second = history(tmp_path, finance(TEXT), finance(TEXT.replace("平稳", "上行")))
    assert (first.n, first.cause, second.n, second.cause) == (1, "first", 2, "changed")
    assert "平稳" in first.content.html
    assert "上行" in second.content.html
    assert (second.parser, second.content.rules_version) == ("test", built_in().version)
    assert iso(second.seen) == "2026-11-23T08:10:00Z"
    with Reader(tmp_path / "a.db") as reader:
        assert first.page is not None
        assert second.page is not None
        assert "平稳".encode() in (reader.page(first.page) or b"")
        assert "上行".encode() in (reader.page(second.page) or b"")


def test_the_bytes_of_a_page_that_says_nothing_new_are_not_kept_once_more(tmp_path: Path) -> None:
    history(tmp_path, *(finance(TEXT, f"<p>{n} 次</p>") for n in range(4)))
    db = Database(tmp_path / "a.db")
    assert [row[0] for row in db.execute("SELECT url FROM pages WHERE kind = 'article'")] == [DOC]
    db.close()


def dated(media: str, time: str, editor: str = "", more: str = "") -> str:
    """A page whose fields stand where Sina's have them."""
    head = (
        f'<div class="date-source"><span class="date">{time}</span><span class="source">{media}</span></div>{more}'
        + (f'<p class="show_author">责任编辑：{editor}</p>' if editor else "")
    )
    return finance(TEXT, head)


FIELDS = ("甲报", "2026年11月23日 10:00")


MODIFIED = '<meta property="article:modified_time" content="2026-11-23T11:00:00+08:00"><title>'
CORRECTED = {
    "medium": dated("乙报", FIELDS[1]),
    "time": dated(FIELDS[0], "2026年11月22日 10:00"),
    "editor": dated(*FIELDS, "张三"),
}
UNCORRECTED = {
    "no medium": dated("", FIELDS[1]),  # a field that is not found any more is no correction
    "counter": dated(*FIELDS, more="<p>阅读 5</p>"),
    "modified": dated(*FIELDS).replace("<title>", MODIFIED),
    "keywords": dated(*FIELDS).replace("<title>", '<meta name="keywords" content="甲,乙"><title>'),
}


@pytest.mark.parametrize("later", CORRECTED.values(), ids=CORRECTED)
def test_a_correction_of_a_field_is_an_edit(tmp_path: Path, later: str) -> None:
    assert [row.n for row in history(tmp_path, dated(*FIELDS), later)] == [1, 2]


@pytest.mark.parametrize("later", UNCORRECTED.values(), ids=UNCORRECTED)
def test_what_moves_by_itself_is_no_correction(tmp_path: Path, later: str) -> None:
    assert [row.n for row in history(tmp_path, dated(*FIELDS), later)] == [1]


def test_a_title_of_the_list_is_an_edit(tmp_path: Path) -> None:
    found = history(tmp_path, finance(TEXT), finance(TEXT), titles=("题", "题二"))
    assert [row.content.title for row in found] == ["题", "题二"]
