"""Extraction on small pages of our own: one per era, and each way in which a page can mislead."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest
from world import START

from aggregator.articles.extract import extract
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import built_in
from aggregator.errors import ParseError
from aggregator.model import Article, Page
from aggregator.text.dates import iso
from aggregator.text.weight import excess

ID = "nabcdef1234567"
DOC = f"https://finance.sina.com.cn/roll/2026-11-23/doc-i{ID}.shtml"
OLD = "http://finance.sina.com.cn/fund/jjgg/20060329/11342457383.shtml"
NAMED = f'<meta name="publishid" content="{ID}">'
FRONT = b'<meta property="og:url" content="http://finance.sina.com.cn/">'
QR = '<div class="clearfix appendQr_wrap"><img src="//n.sinaimg.cn/finance/76/20270101/other.png">扫码</div>'


def read(html: str | bytes, url: str = DOC, *, arrived: str = "", kind: str = "text/html") -> Article:
    body = html if isinstance(html, bytes) else html.encode()
    return extract(Page(url, arrived or url, 200, {"content-type": kind}, body, START))


def refused(html: str | bytes, url: str = DOC, *, arrived: str = "") -> ParseError:
    with pytest.raises(ParseError) as failed:
        read(html, url, arrived=arrived)
    return failed.value


def finance(body: str, beside: str = "") -> str:
    """A page of finance.sina.com.cn as since 2018."""
    return (
        f"<!DOCTYPE html><html><head>{NAMED}<title>题_新浪财经_新浪网</title></head>"
        '<body><h1 class="main-title">题</h1>'
        f'<div id="article_content"><div class="article" id="artibody">{body}</div></div>{beside}</body></html>'
    )


def gb2312(shown: str, label: str = "gb2312") -> bytes:
    """A page of before 2014, which says nothing about itself."""
    return (
        f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={label}"><title>老题</title></head>'
        f'<body><h1 id="artibodyTitle">老题：基金市场</h1><span id="pub_date">{shown}</span>'
        '<span id="media_name">某证券报</span><div class="blkContainerSblkCon" id="artibody">'
        "<!-- publish_helper name='原始正文' p_id='31' --><p>　　当年的基金市场很热闹。</p><!-- publish_helper_end -->"
        '<div class="blkComment">网友评论</div></div></body></html>'
    ).encode("gb18030")


def test_a_page_of_the_gb2312_era_with_a_wrong_label() -> None:
    article = read(gb2312("2006年03月29日 11:34", "utf-8"), OLD, kind="text/html; charset=utf-8")
    assert (article.rule, article.title, article.media) == ("sina-gb2312", "老题：基金市场", "某证券报")
    assert article.text == "当年的基金市场很热闹。"
    assert article.published
    assert iso(article.published) == "2006-03-29T03:34:00Z"


def test_a_page_of_2014_to_2018() -> None:
    article = read(
        f'{NAMED}<h1 id="artibodyTitle" docid="{ID}">题</h1><span class="time-source" id="navtimeSource">'
        '2017年12月01日18:30 <span><a href="//x.example/">某日报</a></span></span>'
        '<div class="article article_16" id="artibody"><p>　　正文。</p>'
        '<p class="article-editor">责任编辑：甲乙 SF104</p></div>'
    )
    assert (article.rule, article.media, article.editor, article.editor_code) == (
        "sina-2014",
        "某日报",
        "甲乙",
        "SF104",
    )
    assert article.published
    assert iso(article.published) == "2017-12-01T10:30:00Z"
    assert article.text == "正文。"


def test_a_wap_page_shows_its_pictures_from_where_they_wait() -> None:
    article = read(
        f'<link rel="canonical" href="{DOC}"><article class="art_box"><h1 class="art_tit_h1">题</h1>'
        '<time class="art_time">2018.05.09 12:52:37</time><cite class="art_cite">某网</cite>'
        '<section class="art_pic_card art_content"><p class="art_p">正文。</p>'
        '<img src="//n.sinaimg.cn/default/2fb77759/20151125/320X320.png" data-src="//n.sinaimg.cn/a/b.jpg"></section>',
        f"https://finance.sina.cn/2018-05-09/detail-i{ID}.d.html?vt=4",
    )
    assert (article.rule, article.media, article.cover) == ("sina-wap", "某网", "https://n.sinaimg.cn/a/b.jpg")
    assert article.published
    assert iso(article.published) == "2018-05-09T04:52:37Z"
    assert '<img src="https://n.sinaimg.cn/a/b.jpg"' in article.html


def test_a_slide_show_is_its_pictures_and_captions() -> None:
    show = '{"images": [{"download_img": "https://n.sinaimg.cn/s/1.jpg", "intro": "一 < 二"}, {"intro": "三"}, 4]}'
    article = read(
        f"<h1>组图</h1><script>var slide_data = {show};</script>",
        "https://slide.finance.sina.com.cn/slide_9_1_12345.html",
    )
    assert (article.rule, article.cover) == ("sina-slides", "https://n.sinaimg.cn/s/1.jpg")
    assert article.text == "一 < 二\n三"


@pytest.mark.parametrize("data", ["[", "{" * 9, '{"images": 7}', '{"images": [' + "[" * 100_000])
def test_slide_data_that_cannot_be_read_is_a_failure(data: str) -> None:
    page = f"{NAMED}<script>var slide_data = {data};</script>"
    assert refused(page, f"https://slide.finance.sina.com.cn/doc-i{ID}.html").kind == "extract_failed"


@pytest.mark.parametrize(
    "empty",
    ["", "<!-- 正文 -->", QR, QR + '<p class="article-editor">责任编辑：甲乙 </p>',
     '<div class="video-2017"><img src="//n.sinaimg.cn/v/1.jpg">视频</div>', '<img src="//i.example/logo.png">'],
)  # fmt: skip
def test_a_body_with_nothing_of_an_article_in_it_is_a_failure_never_an_empty_success(empty: str) -> None:
    failure = refused(finance(empty))
    assert failure.kind == "extract_failed"
    assert built_in().version in str(failure)


def test_a_cover_is_never_what_the_house_adds_wherever_it_keeps_it() -> None:
    assert read(finance(f"<p>正文。</p>{QR}")).cover is None
    assert read(finance(f"{QR}<p>正文。<img src='/a/b.jpg'></p>")).cover == "https://finance.sina.com.cn/a/b.jpg"
    assert "appendQr_wrap" in read(finance(f"<p>正文。</p>{QR}")).html


def test_pictures_of_sina_are_https_also_behind_an_old_http_link() -> None:
    article = read(finance('<p>正文。<img src="//n.sinaimg.cn/a/b.jpg"></p>'), DOC.replace("https:", "http:"))
    assert article.cover == "https://n.sinaimg.cn/a/b.jpg"
    assert 'src="https://n.sinaimg.cn/a/b.jpg"' in article.html
    plain = read(finance('<p>正文。<img src="http://wx1.sinaimg.cn/a/b.jpg"></p>'))
    assert plain.cover == "https://wx1.sinaimg.cn/a/b.jpg"


def test_symbols_are_those_of_the_body_not_of_the_columns_beside_it() -> None:
    link = "<a href=https://x.example/AMZN class=k>亚马逊</a>"
    quoted = f"<span id=usstock_AMZN>{link}</span><span id=quote_AMZN>(1, 2%)</span>"
    comments = (
        "<!-- news_keyword_pub,stock,SZ000591&sh600586 --><!-- news_keyword_pub,hkstock,00700&hk01810 -->"
        "<!-- news_keyword_pub,forex,USDCNY -->"
    )
    article = read(finance(f"<p>买入{quoted}。</p>{comments}", beside="<span id=usstock_AAPL>苹果</span>"))
    assert set(article.symbols) == {"us:AMZN", "sz000591", "sh600586", "hk00700", "hk01810", "forex:USDCNY"}
    assert len(article.symbols) == 6
    assert article.text == "买入亚马逊。"


@pytest.mark.parametrize(
    ("line", "editor"),
    [("责任编辑：甲乙 ", ("甲乙", None)), ("责任编辑：甲乙 SF104", ("甲乙", "SF104")), ("责编：甲乙", ("甲乙", None)),
     ("责任编辑：甲乙 RF13015", ("甲乙", "RF13015")), ("责任编辑：某某快报", ("某某快报", None))],
)  # fmt: skip
def test_the_editor_and_the_whole_code(line: str, editor: tuple[str, str | None]) -> None:
    article = read(finance(f'<p>正文。</p><p class="article-editor">{line}</p>'))
    assert (article.editor, article.editor_code) == editor
    assert article.text == "正文。"


def test_the_title_is_no_keyword() -> None:
    page = finance("<p>正文。</p>").replace(
        NAMED, f'{NAMED}<meta name="keywords" content="题"><meta name="tags" content="">'
    )
    assert read(page).keywords == ()


@pytest.mark.parametrize("place", [
    f'<meta property="og:url" content="{DOC}">', f'<meta name="comment" content="cj:comos-{ID}">',
    f'<meta name="sudameta" content="dataid:comos:{ID}">', f"<script>var INFO = {{newsid: 'comos-{ID}'}}</script>",
    f'<meta name="mobile-agent" content="format=html5; url=http://finance.sina.cn/2026-11-23/detail-i{ID}.d.html">',
])  # fmt: skip
def test_each_place_that_names_the_article_proves_it(place: str) -> None:
    assert read(finance("<p>正文。</p>").replace(NAMED, place)).text == "正文。"


def test_an_id_in_the_body_or_in_the_address_proves_nothing() -> None:
    page = finance(f'<p>正文。<a href="{DOC}">相关</a></p>').replace(NAMED, "")
    assert refused(page).kind == "wrong_page"
    assert refused(page, f"http://doc.sina.cn/?id=comos:{ID}", arrived=DOC).kind == "wrong_page"


@pytest.mark.parametrize(
    ("page", "arrived"),
    [(gb2312("2009年03月29日 11:34"), OLD), (gb2312(""), "https://finance.sina.com.cn/"),
     (gb2312("").replace(b"<title>", NAMED.encode() + b"<title>"), OLD),
     (gb2312("2006年03月29日").replace(b"<title>", FRONT + b"<title>"), OLD)],
    ids=["another day", "home page", "another id", "names the home page"],
)  # fmt: skip
def test_an_old_address_is_refused_what_contradicts_it(page: bytes, arrived: str) -> None:
    assert refused(page, OLD, arrived=arrived).kind == "wrong_page"


@pytest.mark.parametrize("shown", ["2006年03月29日 11:34", "2006年03月28日 23:59", ""])
def test_an_old_address_is_given_what_does_not_contradict_it(shown: str) -> None:
    assert read(gb2312(shown), OLD).title == "老题：基金市场"


@pytest.mark.parametrize(
    "html", [b"", "<title>安全验证</title><body>请拖动滑块</body>", "<title>Just a moment...</title>"]
)
def test_an_empty_answer_and_a_challenge_are_no_article_anywhere(html: str | bytes) -> None:
    assert refused(html, "https://news.example/a").kind == "wrong_page"


def test_text_is_derived_again_from_the_stored_body() -> None:
    article = read(finance(
        "<p>专题：<a href='/zt_d/x/'>年报</a></p><p>　　原标题：旧题</p><p>来源：某报</p><p>　　第一段。</p>"
        f"<p>海量资讯、精准解读，尽在新浪财经APP</p><p>最后一段。</p>{QR}"
        "<style>p {color: red}</style><p>责任编辑：甲乙</p>"
    ))  # fmt: skip
    assert article.text == text_of(article.html, article.rule, built_in()) == "第一段。\n最后一段。"
    assert article.original_title == "旧题"


def test_an_advertisement_that_changes_is_no_edit(shared: Path) -> None:
    file = shared / "corpus/sina/phbs_edited_article_two_versions_2020-06-18_SUBSET.csv"
    with file.open(encoding="utf-8-sig", newline="") as rows:
        bodies = ["".join(f"<p>{line}</p>" for line in row["content"].split(",")) for row in csv.DictReader(rows)]
    assert bodies[0] != bodies[1]
    assert text_of(bodies[0], None, built_in()) == text_of(bodies[1], None, built_in())


@pytest.mark.parametrize(
    ("url", "reason"),
    [("https://video.sina.com.cn/p/finance/1.html", "video"), ("http://blog.sina.com.cn/s/blog_1.html?tj=fina", "blog"),
     ("https://finance.sina.com.cn/zt_d/x/", "topic"), ("https://news.sina.cn/zt/x/index.html", "topic"),
     (f"https://finance.sina.com.cn/zt_d/x/doc-i{ID}.shtml", None), (DOC, None), (OLD, None),
     ("https://video.sina.com.cn/", None), ("https://blog.example/s/1", None), ("no address", None)],
)  # fmt: skip
def test_only_proven_kinds_are_links_without_an_article(url: str, reason: str | None) -> None:
    assert built_in().link_only(url) == reason


HOSTILE = {
    "deep": "<div>" * 100_000,
    "deep with ends that end nothing": "<div></x>" * 50_000,
    "attributes": "<div " + " ".join(f"a{n}=1" for n in range(100_000)) + ">",
    "elements opened again": "<p>" + "".join(f"<font color={n}>" for n in range(480)) + "<p>x" * 10_000,
    "tags": "<br>" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_refused_before_a_tree_is_built_of_it(name: str) -> None:
    started = time.monotonic()
    failure = refused(finance(HOSTILE[name]))
    assert (failure.kind, "too heavy" in str(failure)) == ("extract_failed", True)
    assert time.monotonic() - started < 5


def test_a_long_table_is_not_too_heavy() -> None:
    assert excess("<table>" + "<tr><td><b>1</b><td>2" * 9_000 + "</table>") is None
