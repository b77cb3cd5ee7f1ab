"""Extraction, field by field: on captured pages, and on every era of the replica."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_client import get
from world import START

from aggregator.app import utc_now
from aggregator.articles.extract import extract
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import built_in
from aggregator.demo import Replica
from aggregator.errors import ParseError
from aggregator.model import Article, Page
from aggregator.text.dates import iso

ROOT = Path(__file__).resolve().parent.parent
FINANCE = "https://finance.sina.com.cn"
NEWS = "https://news.sina.com.cn/c"
# file, address, title, published, modified, media, editor, keywords, original title, cover's end, first, last words
CAPTURED = [
    ("gne_finance_roll_2018-12-28_doc-ihqfskcn2160999", f"{FINANCE}/roll/2018-12-28/doc-ihqfskcn2160999.shtml",
     '60万"12306账号"外泄? 中铁总辟谣称消息不实', "2018-12-28T11:55:10Z", "2018-12-28T12:19:44Z", "新京报", "霍琦",
     ("辟谣", "外泄", "账号"), None, "SsL9-fzihnep5208585.png", "新京报快讯", "购票带来的风险。"),
    ("gne_finance_usstock_2019-09-09_doc-iicezzrq4681677",
     f"{FINANCE}/stock/usstock/c/2019-09-09/doc-iicezzrq4681677.shtml",
     "债券市场是否存在泡沫？世界知名首席投资官们这么说", "2019-09-09T12:52:39Z", None, "新浪财经-自媒体综合", "郭明煜",
     (), None, "632d-iekuaqt0614232.jpg", "原创：", "入市需谨慎。"),
    ("gne_news_2019-09-07_doc-iicezzrq4076655", f"{NEWS}/2019-09-07/doc-iicezzrq4076655.shtml",
     "最强“中国芯”本月商用 华为抢跑5G芯片大战", "2019-09-06T20:04:43Z", "2019-09-07T01:08:25Z", "北京日报", "张申",
     ("中国芯", "芯片"), "最强“中国芯”本月商用\xa0华为抢跑5G芯片大战", None, "用户对性能", "超过10亿美元。"),
    ("gne_news_2019-10-23_doc-iicezuev4202091", f"{NEWS}/2019-10-23/doc-iicezuev4202091.shtml",
     "陈同佳刑满出狱 向潘晓颖家人鞠躬致歉", "2019-10-23T01:05:34Z", "2019-10-23T04:17:41Z", "环球网", "吴金明",
     ("香港",), "快讯！陈同佳刑满出狱，向潘晓颖家人鞠躬致歉", "", "出狱了。", "“对不起香港人”"),
    ("gne_news_2019-11-25_doc-iihnzahi3275702", f"{NEWS}/2019-11-25/doc-iihnzahi3275702.shtml",
     "中国人习以为常的地方 为何老外却说“了不得”？", "2019-11-25T10:57:38Z", "2019-11-25T12:36:41Z", "参考消息", "张迪",
     ("公园",), "视界丨这个中国人习以为常的地方 为何老外却说“了不得”？", "", "“你们将", "（BBC）"),
]  # fmt: skip


def page(url: str, body: bytes, kind: str = "text/html") -> Page:
    return Page(url, url, 200, {"content-type": kind}, body, START)


@pytest.mark.parametrize("row", CAPTURED, ids=[row[0] for row in CAPTURED])
def test_a_captured_page_field_by_field(shared: Path, row: tuple[str, ...]) -> None:
    name, url, title, published, modified, media, editor, keywords, original, cover, first, last = row
    article = extract(page(url, (shared / f"corpus/sina/{name}.html").read_bytes()))
    assert (article.title, article.media, article.editor) == (title, media, editor)
    assert article.published
    assert iso(article.published) == published
    assert (iso(article.modified) if article.modified else None) == modified
    assert article.keywords == keywords
    assert (article.original_title or "").replace("\xa0", " ") == (original or "").replace("\xa0", " ")
    if cover is None:
        assert article.cover is None
    else:
        assert article.cover
        assert article.cover.startswith("https://") or article.cover.startswith("http://")
        assert article.cover.endswith(cover)
    assert article.text.startswith(first)
    assert article.text.endswith(last)
    for noise in ("责任编辑", "原标题", "新浪财经APP", "115.395", "SINA_TEXT_PAGE_INFO"):
        assert noise not in article.text
    assert text_of(article.html, article.rule, built_in()) == article.text


def test_the_symbols_of_a_captured_page(shared: Path) -> None:
    file = shared / "corpus/sina" / f"{CAPTURED[1][0]}.html"
    assert extract(page(CAPTURED[1][1], file.read_bytes())).symbols == ("us:JPM", "us:BLK", "us:PMTG")


def test_the_excerpt_of_2026_in_a_page_of_its_time(shared: Path) -> None:
    url = f"{FINANCE}/stock/usstock/c/2026-09-28/doc-initmeau2811260.shtml"
    excerpt = (shared / "corpus/sina/article_2026_doc-initmeau2811260_BODY_EXCERPT.html").read_text(encoding="utf-8")
    head = f'\n<!DOCTYPE html><html><head><meta property="og:url" content="{url}">'
    article = extract(page(url, f"{head}</head><body>{excerpt}</body></html>".encode()))
    assert article.title == "奥多比预测今年美国假日季线上购物将创历史新高"
    assert (article.media, article.editor, article.symbols) == ("环球市场播报", "郭明煜", ("us:AMZN",))
    assert article.published
    assert iso(article.published) == "2026-09-28T15:20:00Z"
    assert article.cover
    assert article.cover.endswith("cc08-30d3573cc035f46217e8e837997c47e5.png")
    assert "亚马逊 10 月举办" in article.text
    assert "海量资讯" not in article.text
    assert article.text.endswith("覆盖 18 个产品大类。")
    assert "appendQr_wrap" in article.html


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    started = utc_now()
    with Replica(lambda: started) as running:
        yield running


def answered(replica: Replica, url: str) -> Article:
    answer = get(replica, url)
    return extract(page(url, answer.body, answer.headers.get("content-type", "")))


def test_every_good_page_of_the_replica_gives_what_its_newsroom_wrote(replica: Replica) -> None:
    whole = {"finance2026", "finance2019", "news2018", "web2014"}
    good = replica.ledger.good()
    assert {one.template for one in good} >= whole | {"gb2312", "wap", "slides"}
    for one in good:
        article = answered(replica, one.url)
        story = one.story
        assert article.title == story.title, one.template
        for paragraph in story.paragraphs:
            assert "".join(paragraph.split()) in "".join(article.text.split()), one.template
        if one.template in whole:
            assert (article.media, article.editor, article.editor_code) == (
                story.media,
                story.editor,
                story.editor_code or None,
            )
            assert article.keywords == tuple(story.keywords)
            assert article.published == one.ctime
        assert article.cover is None or not built_in().not_a_cover.search(article.cover)


def test_every_broken_page_of_the_replica_fails_as_it_should(replica: Replica) -> None:
    seen = set()
    for one in replica.ledger.broken():
        if one.expect in ("wrong_page", "extract_failed"):
            with pytest.raises(ParseError) as failed:
                answered(replica, one.url)
            assert failed.value.kind == one.expect
            seen.add(one.template)
        elif one.expect in ("blog", "topic", "video"):
            assert built_in().link_only(one.url) == one.expect
    assert seen == {"challenge", "another", "bodiless", "empty"}


DOC = f"{FINANCE}/roll/2026-11-23/doc-inabcdef1234567.shtml"


@pytest.mark.parametrize(
    ("html", "kind", "words"),
    [
        ("<html><title>新浪首页</title><body>首页导航与频道</body></html>", "wrong_page", "names no article"),
        ("", "wrong_page", "empty"),
        ("<title>安全验证</title><body>请完成安全验证</body>", "wrong_page", "challenge"),
        ('<meta name="publishid" content="nzzzzzz7654321"><h1 class="main-title">另</h1><div id="artibody">文</div>',
         "wrong_page", "another article, nzzzzzz7654321"),
        ('<meta name="publishid" content="nabcdef1234567"><h1 class="main-title">题</h1><div id="elsewhere">正文</div>',
         "extract_failed", "no rule finds a body"),
        ('<meta name="publishid" content="nabcdef1234567"><h1 class="main-title">题</h1>' + "<div>" * 100_000,
         "extract_failed", "too heavy"),
    ],
)  # fmt: skip
def test_what_is_not_the_article_never_becomes_one(html: str, kind: str, words: str) -> None:
    with pytest.raises(ParseError) as failed:
        extract(page(DOC, html.encode()))
    assert failed.value.kind == kind
    assert words in str(failed.value)


def test_a_host_without_rules_is_read_by_a_general_extractor_and_says_so() -> None:
    words = "".join(f"<p>第{n}段说明这家公司在三季度的经营情况与明年的投资计划，篇幅足够长。</p>" for n in range(8))
    article = extract(page("https://other.example/a", f"<html><body><article>{words}</article></body></html>".encode()))
    assert article.rule == "trafilatura"
    assert "第7段" in article.text


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aggregator", *words], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_the_article_command_and_its_exit_codes(shared: Path, tmp_path: Path) -> None:
    file, url = str(shared / "corpus/sina" / f"{CAPTURED[0][0]}.html"), CAPTURED[0][1]
    told = json.loads(command("article", file, "--url", url, "--json").stdout)
    assert (told["key"], told["published"], told["reason"]) == (
        "sina:comos:hqfskcn2160999",
        "2018-12-28T11:55:10Z",
        None,
    )
    document = command("article", file, "--url", url, "--published", "Fri, 28 Dec 2018 11:55:10 GMT",
                       "--feed", "sina-domestic", "--document")  # fmt: skip
    assert document.stdout.startswith(
        "\n---\ntitle: '60万\"12306账号\"外泄_ 中铁总辟谣称消息不实'\ncategories: \n - 金融\n"
    )
    assert "\ndate: Fri, 28 Dec 2018 11:55:10 GMT\n" in document.stdout
    other = command("article", file, "--url", CAPTURED[1][1], "--json")
    assert (other.returncode, json.loads(other.stdout)["error"]["kind"]) == (1, "wrong_page")
    film = command("article", file, "--url", "https://video.sina.com.cn/p/1.html", "--json")
    assert (film.returncode, json.loads(film.stdout)["reason"]) == (0, "video")


def test_the_parse_command_on_a_captured_roll_answer(shared: Path) -> None:
    file = str(shared / "corpus/sina/roll_153_2516_2026-09-29_page2_EXCERPT.json")
    told = json.loads(command("parse", file, "--json").stdout)
    first, second = told["entries"]
    assert told["format"] == "sina-roll"
    assert (first["id"], first["published"], first["updated"]) == (
        "comos:nitktnv8475253", "2026-09-28T11:50:08Z", "2026-09-28T11:51:30Z"
    )  # fmt: skip
    assert first["title"] == "参议院选举版图生变 美国选举支出势创历史之最"
    assert first["link"] == f"{FINANCE}/stock/usstock/c/2026-09-28/doc-initktnv8475253.shtml"
    assert [one["url"].rpartition("/")[2] for one in first["enclosures"]] == [
        "686a-5f7464377ab6dfbffc8a6674e5a1f880.png"
    ]
    assert (second["media"], second["enclosures"]) == ("环球市场播报", [])
